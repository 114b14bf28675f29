package paper

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Signature signs a document as PAdES does (ETSI EN 319 142-1): over the whole file but the signature itself.
type Signature struct {
	Name string    // who signs, as its certificate says
	At   time.Time // when, as the signer claims, to the second
	Room int       // how many bytes CMS makes at most
	// CMS gives the signature of a document's SHA-256, as CMS (RFC 5652) in DER.
	CMS func(digest []byte) ([]byte, error)

	object int // what holds it
}

// What stands in the file until it is known: the pieces that are signed, and the signature.
const rangeRoom = "/ByteRange [0 0000000000 0000000000 0000000000]"

// field adds the field of the signature, which shows nothing, on a page.
func (s *Signature) field(f *file, page int) int {
	s.object = f.add(fmt.Sprintf("<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /Name %s /M (%s) %s /Contents <%s>>>",
		unicodeText(s.Name), s.At.UTC().Format("D:20060102150405Z"), rangeRoom, strings.Repeat("00", s.Room)))
	nothing := f.stream("/Type /XObject /Subtype /Form /BBox [0 0 0 0] /Resources <<>>", nil)
	return f.add(fmt.Sprintf("<</Type /Annot /Subtype /Widget /FT /Sig /T (%s) /Rect [0 0 0 0] /F 132 /P %d 0 R /AP <</N %d 0 R>> /V %d 0 R>>", producer, page, nothing, s.object))
}

// errRoom says that a signature is larger than it was said to be.
var errRoom = errors.New("the signature does not fit into the room for it")

// seal writes the file with its signature.
func (s *Signature) seal(f *file) ([]byte, error) {
	offsets := map[int]int{}
	out := f.bytes(offsets)
	object := out[offsets[s.object]:]
	at := bytes.Index(object, []byte("/ByteRange ["))
	from := offsets[s.object] + bytes.Index(object, []byte("/Contents <")) + len("/Contents ")
	to := from + 2*s.Room + 2
	copy(out[offsets[s.object]+at:], fmt.Sprintf("/ByteRange [0 %010d %010d %010d]", from, to, len(out)-to))
	hash := sha256.New()
	hash.Write(out[:from])
	hash.Write(out[to:])
	cms, err := s.CMS(hash.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("sign the document: %w", err)
	}
	if len(cms) > s.Room {
		return nil, errRoom
	}
	hex.Encode(out[from+1:], cms)
	return out, nil
}
