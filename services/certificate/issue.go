package certificate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// intent is what is stored, sealed, before anything is signed: enough to finish
// the certificate after a crash and to tell its owner.
type intent struct {
	Record Record `json:"record"`
	// Caller is who asked: the message and the statistics need phone, language
	// and channel.
	Caller keptCaller `json:"caller"`
}

// keptCaller is a caller.Caller under the names that stored intents have: whoever renames
// one of its fields is stopped by the compiler, not by an intent that cannot be read.
type keptCaller struct {
	Phone    string         `json:"Phone"`
	Subject  string         `json:"Subject"`
	Level    caller.Level   `json:"Level,omitzero"` // of a later version than the first intents
	Channel  caller.Channel `json:"Channel"`
	Gateway  string         `json:"Gateway"`
	Operator string         `json:"Operator"`
	Locale   locales.Locale `json:"Locale"`
	Address  string         `json:"Address"`
	Now      time.Time      `json:"Now"`
	Session  string         `json:"Talk"`
	Key      string         `json:"Turn"`
}

// finishArgs asks for the intent of a certificate to be finished if it is not.
type finishArgs struct {
	ID string `json:"id"`
}

// Kind implements job.Args.
func (finishArgs) Kind() string { return "certificate.finish" }

// finishAfter is how long the request itself has to finish its certificate
// before the background does.
const finishAfter = 30 * time.Second

// orderedFor is how long an order in a conversation is the one before: who dials again
// because the answer got lost wants that certificate, not another one.
const orderedFor = 10 * time.Minute

// Request issues a certificate to the citizen c.Subject with what the register
// says now, and texts its number to c.Phone. The same turn gives the same
// certificate, and so does another conversation soon after. What it shows is signed after
// the intent is stored: a process that dies in between leaves an intent, which the
// job queue finishes.
func (s *Service) Request(ctx context.Context, c caller.Caller, kind Kind) (Certificate, error) {
	if c.Subject == "" {
		return Certificate{}, problem.New(problem.Unproven, "problem.certificate_identify")
	}
	if err := Assurance.Admit(c, "request"); err != nil {
		return Certificate{}, err
	}
	if !kind.Known() {
		return Certificate{}, problem.New(problem.Invalid, "problem.certificate_kind")
	}
	if c.Key == "" { // all such requests would be one
		return Certificate{}, errors.New("request a certificate: the caller has no turn")
	}
	key := s.Sealer.Index("certificate.request", c.Subject+"\x00"+c.Key)
	row, err := db.New(s.DB.Reader()).ByRequestKey(ctx, key)
	if errors.Is(err, sql.ErrNoRows) && (c.Channel == caller.USSD || c.Channel == caller.SMS) {
		row, err = db.New(s.DB.Reader()).Ordered(ctx, db.OrderedParams{
			CitizenID: c.Subject, Kind: string(kind), RequestedAt: dbtime.From(c.Now.Add(-orderedFor)),
		})
	}
	if errors.Is(err, sql.ErrNoRows) {
		row, err = s.intend(ctx, c, kind, key)
	}
	if err != nil {
		return Certificate{}, fmt.Errorf("request a certificate: %w", err)
	}
	if Kind(row.Kind) != kind {
		return Certificate{}, problem.New(problem.Mismatch, "problem.certificate_repeated")
	}
	before := row.RequestKey != key // it was ordered in another turn
	if State(row.State) == Requested {
		if row, err = s.finish(ctx, row, c.Now, c.ByText() && !before); err != nil {
			return Certificate{}, fmt.Errorf("issue a certificate: %w", err)
		}
	}
	if before {
		if err := s.textElsewhere(ctx, row, c); err != nil {
			return Certificate{}, err
		}
	}
	return certificateOf(row), nil
}

// textElsewhere texts the number of a certificate that is given back also to the phone
// that asks now, unless it is the one that ordered it: that one has it.
func (s *Service) textElsewhere(ctx context.Context, row db.Certificate, c caller.Caller) error {
	in, err := s.openIntent(row)
	if err != nil || c.ByText() || in.Caller.Phone == c.Phone {
		return err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		return s.Trail.Leave(ctx, tx, trail.Step{Messages: []notify.Message{s.text(row, c)}})
	})
	if err != nil {
		return fmt.Errorf("send the number: %w", err)
	}
	return nil
}

