package certificate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// intent is what is stored, sealed, before anything is signed: enough to finish
// the certificate after a crash and to tell its owner.
type intent struct {
	Record Record `json:"record"`
	// Child is what whom it is about is called where that is not who asked; else empty.
	Child string `json:"child,omitempty"`
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

// order is what somebody asks for.
type order struct {
	kind  Kind
	child string // the Ref of a child of theirs; "": of none
	// mandate is the id of a mandate by which it is about who gave it; "" and no child: their own.
	mandate string
}

// underMandate begins the holder_ref of what is asked for under a mandate.
const underMandate = "mandate:"

// ref says of whom the certificate is to be, as its row does.
func (o order) ref() string {
	if o.mandate != "" {
		return underMandate + o.mandate
	}
	return o.child
}

// orderOf is the order of a row.
func orderOf(row db.Certificate) order {
	o := order{kind: Kind(row.Kind), child: row.HolderRef}
	if id, under := strings.CutPrefix(row.HolderRef, underMandate); under {
		o.child, o.mandate = "", id
	}
	return o
}

// errLapsed says that an order gives nothing any more, as when it was asked for.
func (o order) errLapsed() error {
	if o.mandate != "" {
		return mandate.ErrAbsent
	}
	return errNoChild
}

// Request issues a certificate to the citizen c.Subject with what the register
// says now, and texts its number to c.Phone. The same turn gives the same
// certificate, and so does another conversation soon after. What it shows is signed after
// the intent is stored: a process that dies in between leaves an intent, which the
// job queue finishes.
func (s *Service) Request(ctx context.Context, c caller.Caller, kind Kind) (Certificate, error) {
	return s.request(ctx, c, order{kind: kind})
}

func (s *Service) request(ctx context.Context, c caller.Caller, o order) (Certificate, error) {
	if c.Subject == "" {
		return Certificate{}, errUnproven
	}
	if err := Assurance.Admit(c, "request"); err != nil {
		return Certificate{}, err
	}
	if err := s.refusal(o.kind); err != nil {
		return Certificate{}, err
	}
	if c.Key == "" { // all such requests would be one
		return Certificate{}, errors.New("request a certificate: the caller has no turn")
	}
	key := s.Sealer.Index("certificate.request", c.Subject+"\x00"+c.Key)
	row, err := db.New(s.DB.Reader()).ByRequestKey(ctx, key)
	if errors.Is(err, sql.ErrNoRows) && o.mandate != "" { // before what was ordered under it a moment ago is given back
		if _, ended := s.Mandates.Use(ctx, o.mandate, c.Subject, name, c.Now); ended != nil {
			return Certificate{}, fmt.Errorf("request a certificate: %w", ended)
		}
	}
	if errors.Is(err, sql.ErrNoRows) && (c.Channel == caller.USSD || c.Channel == caller.SMS) {
		row, err = db.New(s.DB.Reader()).Ordered(ctx, db.OrderedParams{
			CitizenID: c.Subject, Kind: string(o.kind), HolderRef: o.ref(), RequestedAt: dbtime.From(c.Now.Add(-orderedFor)),
		})
	}
	asked := errors.Is(err, sql.ErrNoRows) // the register, just now
	if asked {
		row, err = s.intend(ctx, c, o, key)
	}
	if err != nil {
		return Certificate{}, fmt.Errorf("request a certificate: %w", err)
	}
	if Kind(row.Kind) != o.kind || row.HolderRef != o.ref() {
		return Certificate{}, problem.New(problem.Mismatch, "problem.certificate_repeated")
	}
	before := row.RequestKey != key // it was ordered in another turn
	if State(row.State) == Requested {
		if row, err = s.finishOrder(ctx, row, c.Now, asked, c.ByText() && !before); err != nil {
			return Certificate{}, fmt.Errorf("issue a certificate: %w", err)
		}
	}
	if State(row.State) == Dropped {
		return Certificate{}, o.errLapsed()
	}
	if before {
		if err := s.textElsewhere(ctx, row, c); err != nil {
			return Certificate{}, err
		}
	}
	return s.certificateOf(row)
}

// finishOrder finishes an intent as its person waits. Where it was not asked just now whether
// they may ask for somebody else, it is.
func (s *Service) finishOrder(ctx context.Context, row db.Certificate, now time.Time, asked, read bool) (db.Certificate, error) {
	if !asked {
		if err := s.dropIfLapsed(ctx, row, now); err != nil {
			return row, err
		}
	}
	return s.finish(ctx, row, now, read)
}

// textElsewhere texts the number of a certificate that is given back also to the phone
// that asks now, unless it is the one that ordered it: that one has it.
func (s *Service) textElsewhere(ctx context.Context, row db.Certificate, c caller.Caller) error {
	in, err := s.openIntent(row)
	if err != nil || c.ByText() || in.Caller.Phone == c.Phone {
		return err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		return s.Trail.Leave(ctx, tx, trail.Step{Messages: []notify.Message{s.text(row, in.Child, c)}})
	})
	if err != nil {
		return fmt.Errorf("send the number: %w", err)
	}
	return nil
}

