// Package identity knows who a citizen is: it proves a phone by one-time codes,
// binds it to a person of the register for a while, and signs the tokens of the
// REST interface. Phones and personal numbers are kept sealed and looked up by
// blind index; codes are kept as keyed hashes only. All that guards a secret is
// counted in SQL and fails closed.
package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/identity/esi"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/keylock"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/slowhash"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// ServiceName is identification's name in conversations and statistics.
const ServiceName = "identity"

// Purposes of blind indexes and contexts of sealed values.
const (
	phonePurpose   = "identity.phone"
	pinPurpose     = "identity.pin"
	addressPurpose = "identity.address"
	blockPurpose   = "identity.block"
	turnPurpose    = "identity.turn"
	pinContext     = "identity.pin"
	attemptContext = "identity.attempt"
	keyContext     = "identity.key"
	tokenContext   = "identity.token.phone"
	signInContext  = "identity.sign_in.phone"
	deviceContext  = "identity.sign_in.device"
	refreshPurpose = "identity.refresh"
	nextPurpose    = "identity.refresh.next"

	bindingContext  = "identity.binding"
	documentPurpose = "identity.document"
)

// The problems of identification.
var (
	errNoPhone = problem.New(problem.Unauthenticated, "problem.identity_phone_missing")
	errForeign = problem.New(problem.Forbidden, "problem.identity_phone_foreign")
	errCitizen = problem.New(problem.NotFound, "problem.identity_citizen_unknown")
)

// Citizen is a person of the register under a pseudonym.
type Citizen struct {
	ID string
	// Called is what the dialogue calls them to whoever holds the phone: the given name
	// and the surname's initial; empty where the proof is from before it was kept.
	Called string
	// Level is how surely it is them: LevelWeak or LevelStrong.
	Level caller.Level
}

// PersonRegistry asks the register of persons.
type PersonRegistry interface {
	// CheckPerson confirms that the document belongs to the person with the
	// number. If it does not: a problem of code Invalid or NotFound.
	CheckPerson(ctx context.Context, q registry.Call, pin, document string) (registry.Person, error)
}

// Texts are the locale files.
type Texts interface {
	Message(loc locales.Locale, key string, args ...any) (full, short string)
}

// Deps is what a Service stands on; every field but Strong and HeldBack is needed.
type Deps struct {
	DB       *store.DB
	Sealer   *seal.Sealer
	Trail    *trail.Trail
	Limiter  limit.Limiter
	Registry PersonRegistry
	// Strong are the ways to prove a person strongly without asking them; none: there is none.
	Strong []Provider
	Texts  Texts
	Now    func() time.Time
	Random io.Reader // crypto/rand.Reader
	Log    *slog.Logger
	// HeldBack counts a code that was not sent, by why: Held…; nil counts nothing.
	HeldBack func(why string)
}

// Service proves who is asking. It is safe for concurrent use.
type Service struct {
	Deps
	keys      keyring
	validator *jwt.Validator                // of tokens
	profiles  *store.Lookup[dialog.Profile] // by phone index
	ties      []Tie
	alarm     alarm
	proving   keylock.Locks // by phone index
	slow      slowhash.Hasher

	// national is the state's own sign-in; nil: it is not offered.
	national *esi.Client
	queue    *job.Queue // of what is asked there
}

// New makes a Service. At the first start on a database it makes the key that
// signs tokens.
func New(deps Deps) (*Service, error) {
	if err := needs.All("identity", deps, "Strong", "HeldBack"); err != nil {
		return nil, err
	}
	s := &Service{Deps: deps, validator: newValidator(deps.Now), slow: slowhash.New()}
	s.profiles = store.NewLookup(s.findProfiles)
	if err := s.firstKey(context.Background()); err != nil {
		return nil, fmt.Errorf("load the keys of tokens: %w", err)
	}
	return s, nil
}

// PIN gives a citizen's personal number, for calls to registers only: it must
// not be kept, logged or shown.
func (s *Service) PIN(ctx context.Context, citizenID string) (string, error) {
	row, err := db.New(s.DB.Reader()).Citizen(ctx, citizenID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errCitizen
	}
	if err != nil {
		return "", fmt.Errorf("find a citizen: %w", err)
	}
	return numberOf(s.Sealer, row)
}

