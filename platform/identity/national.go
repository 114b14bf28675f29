package identity

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/identity/esi"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The national sign-in (ЕСИ) proves a person strongly by asking them: in a browser, or on any
// other device where the code is typed that a phone shows (decision 31).
const (
	// NationalLasts is how long a browser's sign-in may take; the provider says it of a device's.
	NationalLasts = 10 * time.Minute
	// NationalProves is how long the proof is good on a phone that the state does not call
	// the person's: for what they came for.
	NationalProves = time.Hour
	// nationalLeft is how long a question may be under way before another process takes it up.
	nationalLeft = time.Minute
)

// The states of a national sign-in; all but the first two are its end.
const (
	NationalOpen    = "open"
	nationalAsking  = "asking"
	NationalDone    = "done"
	NationalRefused = "refused"
	NationalDenied  = "denied"
	NationalExpired = "expired"
	NationalCut     = "cut" // the phone was cut off, or forgot who was proved
)

// Purposes and contexts of what is kept of them.
const (
	statePurpose         = "identity.national.state"
	nationalTokenPurpose = "identity.national.token"
	nationalPhoneContext = "identity.national.phone"
	nationalContext      = "identity.national/"
)

// The problems of national sign-ins.
var (
	errNationalAbsent  = problem.New(problem.NotFound, "problem.national_absent")
	errNationalDown    = problem.New(problem.Unavailable, "problem.national_down")
	errNationalOver    = problem.New(problem.Conflict, "problem.national_over")
	errNationalOther   = problem.New(problem.Forbidden, "problem.national_other")
	errNationalRefused = problem.New(problem.Forbidden, "problem.national_refused")
	errNationalDenied  = problem.New(problem.Forbidden, "problem.national_denied")
	errNationalMany    = problem.New(problem.TooMany, "problem.national_many", "n", nationals.N)
)

// nationals bounds what a phone begins: each is a question to the state, and a message.
var nationals = limit.Rule{
	Name: "identity.national", What: "national sign-ins that are begun", Who: "a phone",
	Rate: limit.Rate{N: 5, Per: time.Hour}, Refusal: "problem.national_many", In: limit.InLimiter,
}

// nationalSecret is what is kept, sealed, of a sign-in under way.
type nationalSecret struct {
	Nonce    string `json:"nonce,omitempty"`
	Verifier string `json:"verifier,omitempty"`
	Device   string `json:"device,omitempty"`
	UserCode string `json:"user_code,omitempty"`
	Address  string `json:"address"`
	// Of is what the sign-in decides, as it was begun.
	Of string `json:"of"`
}

// National is a national sign-in of the caller's phone.
type National struct {
	ID    string
	State string // NationalOpen and what follows it
	// Address is where the person signs in; UserCode, of a device, is what they type there.
	// Both are empty when it is over.
	Address, UserCode string
	ExpiresAt         time.Time
	// Why is the problem that refused it; empty: none did.
	Why string
	// Enrolled says that the state knows the phone as the person's.
	Enrolled bool
}

// OfferNational has people sign in by the national sign-in. Call it before anything is served
// or worked; where it is not called there is no such way.
func (s *Service) OfferNational(client *esi.Client, queue *job.Queue) {
	s.national, s.queue = client, queue
	job.Handle(queue, s.askNational)
}

// OffersNational reports that there is a national sign-in.
func (s *Service) OffersNational() bool { return s.national != nil }