// text tells the caller's phone a certificate's number, and of which child it is, if of one;
// it is sent once to each phone.
func (s *Service) text(row db.Certificate, child string, c caller.Caller) notify.Message {
	title := s.Texts.Text(c.Locale, Kind(row.Kind).TitleKey())
	key, args := "certificate.sms", []any{"title", title, "certificate", ShowNumber(row.Number)}
	if child != "" {
		key, args = "certificate.sms_child", append(args, "called", child)
	}
	return notify.Message{
		To: c.Phone, Locale: c.Locale, Purpose: notify.Receipt, Turn: c.Key, About: row.CitizenID,
		Dedup: "certificate:" + row.ID + ":" + s.Sealer.Index("certificate.text", c.Phone),
		Text:  gsm.Pick(s.Texts.Message(c.Locale, key, args...)),
	}
}

// intend asks the register and stores what is to be signed, unless the same turn did.
func (s *Service) intend(ctx context.Context, c caller.Caller, o order, key string) (db.Certificate, error) {
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
	in, whom, err := s.askFor(ctx, c, o, Question{PIN: pin, By: pin, Issue: id.String()})
	if err != nil {
		return db.Certificate{}, s.failed(ctx, c, err)
	}
	in.Caller = keptCaller(c)
	sealed, err := s.sealIntent(id.String(), in)
	if err != nil {
		return db.Certificate{}, err
	}
	add := db.AddIntentParams{
		ID: id.String(), RequestKey: key, CitizenID: c.Subject, HolderRef: o.ref(), Kind: string(o.kind),
		IntentSealed: sealed, RequestedAt: dbtime.From(c.Now),
	}
	if err := s.storeIntent(ctx, c, o, add, whom); err != nil {
		return db.Certificate{}, err
	}
	// The row is ours, or that of the same turn in another process.
	return db.New(s.DB.Reader()).ByRequestKey(ctx, key)
}

// askFor asks the registers what a certificate is to say, of the child or the giver that was
// chosen or of the person of q; with it comes the personal number of the child.
func (s *Service) askFor(ctx context.Context, c caller.Caller, o order, q Question) (in intent, child string, err error) {
	unknown := problem.New(problem.NotFound, "problem.certificate_unknown_person")
	switch {
	case o.mandate != "":
		if q.PIN, in.Child, err = s.giver(ctx, o.mandate, c.Subject, q, c.Now); err != nil {
			return in, "", err
		}
		unknown = problem.New(problem.NotFound, "problem.certificate_unknown_giver")
	case o.child != "":
		minor, err := s.minor(ctx, o.child, q, c.Now)
		if err != nil {
			return in, "", err
		}
		q.PIN, child, in.Child = minor.PIN, minor.PIN, minor.called()
		unknown = problem.New(problem.NotFound, "problem.certificate_unknown_child")
	}
	record, known, err := s.ask(ctx, o.kind, q)
	if err != nil {
		return in, "", fmt.Errorf("ask the registers: %w", err)
	}
	if !known {
		return in, "", unknown
	}
	in.Record = record
	return in, child, nil
}