// errNumber says that somebody changed the row of a citizen.
var errNumber = errors.New("its index is another number's than the sealed one")

// numberOf opens a citizen's personal number, which the row's index must be of: with
// another person's number in either, one would be given what is the other's.
func numberOf(sealer *seal.Sealer, row db.IdentityCitizen) (string, error) {
	pin, err := sealer.Open(row.PinSealed, pinContext)
	if err == nil && sealer.Index(pinPurpose, string(pin)) != row.PinIndex {
		err = errNumber
	}
	if err != nil {
		return "", fmt.Errorf("open the number of the citizen %s: %w", row.ID, err)
	}
	return string(pin), nil
}

// Locale gives the language that a phone's owner chose, "" when none yet.
func (s *Service) Locale(ctx context.Context, phone string) (locales.Locale, error) {
	profile, err := s.Profile(ctx, phone)
	return profile.Locale, err
}

// Profile gives what is known of a phone before it says anything.
func (s *Service) Profile(ctx context.Context, phone string) (dialog.Profile, error) {
	profile, _, err := s.profiles.Get(ctx, s.phoneIndex(phone)) // nothing is known of a phone that was never here
	if err != nil {
		return dialog.Profile{}, fmt.Errorf("look for a phone's profile: %w", err)
	}
	return profile, nil
}

// findProfiles looks phones up together: every conversation begins with it.
func (s *Service) findProfiles(ctx context.Context, indexes []string) (map[string]dialog.Profile, error) {
	keys := make([]any, len(indexes))
	for i, index := range indexes {
		keys[i] = index
	}
	rows, err := s.DB.Reader().QueryContext(ctx,
		"SELECT phone_index, locale, tenure, talk FROM identity_phones WHERE phone_index IN "+store.Values(1, len(keys)), keys...) // #nosec G202 -- $1, $2, …
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // read to the end, or the error tells
	profiles := make(map[string]dialog.Profile, len(indexes))
	for rows.Next() {
		var index string
		var p dialog.Profile
		if err := rows.Scan(&index, &p.Locale, &p.Tenure, &p.Session); err != nil {
			return nil, err
		}
		profiles[index] = p
	}
	return profiles, rows.Err()
}

// SetLocale remembers the language of a phone, and in which session it was chosen, as
// caller.Caller names it; empty where that was in none.
func (s *Service) SetLocale(ctx context.Context, phone string, loc locales.Locale, session string) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).SetLocale(ctx, db.SetLocaleParams{
			PhoneIndex: s.phoneIndex(phone), Locale: string(loc), ChangedAt: dbtime.From(s.Now()), Talk: session,
		})
	})
	if err != nil {
		return fmt.Errorf("remember a phone's language: %w", err)
	}
	return nil
}

// ownPhone refuses callers whose phone is not known or not of this country,
// which never gets a code: sending them abroad is what code pumping lives on.
func ownPhone(c caller.Caller) error {
	if c.Phone == "" {
		return errNoPhone
	}
	if e164, ok := caller.ParsePhone(c.Phone); !ok || e164 != c.Phone || !strings.HasPrefix(e164, "+996") {
		return errForeign
	}
	return nil
}

func (s *Service) phoneIndex(phone string) string { return s.Sealer.Index(phonePurpose, phone) }

// lockPhone makes the transactions of one phone wait for each other, so that
// what they count stays true until they commit.
func (s *Service) lockPhone(ctx context.Context, q *db.Queries, index string, now time.Time) error {
	at := dbtime.From(now)
	if err := q.TouchPhone(ctx, db.TouchPhoneParams{PhoneIndex: index, ChangedAt: at}); err != nil {
		return fmt.Errorf("note a phone: %w", err)
	}
	if err := q.LockPhone(ctx, db.LockPhoneParams{ChangedAt: at, PhoneIndex: index}); err != nil {
		return fmt.Errorf("lock a phone: %w", err)
	}
	return nil
}

// newID makes a row's id: a UUID version 7, so that rows lie in order of time.
func (s *Service) newID() (string, error) {
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id.String(), nil
}
