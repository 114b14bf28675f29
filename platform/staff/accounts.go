package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// The refusals of what is done with accounts.
var (
	ErrLogin     = problem.New(problem.Invalid, "problem.staff_login")
	ErrPerson    = problem.New(problem.Invalid, "problem.staff_person")
	ErrRole      = problem.New(problem.Invalid, "problem.staff_roles")
	ErrOffice    = problem.New(problem.Invalid, "problem.staff_office")
	ErrTaken     = problem.New(problem.Conflict, "problem.staff_taken")
	ErrNotFirst  = problem.New(problem.Conflict, "problem.staff_not_first")
	ErrNotAdmin  = problem.New(problem.Invalid, "problem.staff_not_admin")
	ErrNoAccount = problem.New(problem.NotFound, "problem.staff_no_account")
	ErrOwn       = problem.New(problem.Forbidden, "problem.staff_own_account")
	ErrLast      = problem.New(problem.Conflict, "problem.staff_last_decider")

	errChanged = problem.New(problem.Conflict, "problem.staff_changed")
)

// Profile is what an account is made with.
type Profile struct {
	Login  string
	Person string // personnel number
	Role   Role
	Office string // of a clerk
}

func (p Profile) check() error {
	switch {
	case !login.MatchString(p.Login):
		return ErrLogin
	case !person.MatchString(p.Person):
		return ErrPerson
	case p.Role != Operator && p.Role != Clerk && p.Role != Inspector && p.Role != Administrator:
		return ErrRole
	case (p.Role == Clerk) != (p.Office != ""), p.Office != "" && !office.MatchString(p.Office):
		return ErrOffice
	}
	return nil
}

// zeros are those before a number, which nobody reads.
var zeros = regexp.MustCompile(`(^|[A-Z])0+([0-9])`)

// SamePerson reports that two personnel numbers are one as a person reads them: s-3 is S-03.
// Two people who are taken for one cannot decide for each other; the reverse would have one
// person decide alone.
func SamePerson(a, b string) bool { return asRead(a) == asRead(b) }

func asRead(number string) string {
	return zeros.ReplaceAllString(strings.ToUpper(strings.ReplaceAll(number, "-", "")), "$1$2")
}

// Credentials are what an account signs in with. They are kept nowhere as they are: show
// them once.
type Credentials struct {
	Password string // empty: who proposed the account was shown it
	Secret   string // of the codes, as an app takes it when it is typed
	URI      string // of the codes, as an app scans it
	hash     string // of the password, where that is empty
}

// NewCredentials draws what an account may sign in with.
func (s *Service) NewCredentials(name string) (c Credentials, err error) {
	if c.Password, err = newPassword(s.Random); err != nil {
		return c, err
	}
	if c.Secret, err = newTOTP(s.Random); err != nil {
		return c, err
	}
	c.URI = totpURI(name, c.Secret)
	return c, nil
}

// FirstPassword draws the half of an account's credentials that its proposer is shown, and what is
// kept of it for the Act. Who approves is shown the other half: neither of the two can sign in as
// the account's holder, and so be both persons of what it proposes.
func (s *Service) FirstPassword(ctx context.Context) (password, kept string, err error) {
	if password, err = newPassword(s.Random); err != nil {
		return "", "", err
	}
	kept, err = s.passwords.Hash(ctx, password)
	return password, kept, err
}

// drawn are the credentials of an act: the password is the one that was drawn when it was proposed.
func (s *Service) drawn(act Act, name string) (Credentials, error) {
	c, err := s.NewCredentials(name)
	if act.Kept != "" {
		c.Password, c.hash = "", act.Kept
	}
	return c, err
}

