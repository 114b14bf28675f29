package dialog

import (
	"fmt"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/cborwire"
)

// The keys of a state's map; a number is never used for something else again.
const (
	keyVersion = iota + 1
	keyLocale
	keyNode
	keyAsk
	keyMemory
	keyHistory
	keyReturns
	keyPages
	keyPage
	keyShown
	keyPending
	keyEnded
	keyRegion
	keyEarlier
)

// Encode writes the state as CBOR (RFC 8949).
func (s *State) Encode() []byte {
	w := cborwire.NewWriter(512)
	s.Write(w)
	return w.Bytes()
}

// Write writes the state as a part of something larger.
func (s *State) Write(w *cborwire.Writer) {
	w.Open()
	w.IntAt(keyVersion, int64(s.Version))
	w.TextAt(keyLocale, string(s.Locale))
	w.TextAt(keyNode, s.Node)
	w.TextAt(keyAsk, string(s.Ask))
	writeTexts(w, keyMemory, s.Memory)
	if len(s.History) > 0 {
		w.Key(keyHistory)
		w.Array(len(s.History))
		for _, mark := range s.History {
			w.Open()
			w.TextAt(1, mark.Node)
			w.IntAt(2, int64(mark.Returns))
			w.Close()
		}
	}
	writeList(w, keyReturns, s.Returns)
	if len(s.Pages) > 0 {
		w.Key(keyPages)
		w.Array(len(s.Pages))
		for i := range s.Pages {
			s.Pages[i].write(w)
		}
	}
	w.IntAt(keyPage, int64(s.Page))
	w.IntAt(keyShown, s.Shown)
	writeList(w, keyPending, s.Pending)
	w.BoolAt(keyEnded, s.Ended)
	w.TextAt(keyRegion, s.Region)
	if s.Earlier != nil {
		w.Key(keyEarlier)
		s.Earlier.Write(w)
	}
	w.Close()
}

func (p *Page) write(w *cborwire.Writer) {
	w.Open()
	w.TextAt(1, p.Text)
	if len(p.Options) > 0 {
		w.Key(2)
		w.Array(len(p.Options))
		for _, next := range p.Options {
			next.write(w)
		}
	}
	w.IntAt(3, int64(p.First))
	w.IntAt(4, int64(p.Of))
	w.Close()
}

func (n Next) write(w *cborwire.Writer) {
	w.Open()
	w.TextAt(1, n.Node)
	writeTexts(w, 2, n.Set)
	w.TextAt(3, n.Then)
	w.BoolAt(4, n.Back)
	w.BoolAt(5, n.Fresh)
	w.Close()
}

func writeTexts(w *cborwire.Writer, key int, texts map[string]string) {
	if len(texts) == 0 {
		return
	}
	w.Key(key)
	w.Map(len(texts))
	for name, value := range texts {
		w.Text(name)
		w.Text(value)
	}
}

func writeList(w *cborwire.Writer, key int, list []string) {
	if len(list) == 0 {
		return
	}
	w.Key(key)
	w.Array(len(list))
	for _, text := range list {
		w.Text(text)
	}
}

// Decode reads what Encode wrote, in this build or an older one; ErrVersion when
// a newer build wrote it.
func Decode(data []byte) (*State, error) {
	s := new(State)
	r := cborwire.NewReader(data)
	s.read(&r)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("decode the state of a conversation: %w", err)
	}
	if s.Version < firstVersion || s.Version > StateVersion || s.Page < 0 {
		return nil, ErrVersion
	}
	s.Version = StateVersion // what older versions lack is empty
	return s, nil
}

func (s *State) read(r *cborwire.Reader) {
	r.Map(func(key int64) {
		switch key {
		case keyVersion:
			s.Version = int(r.Int())
		case keyLocale:
			s.Locale = locales.Locale(r.Text())
		case keyNode:
			s.Node = r.Text()
		case keyAsk:
			s.Ask = Ask(r.Text())
		case keyMemory:
			s.Memory = readTexts(r)
		case keyHistory:
			r.Array(func() { s.History = append(s.History, readMark(r)) })
		case keyReturns:
			s.Returns = readList(r)
		case keyPages:
			r.Array(func() { s.Pages = append(s.Pages, readPage(r)) })
		case keyPage:
			s.Page = int(r.Int())
		case keyShown:
			s.Shown = r.Int()
		case keyPending:
			s.Pending = readList(r)
		case keyEnded:
			s.Ended = r.Bool()
		case keyRegion:
			s.Region = r.Text()
		case keyEarlier:
			s.Earlier = new(State)
			s.Earlier.read(r)
		default:
			r.Skip()
		}
	})
}

func readMark(r *cborwire.Reader) (mark Mark) {
	r.Map(func(key int64) {
		switch key {
		case 1:
			mark.Node = r.Text()
		case 2:
			mark.Returns = int(r.Int())
		default:
			r.Skip()
		}
	})
	return mark
}

func readPage(r *cborwire.Reader) (page Page) {
	r.Map(func(key int64) {
		switch key {
		case 1:
			page.Text = r.Text()
		case 2:
			page.Options = make([]Next, 0, maxChoices)
			r.Array(func() { page.Options = append(page.Options, readNext(r)) })
		case 3:
			page.First = int(r.Int())
		case 4:
			page.Of = int(r.Int())
		default:
			r.Skip()
		}
	})
	return page
}

func readNext(r *cborwire.Reader) (next Next) {
	r.Map(func(key int64) {
		switch key {
		case 1:
			next.Node = r.Text()
		case 2:
			next.Set = readTexts(r)
		case 3:
			next.Then = r.Text()
		case 4:
			next.Back = r.Bool()
		case 5:
			next.Fresh = r.Bool()
		default:
			r.Skip()
		}
	})
	return next
}

func readTexts(r *cborwire.Reader) map[string]string {
	texts := map[string]string{}
	r.Texts(func(key, value string) { texts[key] = value })
	return texts
}

func readList(r *cborwire.Reader) (list []string) {
	r.Array(func() { list = append(list, r.Text()) })
	return list
}