// BeginNational begins a sign-in on the caller's phone, which alone it can prove somebody on.
// within is the sign-in over REST, or the session, that it is of. device: the phone has no
// browser, and what is typed elsewhere is sent to it. Problems: errNationalMany, errNationalDown.
func (s *Service) BeginNational(ctx context.Context, c caller.Caller, within string, device bool) (National, error) {
	if s.national == nil {
		return National{}, errNationalAbsent
	}
	if err := ownPhone(c); err != nil {
		return National{}, err
	}
	refused, wait, err := limit.Within(ctx, s.Limiter, limit.Bound{Key: nationals.Name + ":" + s.phoneIndex(c.Phone), Rate: nationals.Rate})
	if err != nil {
		return National{}, fmt.Errorf("count national sign-ins: %w", err)
	}
	if refused != nil {
		return National{}, errNationalMany.Until(c.Now, wait)
	}
	row, err := s.nationalRow(ctx, c, within)
	if err != nil {
		return National{}, err
	}
	begin := s.beginBrowser
	if device {
		begin = s.beginDevice
	}
	secret, err := begin(ctx, &row)
	if errors.Is(err, esi.ErrDown) {
		s.Log.WarnContext(ctx, "the national sign-in cannot be begun", "error", err)
		return National{}, errNationalDown
	}
	if err != nil {
		return National{}, err
	}
	if err := s.keepNational(ctx, c, row, secret); err != nil {
		return National{}, fmt.Errorf("begin a national sign-in: %w", err)
	}
	return National{ID: row.ID, State: NationalOpen, Address: secret.Address, UserCode: secret.UserCode, ExpiresAt: row.ExpiresAt.Time}, nil
}

// nationalRow is what is kept of a sign-in, but for what the provider says.
func (s *Service) nationalRow(ctx context.Context, c caller.Caller, within string) (db.BeginNationalParams, error) {
	id, err := s.newID()
	if err != nil {
		return db.BeginNationalParams{}, err
	}
	row := db.BeginNationalParams{
		ID: id, PhoneIndex: s.phoneIndex(c.Phone), BegunIn: within, Channel: string(c.Channel), Locale: string(c.Locale),
		StateMac: s.Sealer.Index(statePurpose, id), BegunAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(NationalLasts)),
	}
	if row.PhoneSealed, err = s.Sealer.Seal([]byte(c.Phone), nationalPhoneContext); err != nil {
		return row, err
	}
	if row.Generation, err = s.generation(ctx, row.PhoneIndex); err != nil {
		return row, err
	}
	citizen, _, err := s.Proof(ctx, c)
	row.CitizenID = citizen.ID
	return row, err
}

// beginBrowser makes what a browser's sign-in is known by.
func (s *Service) beginBrowser(ctx context.Context, row *db.BeginNationalParams) (nationalSecret, error) {
	var random [3][32]byte
	var texts [len(random)]string
	for i := range random {
		if _, err := io.ReadFull(s.Random, random[i][:]); err != nil {
			return nationalSecret{}, fmt.Errorf("make a sign-in's secrets: %w", err)
		}
		texts[i] = hex.EncodeToString(random[i][:])
	}
	state := texts[0]
	row.StateMac = s.Sealer.Index(statePurpose, state)
	secret := nationalSecret{Nonce: texts[1], Verifier: texts[2]}
	var err error
	secret.Address, err = s.national.Address(ctx, state, secret.Nonce, secret.Verifier)
	return secret, err
}

// beginDevice has the provider make a code for a screen.
func (s *Service) beginDevice(ctx context.Context, row *db.BeginNationalParams) (nationalSecret, error) {
	d, err := s.national.Begin(ctx)
	if err != nil {
		return nationalSecret{}, err
	}
	row.Pause, row.ExpiresAt = int64(d.Interval/time.Second), dbtime.From(d.ExpiresAt)
	return nationalSecret{Device: d.Code, UserCode: d.UserCode, Address: d.Address}, nil
}