// AddFirst makes the first account, an administrator's, while there is none.
func (s *Service) AddFirst(ctx context.Context, p Profile) (Credentials, error) {
	if p.Role != Administrator {
		return Credentials{}, ErrNotAdmin
	}
	return s.add(ctx, p, Act{Actor: "setup"}, func(_ context.Context, tx *store.Tx, row *db.StaffAccount) error {
		empty, err := s.empty(ctx, db.New(tx))
		if err == nil && !empty {
			err = ErrNotFirst
		}
		row.Founder = sql.NullInt64{Int64: 1, Valid: true} // of two at once, one is
		return err
	})
}

// Ensure makes an account with known credentials, where there is none of its name: the
// sandbox's.
func (s *Service) Ensure(ctx context.Context, p Profile, c Credentials) error {
	_, err := db.New(s.DB.Reader()).AccountByLogin(ctx, p.Login)
	if err == nil {
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for an account: %w", err)
	}
	if err := p.check(); err != nil {
		return err
	}
	err = s.insert(ctx, p, c, func(_ context.Context, _ *store.Tx, row *db.StaffAccount) error {
		row.Owes = "" // what it signs in with is in a file
		return nil
	}, "sandbox")
	if errors.Is(err, ErrTaken) { // made meanwhile by another process
		return nil
	}
	return err
}

// Add makes an account.
func (s *Service) Add(ctx context.Context, act Act, p Profile) (Credentials, error) {
	return s.add(ctx, p, act, func(ctx context.Context, tx *store.Tx, _ *db.StaffAccount) error { return act.Record(ctx, tx) })
}

// CanAdd says why an account cannot be made with a profile; nil: it can.
func (s *Service) CanAdd(ctx context.Context, p Profile) error {
	if err := p.check(); err != nil {
		return err
	}
	_, err := account(ctx, db.New(s.DB.Reader()), p.Login)
	if errors.Is(err, ErrNoAccount) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for an account: %w", err)
	}
	return ErrTaken
}

// AccountFacts says what changing an account rests on: how it is now.
func (s *Service) AccountFacts(ctx context.Context, name string) (string, error) {
	row, err := account(ctx, db.New(s.DB.Reader()), name)
	if err == nil {
		err = s.genuine(row)
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s, personnel number %s, state %s", row.Role, row.Office, row.Person, row.Mac[:16]), nil
}

// Empty reports that there is no account yet.
func (s *Service) Empty(ctx context.Context) (bool, error) {
	return s.empty(ctx, db.New(s.DB.Reader()))
}

// empty passes over accounts that were made for trials: here they are nobody's.
func (s *Service) empty(ctx context.Context, q *db.Queries) (bool, error) {
	rows, err := q.Accounts(ctx)
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return !slices.ContainsFunc(rows, func(row db.StaffAccount) bool { return !s.Invented(officerOf(row)) }), nil
}

// Disable ends an account and its sessions, at once. Reset brings it back. The last one that
// decides on accounts stays: else nobody could make another.
func (s *Service) Disable(ctx context.Context, act Act, name string) error {
	if act.Actor == (Officer{Login: name}).Actor() {
		return ErrOwn
	}
	record := act.Record
	act.record = func(ctx context.Context, tx *store.Tx) error {
		if err := s.mayDisable(ctx, db.New(tx), act.Actor, name); err != nil {
			return err
		}
		return record(ctx, tx)
	}
	return s.change(ctx, act, name, revision{action: "account.disabled", next: func(row *db.StaffAccount) error {
		row.DisabledAt = dbtime.From(s.Now())
		return nil
	}})
}

// mayDisable refuses where the actor was disabled meanwhile, and where no account were left to decide on
// accounts but the actor's own person's, and such as nobody ever signed in with to change what others
// saw. All changes of accounts wait: of two that are disabled at once, or disable each other, one stays.
func (s *Service) mayDisable(ctx context.Context, q *db.Queries, actor, name string) error {
	if err := q.HoldAccounts(ctx); err != nil {
		return fmt.Errorf("hold the accounts: %w", err)
	}
	rows, err := q.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("look who decides on accounts: %w", err)
	}
	who, decides := "", false
	for _, row := range rows {
		switch o := officerOf(row); {
		case o.Actor() == actor && !row.DisabledAt.IsZero():
			return errChanged
		case o.Actor() == actor:
			who = row.Person
		case o.Login == name:
			decides = decidesAccounts(o)
		}
	}
	if decides && !slices.ContainsFunc(rows, func(row db.StaffAccount) bool {
		o := officerOf(row)
		return o.Login != name && row.DisabledAt.IsZero() && row.Owes == "" && s.decider(o) && !SamePerson(o.Person, who)
	}) {
		return ErrLast
	}
	return nil
}

