package dialog

import (
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

// decodeCBOR reads a state as builds before msgwire wrote it. It goes, with
// platform/cborwire, in the release after the first with msgwire: what is kept of a
// conversation is kept for days at most.
func decodeCBOR(data []byte) (*State, error) {
	s := new(State)
	r := cborwire.NewReader(data)
	s.read(&r)
	return s, r.Err()
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