// text tells the caller's phone a certificate's number; it is sent once to each phone.
func (s *Service) text(row db.Certificate, c caller.Caller) notify.Message {
	title := s.Texts.Text(c.Locale, Kind(row.Kind).TitleKey())
	return notify.Message{
		To: c.Phone, Locale: c.Locale, Purpose: notify.Receipt, Turn: c.Key, About: row.CitizenID,
		Dedup: "certificate:" + row.ID + ":" + s.Sealer.Index("certificate.text", c.Phone),
		Text:  gsm.Pick(s.Texts.Message(c.Locale, "certificate.sms", "title", title, "certificate", ShowNumber(row.Number))),
	}
}

// intend asks the register and stores what is to be signed, unless the same turn did.
func (s *Service) intend(ctx context.Context, c caller.Caller, kind Kind, key string) (db.Certificate, error) {
	held, err := s.orders.Lock(ctx, c.Subject)
	if err != nil {
		return db.Certificate{}, fmt.Errorf("wait for an earlier order: %w", err)
	}
	defer held.Unlock()
	if row, err := db.New(s.DB.Reader()).ByRequestKey(ctx, key); !errors.Is(err, sql.ErrNoRows) {
		return row, err
	}
	if err := s.mayOrder(ctx, c); err != nil {
		return db.Certificate{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return db.Certificate{}, fmt.Errorf("make a certificate's id: %w", err)
	}
	pin, err := s.Identity.PIN(ctx, c.Subject)
	if err != nil {
		return db.Certificate{}, err
	}
	record, known, err := s.ask(ctx, kind, pin, id.String())
	if err != nil {
		return db.Certificate{}, s.failed(ctx, c, fmt.Errorf("ask the register of residents: %w", err))
	}
	if !known {
		return db.Certificate{}, s.failed(ctx, c, problem.New(problem.NotFound, "problem.certificate_unknown_person"))
	}
	sealed, err := s.sealIntent(id.String(), intent{Record: record, Caller: keptCaller(c)})
	if err != nil {
		return db.Certificate{}, err
	}
	add := db.AddIntentParams{
		ID: id.String(), RequestKey: key, CitizenID: c.Subject, Kind: string(kind),
		IntentSealed: sealed, RequestedAt: dbtime.From(c.Now),
	}
	if err := s.storeIntent(ctx, c, add); err != nil {
		return db.Certificate{}, err
	}
	// The row is ours, or that of the same turn in another process.
	return db.New(s.DB.Reader()).ByRequestKey(ctx, key)
}

// storeIntent writes the intent under a number that nobody has, unless the same
// turn wrote one meanwhile.
func (s *Service) storeIntent(ctx context.Context, c caller.Caller, add db.AddIntentParams) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		held, err := s.Identity.HoldProof(ctx, tx, c)
		if err != nil {
			return err
		}
		if !held { // cut off while the register was asked
			return problem.New(problem.Unproven, "problem.certificate_identify")
		}
		if add.Number, err = newNumber(s.Random); err != nil {
			return err
		}
		added, err := db.New(tx).AddIntent(ctx, add)
		if err != nil {
			return fmt.Errorf("store the intent: %w", err)
		}
		if added == 0 {
			// A taken number is as likely as one in 10^14: the caller then finds no
			// row of its turn, and the citizen is asked to try again.
			return nil
		}
		if err := s.within(ctx, c, "problem.certificate_many", s.orderBounds(c)...); err != nil {
			return err
		}
		err = s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: c.Now, Actor: c.Subject, Action: "certificate.request." + add.Kind, Object: add.ID,
			Subject: c.Subject, Purpose: "the citizen asked for the certificate",
			Decided: decided(db.Certificate{
				Number: add.Number, RequestKey: add.RequestKey, CitizenID: add.CitizenID, Kind: add.Kind,
				IntentSealed: add.IntentSealed, RequestedAt: add.RequestedAt,
			}),
		}})
		if err != nil {
			return err
		}
		return s.Queue.Insert(ctx, tx, finishArgs{ID: add.ID}, job.Options{At: c.Now.Add(finishAfter)})
	})
}

// finishLater finishes an intent that its request did not.
func (s *Service) finishLater(ctx context.Context, args finishArgs, _ job.Attempt) error {
	row, err := db.New(s.DB.Reader()).ByID(ctx, args.ID)
	if err != nil {
		return fmt.Errorf("read an intent: %w", err)
	}
	if State(row.State) != Requested {
		return nil
	}
	_, err = s.finish(ctx, row, s.Now(), false)
	return err
}