// decider reports that an account decides on accounts here.
func (s *Service) decider(o Officer) bool { return decidesAccounts(o) && !s.Invented(o) }

func decidesAccounts(o Officer) bool {
	right, _ := May(o, "add", nil) // whose role may nothing decides nothing
	return right.Decides()
}

// Alone reports that an officer makes accounts while no other person ever could decide on them: so
// begins a new house. A decider who is disabled counts, as who makes accounts also disables.
func (s *Service) Alone(ctx context.Context, o Officer) (bool, error) {
	list, err := s.Accounts(ctx)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(list, func(other Account) bool { return s.decider(other.Officer) && !SamePerson(other.Person, o.Person) }), nil
}

// Reset gives an account other credentials and ends its sessions, as the holder lost
// theirs; a disabled account may be used again. Whoever resets it sees them, so that its
// holder has to change both first.
func (s *Service) Reset(ctx context.Context, act Act, name string) (Credentials, error) {
	c, err := s.drawn(act, name)
	if err != nil {
		return c, err
	}
	return c, s.change(ctx, act, name, revision{action: "account.reset", code: new(int64), next: func(row *db.StaffAccount) error {
		row.DisabledAt, row.Owes = dbtime.Time{}, owesBoth
		return s.equip(ctx, row, c)
	}})
}

// before runs in the transaction of a change, ahead of it.
type before func(ctx context.Context, tx *store.Tx, row *db.StaffAccount) error

func (s *Service) add(ctx context.Context, p Profile, act Act, first before) (Credentials, error) {
	if err := p.check(); err != nil {
		return Credentials{}, err
	}
	c, err := s.drawn(act, p.Login)
	if err != nil {
		return Credentials{}, err
	}
	return c, s.insert(ctx, p, c, first, act.Actor)
}

func (s *Service) insert(ctx context.Context, p Profile, c Credentials, first before, actor string) error {
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	row := db.StaffAccount{
		ID: id.String(), Login: p.Login, Person: p.Person, Role: string(p.Role), Office: p.Office, MadeAt: dbtime.From(s.Now()), Owes: owesBoth,
	}
	if err := s.equip(ctx, &row, c); err != nil {
		return err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := first(ctx, tx, &row); err != nil {
			return err
		}
		if row.Mac, err = s.mac(row); err != nil {
			return err
		}
		n, err := db.New(tx).AddAccount(ctx, db.AddAccountParams{
			ID: row.ID, Login: row.Login, Person: row.Person, Role: row.Role, Office: row.Office, PasswordHash: row.PasswordHash,
			TotpSealed: row.TotpSealed, Founder: row.Founder, MadeAt: row.MadeAt, Owes: row.Owes, Mac: row.Mac,
		})
		if err != nil {
			return err
		}
		if n == 0 && row.Founder.Valid {
			return ErrNotFirst
		} else if n == 0 {
			return ErrTaken
		}
		return s.leaveAccount(ctx, tx, actor, "account.made", nil, row, p.Login+" "+string(p.Role)+" "+p.Office)
	})
	if err != nil {
		return fmt.Errorf("make an account: %w", err)
	}
	return nil
}

