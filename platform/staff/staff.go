// Package staff knows who serves: accounts with a role, a password and one-time codes of an
// app, short sessions, and what each may do. Passwords are kept as argon2id, the secrets of
// the codes sealed, tokens of sessions as keyed hashes. What guards them is counted in SQL
// and fails closed.
package staff

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/slowhash"
	"github.com/eshik-kg/eshik/platform/staff/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Role says what an account is for.
type Role string

// The roles.
const (
	Operator      Role = "operator"      // works for the whole service
	Clerk         Role = "clerk"         // works for one office
	Inspector     Role = "inspector"     // looks on, and decides what others propose
	Administrator Role = "administrator" // keeps accounts and keys
)

// Roles are all of them, in the order of the table of operations.
func Roles() []Role { return []Role{Operator, Clerk, Inspector, Administrator} }

// Officer is somebody who is signed in.
type Officer struct {
	ID     string // of the account
	Login  string
	Person string // personnel number: accounts of one person are one approver
	Role   Role
	Office string // of a clerk: "centre/bishkek", "kindergarten/K001"
	Owes   bool   // has still to change what whoever made the account has seen
}

// Actor is the officer's name in the audit log.
func (o Officer) Actor() string { return "staff:" + o.Login }

// Purposes of keyed hashes and contexts of sealed values.
const (
	accountPurpose = "staff.account"
	sessionPurpose = "staff.session"
	loginPurpose   = "staff.login"
	originPurpose  = "staff.origin"
	totpContext    = "staff.totp:" // and the account's id: a secret is good in its own row only
)

var (
	// ErrTampered says that somebody changed the row of an account: it is not used.
	ErrTampered = errors.New("the account's row is not what was written")

	login  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$`)
	person = regexp.MustCompile(`^[A-Za-z0-9-]{1,13}$`) // shorter than a citizen's personal number
	office = regexp.MustCompile(`^(centre|kindergarten)/[A-Za-z0-9-]{1,40}$`)
)

// Deps is what a Service stands on; every field is needed.
type Deps struct {
	DB     *store.DB
	Sealer *seal.Sealer
	Trail  *trail.Trail
	Now    func() time.Time
	Random io.Reader // crypto/rand.Reader
	// Invented reports that an account was made for trials and is not taken here: that of a
	// sandbox, in production.
	Invented func(Officer) bool
}

// Service keeps accounts. It is safe for concurrent use.
type Service struct {
	Deps
	passwords slowhash.Hasher
}

// New makes a Service.
func New(deps Deps) (*Service, error) {
	if err := needs.All("staff", deps); err != nil {
		return nil, err
	}
	return &Service{Deps: deps, passwords: slowhash.New()}, nil
}

// mac is over all of an account that decides what it may do. What its holder owes is at the
// end where there is something, so that the rows of versions before are genuine.
func (s *Service) mac(a db.StaffAccount) (string, error) {
	disabled := int64(0)
	if !a.DisabledAt.IsZero() {
		disabled = a.DisabledAt.UnixMicro()
	}
	totp, err := s.Sealer.First(a.TotpSealed) // it stays the same when it is sealed anew
	if err != nil {
		return "", fmt.Errorf("account %s: %w", a.Login, ErrTampered)
	}
	fields := []any{a.ID, a.Login, a.Person, a.Role, a.Office, a.PasswordHash, totp, a.Founder.Int64, a.MadeAt.UnixMicro(), disabled}
	if a.Owes != "" {
		fields = append(fields, a.Owes)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("write an account: %w", err)
	}
	return s.Sealer.Index(accountPurpose, string(text)), nil
}

// genuine refuses a row that was changed by who lacks the master key.
func (s *Service) genuine(a db.StaffAccount) error {
	mac, err := s.mac(a)
	if err == nil && mac != a.Mac {
		err = fmt.Errorf("account %s: %w", a.Login, ErrTampered)
	}
	return err
}

func officerOf(a db.StaffAccount) Officer {
	return Officer{ID: a.ID, Login: a.Login, Person: a.Person, Role: Role(a.Role), Office: a.Office, Owes: a.Owes != ""}
}
