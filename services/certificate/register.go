package certificate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Register is the register of residents, Sanarip Aimak, which knows where
// people live and with whom.
type Register interface {
	// Residence gives who the personal number belongs to and where they live.
	// A number that the register does not know is not ok.
	Residence(ctx context.Context, q Question) (r Residence, ok bool, err error)
	// Family lists the members of the family of the personal number, its owner
	// among them or not. A person the register knows no family of is ok with none.
	Family(ctx context.Context, q Question) (members []Member, ok bool, err error)
	// Children lists the children, of whatever age, of the personal number.
	Children(ctx context.Context, q Question) ([]Minor, error)
	// Barred reports that the owner of the personal number has died, and that it is
	// blocked: that is the register of civil status's to know.
	Barred(ctx context.Context, q Question) (died, blocked bool, err error)
}

// Question is about whom a register is asked, and for whom.
type Question struct {
	// PIN is the personal number of whom it is about, By of who asks: the same, or a parent.
	PIN, By string
	// Issue is our application's id, which the register keeps as the reason of the call.
	Issue string
}

// Minor is a child as the register names them to a parent.
type Minor struct {
	PIN           string
	Surname, Name string
	Born          time.Time // in UTC the midnight of the day
}

// Person is a person as a certificate names them. But for the one that certifies it, a
// certificate never carries a personal number: it goes from hand to hand.
type Person struct {
	Name string `json:"name" cbor:"1,keyasint"` // surname, name, patronymic
	Born string `json:"born" cbor:"2,keyasint"` // YYYY-MM-DD
}

// Residence is where a person lives.
type Residence struct {
	Person
	Address string
}

// Member is one person of a family.
type Member struct {
	Person
	// Relation is what the member is to the holder, as the register writes it.
	Relation string `json:"relation" cbor:"3,keyasint,omitempty"`
}

// Record is what a certificate says: the part that is signed.
type Record struct {
	Kind    Kind     `json:"kind" cbor:"1,keyasint"`
	Holder  Person   `json:"holder" cbor:"2,keyasint"`
	Address string   `json:"address" cbor:"3,keyasint,omitempty"`
	Members []Member `json:"members,omitempty" cbor:"4,keyasint,omitempty"`
	// Count and Digest stand in a signed record for Members or Rows that no QR code a phone
	// reads from paper could hold: how many they are, and SHA-256 of their CBOR.
	Count  int    `json:"-" cbor:"5,keyasint,omitempty"`
	Digest []byte `json:"-" cbor:"6,keyasint,omitempty"`
	// Places is the edition of the list of places by which the Russian column names
	// regions and districts; 0: it has them as the register does.
	Places int `json:"places,omitempty" cbor:"7,keyasint,omitempty"`
	// Facts and Rows are the values of the fields that the kind has in the catalogue, in their
	// order, Rows once for each thing; an empty value is one that the register does not have.
	Facts []string   `json:"facts,omitempty" cbor:"8,keyasint,omitempty"`
	Rows  [][]string `json:"rows,omitempty" cbor:"9,keyasint,omitempty"`
}

// long reports that the record has a list, which may be too long for a QR code.
func (r Record) long() bool { return len(r.Members)+len(r.Rows) > 0 }

// brief is the record with the digest of its list in the list's place.
func (r Record) brief() (Record, error) {
	digest, err := r.digest()
	r.Count, r.Digest, r.Members, r.Rows = len(r.Members)+len(r.Rows), digest, nil, nil
	return r, err
}

// whole puts the list of the record that is kept here into a brief one, if it is the list that was
// signed.
func (r Record) whole(kept Record) (Record, error) {
	if r.Digest == nil {
		return r, nil
	}
	digest, err := kept.digest()
	if err != nil {
		return r, err
	}
	if len(kept.Members)+len(kept.Rows) != r.Count || !bytes.Equal(digest, r.Digest) {
		return r, errors.New("the list that is kept is not the one that was signed")
	}
	r.Members, r.Rows, r.Count, r.Digest = kept.Members, kept.Rows, 0, nil
	return r, nil
}

// digest is SHA-256 of the CBOR of the record's list: a kind has members or rows.
func (r Record) digest() ([]byte, error) {
	var list any = r.Members
	if len(r.Rows) > 0 {
		list = r.Rows
	}
	content, err := cbor.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode a record's list: %w", err)
	}
	sum := sha256.Sum256(content)
	return sum[:], nil
}

// Initials are the first letters of the holder's names: "А. Б. В.".
func (r Record) Initials() string {
	var out []string
	for _, word := range strings.Fields(r.Holder.Name) {
		first, _ := utf8.DecodeRuneInString(word)
		if unicode.IsLetter(first) {
			out = append(out, string(unicode.ToUpper(first))+".")
		}
	}
	return strings.Join(out, " ")
}

// BirthYear is the holder's year of birth, or "" when the register gave none.
func (r Record) BirthYear() string {
	if len(r.Holder.Born) < 4 {
		return ""
	}
	return r.Holder.Born[:4]
}