// keepNational keeps a sign-in under way, and has a device's asked about.
func (s *Service) keepNational(ctx context.Context, c caller.Caller, row db.BeginNationalParams, secret nationalSecret) error {
	secret.Of = nationalOf(row)
	plain, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	if row.SecretSealed, err = s.Sealer.Seal(plain, nationalContext+row.ID); err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := q.ExpireNational(ctx, db.ExpireNationalParams{ExpiresAt: row.BegunAt, Wiped: []byte{}}); err != nil {
			return err
		}
		if err := q.BeginNational(ctx, row); err != nil {
			return err
		}
		step := s.checked(c, "national", "begun", row.ID, row.PhoneIndex)
		if secret.Device == "" {
			return s.Trail.Leave(ctx, tx, step)
		}
		if !c.ByText() { // the screen is gone when they sit at another device
			step.Messages = []notify.Message{s.nationalMessage(row, c.Phone, "identity.national_code_sms", "address", secret.Address, "user", secret.UserCode)}
		}
		if err := s.Trail.Leave(ctx, tx, step); err != nil {
			return err
		}
		return s.queue.Insert(ctx, tx, nationalArgs{ID: row.ID}, job.Options{At: c.Now.Add(time.Duration(row.Pause) * time.Second), Slow: true})
	})
}

func (s *Service) nationalMessage(row db.BeginNationalParams, phone, key string, args ...any) notify.Message {
	loc := locales.Locale(row.Locale)
	return notify.Message{
		To: phone, Locale: loc, Purpose: notify.Receipt, ExpiresAt: row.ExpiresAt.Add(NationalLasts), Dedup: key + ":" + row.ID,
		Text: gsm.Pick(s.Texts.Message(loc, key, args...)),
	}
}

// NationalOf tells the caller how a sign-in stands that its phone began within the same
// sign-in over REST or session. Another's is absent.
func (s *Service) NationalOf(ctx context.Context, c caller.Caller, within, id string) (National, error) {
	row, err := db.New(s.DB.Reader()).National(ctx, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (row.PhoneIndex != s.phoneIndex(c.Phone) || row.BegunIn != within) {
		return National{}, errNationalAbsent
	}
	if err != nil {
		return National{}, fmt.Errorf("look how a national sign-in stands: %w", err)
	}
	return s.nationalView(row, c.Now)
}

func (s *Service) nationalView(row db.IdentityNationalSignIn, now time.Time) (National, error) {
	n := National{ID: row.ID, State: row.State, ExpiresAt: row.ExpiresAt.Time, Why: row.Why, Enrolled: row.Enrolled}
	switch {
	case row.State != NationalOpen && row.State != nationalAsking:
		return n, nil
	case !now.Before(row.ExpiresAt.Time):
		n.State = NationalExpired
		return n, nil
	}
	n.State = NationalOpen
	secret, err := s.nationalSecret(row)
	n.Address, n.UserCode = secret.Address, secret.UserCode
	return n, err
}

// nationalSecret is what is kept of a sign-in under way.
func (s *Service) nationalSecret(row db.IdentityNationalSignIn) (nationalSecret, error) {
	return openNational(s.Sealer, row)
}

// endNational ends a sign-in that proved nobody. why is the problem; nil: the state says it.
func (s *Service) endNational(ctx context.Context, c caller.Caller, row db.IdentityNationalSignIn, state string, why *problem.Error) error {
	key := ""
	if why != nil {
		key = why.Key
	}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		n, err := db.New(tx).EndNational(ctx, db.EndNationalParams{State: state, Why: key, ID: row.ID, Wiped: []byte{}})
		if err != nil || n == 0 { // it ended otherwise meanwhile
			return err
		}
		step := s.checked(c, "national", state, row.ID, row.PhoneIndex)
		if why != nil { // who did nothing, or hung up, waits for no answer
			step.Messages = s.nationalEnd(row, c.Phone, "identity.national_failed_sms")
		}
		return s.Trail.Leave(ctx, tx, step)
	})
	if err != nil {
		return fmt.Errorf("end a national sign-in: %w", err)
	}
	return nil
}

// nationalEnd is what the phone of a device's sign-in is told of its end.
func (s *Service) nationalEnd(row db.IdentityNationalSignIn, phone, key string) []notify.Message {
	if row.Pause == 0 {
		return nil
	}
	return []notify.Message{s.nationalMessage(db.BeginNationalParams{ID: row.ID, Locale: row.Locale, ExpiresAt: row.ExpiresAt}, phone, key)}
}