// equip writes credentials into a row, as they are kept.
func (s *Service) equip(ctx context.Context, row *db.StaffAccount, c Credentials) (err error) {
	if row.PasswordHash = c.hash; row.PasswordHash == "" {
		if row.PasswordHash, err = s.passwords.Hash(ctx, c.Password); err != nil {
			return err
		}
	}
	row.TotpSealed, err = s.Sealer.Seal([]byte(c.Secret), totpContext+row.ID)
	return err
}

// Account is one as a list shows it.
type Account struct {
	Officer
	MadeAt     time.Time
	DisabledAt time.Time // zero: it is not
	Invented   bool      // made for trials, and not taken here
}

// Accounts lists them by name.
func (s *Service) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := db.New(s.DB.Reader()).Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	list := make([]Account, len(rows))
	for i, a := range rows {
		if err := s.genuine(a); err != nil {
			return nil, err
		}
		list[i] = Account{Officer: officerOf(a), MadeAt: a.MadeAt.Time, DisabledAt: a.DisabledAt.Time, Invented: s.Invented(officerOf(a))}
	}
	return list, nil
}

// account reads one by its name.
func account(ctx context.Context, q *db.Queries, name string) (db.StaffAccount, error) {
	row, err := q.AccountByLogin(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoAccount
	}
	return row, err
}

// revision is a change of an account.
type revision struct {
	action string
	of     string                       // the MAC of the row that it is made of; empty: of the row as it is
	next   func(*db.StaffAccount) error // makes the row what it will be
	code   *int64                       // of another secret: the period of the last code that was taken
	then   func(context.Context, *store.Tx, db.StaffAccount) error
}

// change replaces a row by what a revision makes of it, ends its sessions and writes that
// down; then follows in the same transaction what the revision has beside.
func (s *Service) change(ctx context.Context, act Act, name string, r revision) error {
	row, err := account(ctx, db.New(s.DB.Reader()), name)
	if err == nil {
		err = s.genuine(row)
	}
	if err != nil {
		return err
	}
	was := row.Mac
	if r.of != "" && r.of != was {
		return errChanged
	}
	if err := r.next(&row); err != nil { // hashes a password, which no transaction waits for
		return err
	}
	if row.Mac, err = s.mac(row); err != nil {
		return err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if err := replace(ctx, db.New(tx), row, was, r.code); err != nil {
			return err
		}
		if err := s.leaveAccount(ctx, tx, act.Actor, r.action, accountOf(was), row, name); err != nil || r.then == nil {
			return err
		}
		return r.then(ctx, tx, row)
	})
	if err != nil {
		return fmt.Errorf("change an account: %w", err)
	}
	return nil
}

// replace writes a row in place of the one that had the MAC was, and ends its sessions.
func replace(ctx context.Context, q *db.Queries, row db.StaffAccount, was string, code *int64) error {
	n, err := q.ChangeAccount(ctx, db.ChangeAccountParams{
		PasswordHash: row.PasswordHash, TotpSealed: row.TotpSealed, DisabledAt: row.DisabledAt, Owes: row.Owes, Mac: row.Mac, ID: row.ID, Was: was,
	})
	if err == nil && n == 0 {
		err = errChanged
	}
	if err != nil {
		return err
	}
	if code != nil {
		if err := q.RestartTOTP(ctx, db.RestartTOTPParams{TotpStep: *code, ID: row.ID}); err != nil {
			return err
		}
	}
	return q.EndSessionsOf(ctx, row.ID)
}

func (s *Service) leave(ctx context.Context, tx *store.Tx, actor, action, object, purpose string) error {
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: s.Now(), Actor: actor, Action: "staff." + action, Object: object, Purpose: purpose,
	}})
}

// leaveAccount is leave for what changes an account: the record says how it was, of a new one
// nil, and how it is since.
func (s *Service) leaveAccount(ctx context.Context, tx *store.Tx, actor, action string, was []*audit.Group, row db.StaffAccount, purpose string) error {
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: s.Now(), Actor: actor, Action: "staff." + action, Object: row.ID, Purpose: purpose, Decided: accountOf(row.Mac), Was: was,
	}})
}
