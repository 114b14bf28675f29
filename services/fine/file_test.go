package fine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

// secret stands where a camera writes the place.
const secret = "42.8746 N 74.5698 E"

// picture is a small picture, another for each number.
func picture(n int) image.Image {
	p := image.NewRGBA(image.Rect(0, 0, 24, 16))
	for i := range 24 * 16 {
		p.Set(i%24, i/24, color.RGBA{uint8(i * n), uint8(n), uint8(255 - i), 255})
	}
	return p
}

// aJPEG is a picture with what a camera writes beside it, and what follows its end.
func aJPEG(t *testing.T, n int) []byte {
	t.Helper()
	var plain bytes.Buffer
	testworld.OK(t, jpeg.Encode(&plain, picture(n), nil))
	segment := func(mark byte, text string) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xFF, mark}, uint16(len(text)+2)), text...)
	}
	thumbnails := slices.Concat(segment(0xE0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x05\x05"+secret), segment(0xE0, "JFXX\x00\x10"+secret), segment(0xEE, "Adobe"+secret))
	return slices.Concat(plain.Bytes()[:2], thumbnails, segment(0xE1, "Exif\x00\x00"+secret), segment(0xFE, secret), plain.Bytes()[2:], []byte(secret))
}

func chunk(name, data string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// aPNG is the same as a PNG.
func aPNG(t *testing.T, n int) []byte {
	t.Helper()
	var plain bytes.Buffer
	testworld.OK(t, png.Encode(&plain, picture(n)))
	const head = 8 + 25 // the signature and IHDR
	return slices.Concat(plain.Bytes()[:head], chunk("tEXt", "Comment\x00"+secret), chunk("eXIf", secret), plain.Bytes()[head:], []byte(secret))
}

func aPDF(n int) []byte { return fmt.Appendf(nil, "%%PDF-1.7\n%% %d\n%%%%EOF\n", n) }

// bombs are small files of pictures that no memory holds.
func bombs(t *testing.T) map[string][]byte {
	t.Helper()
	wide := aJPEG(t, 1)
	at := bytes.Index(wide, []byte{0xFF, 0xC0})
	copy(wide[at+5:], "\xff\xff\xff\xff") // height and width
	return map[string][]byte{
		"a JPEG of 4 294 836 225 points": wide,
		"a PNG of 10^18 points":          slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", "\x40\x00\x00\x00\x40\x00\x00\x00\x08\x06\x00\x00\x00"), chunk("IEND", "")),
	}
}

func same(t *testing.T, decode func(*bytes.Reader) (image.Image, error), a, b []byte) {
	t.Helper()
	left, err := decode(bytes.NewReader(a))
	testworld.OK(t, err)
	right, err := decode(bytes.NewReader(b))
	testworld.OK(t, err)
	for i := range 24 * 16 {
		if left.At(i%24, i/24) != right.At(i%24, i/24) {
			t.Fatal("the picture is another one")
		}
	}
}

// TestAFileOfAnAppeal: what it is its content says; of a picture nothing is kept but the picture;
// it is sealed, listed, and for its person and the officers alone, who are recorded.
func TestAFileOfAnAppeal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.appealed(t)
		for _, c := range []struct {
			kind   fine.FileKind
			sent   []byte
			decode func(*bytes.Reader) (image.Image, error)
		}{
			{fine.FileJPEG, aJPEG(t, 1), func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) }},
			{fine.FilePNG, aPNG(t, 1), func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }},
			{fine.FilePDF, aPDF(1), nil},
		} {
			added, err := w.AddFile(t.Context(), w.ownerOn(aigul), a.Number, c.sent)
			testworld.OK(t, err)
			again, err := w.AddFile(t.Context(), w.ownerOn(aigul), a.Number, c.sent)
			if testworld.OK(t, err); added.Kind != c.kind || again.ID != added.ID {
				t.Errorf("%+v, again %+v", added, again)
			}
			file, kept, err := w.FileOf(t.Context(), w.ownerOn(aigul), a.Number, added.ID)
			if testworld.OK(t, err); file.Size != len(kept) || file.Name() != added.ID+"."+string(c.kind) {
				t.Errorf("%+v, %d bytes", file, len(kept))
			}
			if c.decode == nil {
				if !bytes.Equal(kept, c.sent) {
					t.Error("a PDF was changed")
				}
			} else if same(t, c.decode, kept, c.sent); bytes.Contains(kept, []byte(secret)) {
				t.Errorf("%s: where it was taken is kept", c.kind)
			}
			given, content, err := w.FileCase(t.Context(), officer("asel"), a.Number, added.ID)
			if testworld.OK(t, err); given.ID != file.ID || !bytes.Equal(content, kept) {
				t.Errorf("an officer is given %+v", given)
			}
		}
		found, err := w.AppealOf(t.Context(), w.ownerOn(aigul), a.Number)
		if testworld.OK(t, err); len(found.Files) != 3 || found.Files[0].Kind != fine.FileJPEG {
			t.Errorf("%+v", found.Files)
		}
		seen := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'fine.appeal_file_read' AND subject = $1 AND actor = 'staff:asel' AND purpose <> ''", citizen)
		if seen != 3 || w.records("fine.appeal_file") != 3 {
			t.Errorf("%d looks are recorded", seen)
		}
		other := w.ownerOn(bakyt)
		other.Subject = "citizen-2"
		_, _, err = w.FileOf(t.Context(), other, a.Number, found.Files[0].ID)
		testworld.Refused(t, err, "problem.fine_appeal")
		_, _, err = w.FileOf(t.Context(), w.ownerOn(aigul), a.Number, "nothing")
		testworld.Refused(t, err, "problem.fine_file")
		testworld.OK(t, db.Snapshot(t.Context(), w.look))
	})
}