// storeIntent writes the intent under a number that nobody has, unless the same
// turn wrote one meanwhile; child is the personal number of a child that it is of.
func (s *Service) storeIntent(ctx context.Context, c caller.Caller, o order, add db.AddIntentParams, child string) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		held, err := s.Identity.HoldProof(ctx, tx, c)
		if err != nil {
			return err
		}
		if !held { // cut off while the register was asked
			return errUnproven
		}
		if add.Number, err = newNumber(s.Random); err != nil {
			return err
		}
		if add.HolderID, err = s.holderOf(ctx, tx, c, o, child); err != nil {
			return err
		}
		if add.StatusIndex, err = s.drawStatus(ctx, tx); err != nil {
			return err
		}
		added, err := db.New(tx).AddIntent(ctx, add)
		if err != nil {
			return fmt.Errorf("store the intent: %w", err)
		}
		if added == 0 {
			// A taken number is as likely as one in 10^14, a bit that another drew at this very
			// moment as one in a million: the caller then finds no row of its turn, and the
			// citizen is asked to try again.
			return nil
		}
		if err := s.within(ctx, c, "problem.certificate_many", s.orderBounds(c)...); err != nil {
			return err
		}
		if err := s.leaveRequested(ctx, tx, add); err != nil {
			return err
		}
		return s.Queue.Insert(ctx, tx, finishArgs{ID: add.ID}, job.Options{At: c.Now.Add(finishAfter)})
	})
}

// leaveRequested leaves the trail of an intent.
func (s *Service) leaveRequested(ctx context.Context, tx *store.Tx, add db.AddIntentParams) error {
	row := db.Certificate{
		ID: add.ID, Number: add.Number, RequestKey: add.RequestKey, CitizenID: add.CitizenID, HolderID: add.HolderID, HolderRef: add.HolderRef,
		Kind: add.Kind, IntentSealed: add.IntentSealed, RequestedAt: add.RequestedAt,
	}
	what := add.Kind
	if ofAnother(row) {
		what = underOf(row)
	}
	return s.leave(ctx, tx, row, "request", trail.Step{Audit: audit.Entry{
		At: add.RequestedAt.Time, Actor: add.CitizenID, Action: "certificate.request." + what, Object: add.ID,
		Subject: add.CitizenID, Purpose: purpose(row, "the citizen asked for the certificate"), Decided: decided(row),
	}})
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
	now := s.Now()
	if err = s.dropIfLapsed(ctx, row, now); lapsed(err) {
		return nil
	}
	if err == nil {
		_, err = s.finish(ctx, row, now, false)
	}
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
	message, err := s.sign(ctx, row, in.Record, now)
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
		return s.leaveIssued(ctx, tx, row, in, now, read)
	})
	if err != nil {
		return row, err
	}
	return db.New(s.DB.Reader()).ByID(ctx, row.ID)
}

// leaveIssued leaves the trail of an issued certificate, in the language of its caller.
func (s *Service) leaveIssued(ctx context.Context, tx *store.Tx, row db.Certificate, in intent, now time.Time, read bool) error {
	c := caller.Caller(in.Caller)
	c.Now = now
	step := trail.Step{
		Audit: audit.Entry{
			At: now, Actor: c.Subject, Action: "certificate.issue", Object: row.ID, Subject: row.CitizenID,
			Purpose: purpose(row, "the citizen asked for the certificate"), Decided: decided(row),
		},
		Event: analytics.Of(c, name, "issue_"+row.Kind, "done"),
	}
	if c.Phone != "" && !read {
		kept, err := s.Identity.Kept(ctx, c.Phone, row.CitizenID, row.RequestedAt.Time)
		if err != nil {
			return err
		}
		if kept { // else the phone is no more the citizen's, and it does not concern its holder
			step.Messages = append(step.Messages, s.text(row, in.Child, c))
		}
	}
	return s.leave(ctx, tx, row, "issue", step)
}

// List gives the certificates of the citizen c.Subject, the newest first.
func (s *Service) List(ctx context.Context, c caller.Caller) ([]Certificate, error) {
	if c.Subject == "" {
		return nil, errUnproven
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
		if list[i], err = s.certificateOf(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Service) certificateOf(row db.Certificate) (Certificate, error) {
	one := Certificate{
		Number: row.Number, Kind: Kind(row.Kind), State: State(row.State),
		IssuedAt: row.IssuedAt.Time, RevokedAt: row.RevokedAt.Time,
	}
	if !ofAnother(row) {
		return one, nil
	}
	in, err := s.openIntent(row)
	if orderOf(row).mandate != "" {
		one.Giver = in.Child
	} else {
		one.Child = in.Child
	}
	return one, err
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