// finish signs the record of an intent and, in one transaction, stores it,
// texts the number (unless the caller reads it in the answer), and writes the audit
// and the statistics. It may run twice at once: the first to commit is the only one
// with an effect.
func (s *Service) finish(ctx context.Context, row db.Certificate, now time.Time, read bool) (db.Certificate, error) {
	in, err := s.openIntent(row)
	if err != nil {
		return row, err
	}
	message, err := s.sign(ctx, row.Number, in.Record, now)
	if err != nil {
		return row, err
	}
	sealed, err := s.Sealer.Seal(message, signedContext(row.ID))
	if err != nil {
		return row, fmt.Errorf("seal the record: %w", err)
	}
	row.SignedSealed, row.IssuedAt = sealed, dbtime.From(now)
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		marked, err := db.New(tx).MarkIssued(ctx, db.MarkIssuedParams{
			ID: row.ID, SignedSealed: row.SignedSealed, IssuedAt: row.IssuedAt,
		})
		if err != nil {
			return fmt.Errorf("store the signed record: %w", err)
		}
		if marked == 0 {
			return nil
		}
		return s.leaveIssued(ctx, tx, row, caller.Caller(in.Caller), now, read)
	})
	if err != nil {
		return row, err
	}
	return db.New(s.DB.Reader()).ByID(ctx, row.ID)
}

// sign signs a record whole, or, where that would be too much for a QR code, with a
// digest of the family in its place.
func (s *Service) sign(ctx context.Context, number string, record Record, now time.Time) ([]byte, error) {
	message, err := s.signAs(ctx, number, record, now)
	if err != nil || len(record.Members) == 0 || fits(payload(message, record)) {
		return message, err
	}
	brief, err := record.brief()
	if err != nil {
		return nil, err
	}
	return s.signAs(ctx, number, brief, now)
}

func (s *Service) signAs(ctx context.Context, number string, record Record, now time.Time) ([]byte, error) {
	content, err := cbor.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode the record: %w", err)
	}
	message, err := s.Signer.Sign(ctx, sign.Claims{
		Issuer: s.Issuer, IssuedAt: now.Unix(), ID: []byte(number), Content: content,
	})
	if err != nil {
		return nil, fmt.Errorf("sign the record: %w", err)
	}
	return message, nil
}

// leaveIssued leaves the trail of an issued certificate, in the language of its caller.
func (s *Service) leaveIssued(ctx context.Context, tx *store.Tx, row db.Certificate, c caller.Caller, now time.Time, read bool) error {
	c.Now = now
	step := trail.Step{
		Audit: audit.Entry{
			At: now, Actor: c.Subject, Action: "certificate.issue", Object: row.ID, Subject: row.CitizenID,
			Purpose: "the citizen asked for the certificate", Decided: decided(row),
		},
		Event: analytics.Of(c, name, "issue_"+row.Kind, "done"),
	}
	if c.Phone != "" && !read {
		kept, err := s.Identity.Kept(ctx, c.Phone, row.CitizenID, row.RequestedAt.Time)
		if err != nil {
			return err
		}
		if kept { // else the phone is no more the citizen's, and it does not concern its holder
			step.Messages = append(step.Messages, s.text(row, c))
		}
	}
	return s.Trail.Leave(ctx, tx, step)
}

// List gives the certificates of the citizen c.Subject, the newest first.
func (s *Service) List(ctx context.Context, c caller.Caller) ([]Certificate, error) {
	if c.Subject == "" {
		return nil, problem.New(problem.Unproven, "problem.certificate_identify")
	}
	if err := Assurance.Admit(c, "list"); err != nil {
		return nil, err
	}
	rows, err := db.New(s.DB.Reader()).OfCitizen(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	list := make([]Certificate, len(rows))
	for i, row := range rows {
		list[i] = certificateOf(row)
	}
	return list, nil
}

func certificateOf(row db.Certificate) Certificate {
	return Certificate{
		Number: row.Number, Kind: Kind(row.Kind), State: State(row.State),
		IssuedAt: row.IssuedAt.Time, RevokedAt: row.RevokedAt.Time,
	}
}

func intentContext(id string) string { return "certificate.intent:" + id }
func signedContext(id string) string { return "certificate.signed:" + id }

func (s *Service) sealIntent(id string, in intent) ([]byte, error) {
	plain, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode the intent: %w", err)
	}
	sealed, err := s.Sealer.Seal(plain, intentContext(id))
	if err != nil {
		return nil, fmt.Errorf("seal the intent: %w", err)
	}
	return sealed, nil
}

func (s *Service) openIntent(row db.Certificate) (intent, error) {
	plain, err := s.Sealer.Open(row.IntentSealed, intentContext(row.ID))
	if err != nil {
		return intent{}, fmt.Errorf("open the intent of a certificate: %w", err)
	}
	var in intent
	if err := json.Unmarshal(plain, &in); err != nil {
		return intent{}, fmt.Errorf("read the intent of a certificate: %w", err)
	}
	return in, nil
}