// TestWhatAnAppealDoesNotTake: other kinds, broken and cut files, bombs, too much, files of others'
// and of decided appeals; nothing of them is kept.
func TestWhatAnAppealDoesNotTake(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.appealed(t)
		files := map[string][]byte{
			"problem.fine_file_kind nothing":    nil,
			"problem.fine_file_kind a script":   []byte("<script>alert(1)</script>"),
			"problem.fine_file_kind a GIF":      []byte("GIF89a\x01\x00\x01\x00"),
			"problem.fine_file_kind a PDF 9":    []byte("%PDF-9.9\n"),
			"problem.fine_file_kind late":       append([]byte(" "), aJPEG(t, 1)...),
			"problem.fine_file_broken no JPEG":  []byte("\xff\xd8\xff\xe0 a photo"),
			"problem.fine_file_broken no PNG":   []byte("\x89PNG\r\n\x1a\n"),
			"problem.fine_file_large one more":  append(aPDF(1), make([]byte, 2<<20)...),
			"problem.fine_file_broken no end":   aJPEG(t, 1)[:400],
			"problem.fine_file_broken no IEND":  aPNG(t, 1)[:90],
			"problem.fine_file_broken a length": []byte("\xff\xd8\xff\xe0\x00\x01"),
		}
		for name, bomb := range bombs(t) {
			files["problem.fine_file_broken "+name] = bomb
		}
		for name, content := range files {
			key, _, _ := strings.Cut(name, " ")
			if _, err := w.AddFile(t.Context(), w.ownerOn(aigul), a.Number, content); problem.From(err).Key != key || err == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, c := range map[string]struct {
			change func(*caller.Caller)
			number string
			key    string
		}{
			"nobody proved":     {func(c *caller.Caller) { c.Subject = "" }, a.Number, "problem.fine_proof"},
			"weakly proved":     {func(c *caller.Caller) { c.Level = caller.LevelWeak }, a.Number, "problem.level_strong"},
			"cut off meanwhile": {func(*caller.Caller) { w.proven = false }, a.Number, "problem.fine_proof"},
			"another's":         {func(c *caller.Caller) { c.Subject = "citizen-2" }, a.Number, "problem.fine_appeal"},
			"no appeal":         {func(*caller.Caller) {}, "58123456784", "problem.fine_appeal"},
		} {
			who := w.ownerOn(aigul)
			c.change(&who)
			if _, err := w.AddFile(t.Context(), who, c.number, aPDF(1)); problem.From(err).Key != c.key {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := w.WithdrawAppeal(t.Context(), w.ownerOn(aigul), a.Number)
		testworld.OK(t, err)
		_, err = w.AddFile(t.Context(), w.ownerOn(aigul), a.Number, aPDF(1))
		testworld.Refused(t, err, "problem.fine_appeal_over")
		if n := w.Number("SELECT COUNT(*) FROM fine_appeal_files") + w.Number("SELECT COUNT(*) FROM fine_appeal_file_contents"); n != 0 {
			t.Errorf("%d rows are kept", n)
		}
	})
}

// TestTheLastFreePlace: of eight different files at once an appeal that has room for one takes one,
// of eight times the same it takes it once; a day has its limit.
func TestTheLastFreePlace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.appealed(t)
		who := w.ownerOn(aigul)
		var added, full atomic.Int32
		at := func(file func(i int) []byte) {
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					switch _, err := w.AddFile(t.Context(), who, a.Number, file(i)); {
					case err == nil:
						added.Add(1)
					case problem.From(err).Key == "problem.fine_files":
						full.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		for n := range 3 {
			_, err := w.AddFile(t.Context(), who, a.Number, aPDF(n))
			testworld.OK(t, err)
		}
		if at(func(int) []byte { return aPDF(50) }); added.Load() != 8 {
			t.Errorf("the same: %d are answered", added.Load())
		}
		added.Store(0)
		if at(func(i int) []byte { return aPDF(100 + i) }); added.Load() != 1 || full.Load() != 7 {
			t.Errorf("%d took the last place, %d were refused", added.Load(), full.Load())
		}
		if n := w.Number("SELECT COUNT(*) FROM fine_appeal_files"); n != 5 || w.records("fine.appeal_file") != 5 || w.Number("SELECT COUNT(*) FROM fine_appeal_file_contents") != 5 {
			t.Errorf("%d files are kept", n)
		}
		var err error
		for range 42 { // 19 before
			_, err = w.AddFile(t.Context(), who, a.Number, nil)
		}
		testworld.Refused(t, err, "problem.fine_files_sent")
	})
}

// TestAFileGoesWithItsAppeal: whoever writes to its row, or takes it away, is named; another content
// is given to nobody; and what is over goes with its content.
func TestAFileGoesWithItsAppeal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.appealed(t)
		var list []storetest.Plant
		for n := range 2 {
			_, err := w.AddFile(t.Context(), w.ownerOn(aigul), a.Number, aPDF(n))
			testworld.OK(t, err)
		}
		for _, set := range []string{"kind = 'png'", "size = size + 1", "same_index = id", "added_at = added_at + 1"} {
			list = append(list, storetest.Plant{Name: set, Statements: []string{"UPDATE fine_appeal_files SET " + set}, Named: []string{"file of an appeal", "otherwise"}})
		}
		list = append(list, storetest.Plant{
			Name: "gone", Statements: []string{"DELETE FROM fine_appeal_file_contents", "DELETE FROM fine_appeal_files"}, Named: []string{"file of an appeal", "is gone"},
		})
		storetest.Planted(t, db, list, w.look)
		found, err := w.AppealOf(t.Context(), w.ownerOn(aigul), a.Number)
		testworld.OK(t, err)
		_, err = db.Writer().ExecContext(t.Context(), "UPDATE fine_appeal_files SET same_index = 'x' WHERE id = $1", found.Files[0].ID)
		testworld.OK(t, err)
		if _, content, err := w.FileOf(t.Context(), w.ownerOn(aigul), a.Number, found.Files[0].ID); err == nil || content != nil {
			t.Error("another content is given")
		}
		_, err = w.WithdrawAppeal(t.Context(), w.ownerOn(aigul), a.Number)
		testworld.OK(t, err)
		w.Pass(4 * 365 * 24 * time.Hour)
		testworld.OK(t, w.ForgetAppeals(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM fine_appeal_files") + w.Number("SELECT COUNT(*) FROM fine_appeal_file_contents"); n != 0 || w.records("fine.appeal_file_erase") != 2 {
			t.Errorf("%d rows are kept for good", n)
		}
	})
}
