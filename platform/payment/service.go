package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/elqr"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Texts are the locale files.
type Texts interface {
	Message(loc locales.Locale, key string, args ...any) (full, short string)
}

// Deps is what a Service stands on; every field is needed.
type Deps struct {
	DB     *store.DB
	Phones Phones
	Queue  *job.Queue
	Sealer *seal.Sealer
	Trail  *trail.Trail
	Events Events
	Texts  Texts
	Now    func() time.Time
	// Clock is another clock, which has to agree that a day is over: (*store.DB).Clock.
	Clock  func(ctx context.Context) (time.Time, error)
	Random io.Reader // crypto/rand.Reader
	Log    *slog.Logger
}

// Phones knows whose the numbers are, as *identity.Service does.
type Phones interface {
	// HoldPhone has a phone (E.164) stay its holder's until tx ends, and refuses where it
	// was given to somebody else since.
	HoldPhone(ctx context.Context, tx *store.Tx, phone string, since time.Time) error
}

// Service takes payments.
type Service struct {
	Deps
	billers map[string]Biller
	finders []Finder
	// recipient is who ELQR codes pay; the zero one: there are none.
	recipient elqr.Recipient
	// behind is true while some payments wait: a success then wakes them.
	behind atomic.Bool
	// overtaken is when the codes of paid bills were looked for last, in nanoseconds.
	overtaken atomic.Int64
}

// New makes a Service and registers its settlement work with the queue, which
// must not run yet. An error names what is missing of deps.
func New(deps Deps, billers ...Biller) (*Service, error) {
	if err := needs.All("payments", deps); err != nil {
		return nil, err
	}
	s := &Service{Deps: deps, billers: make(map[string]Biller, len(billers))}
	s.Serve(billers...)
	job.Handle(deps.Queue, s.work)
	return s, nil
}

// Serve has the bills of more billers paid. Call it before the queue runs and anything
// is served.
func (s *Service) Serve(billers ...Biller) {
	for _, b := range billers {
		s.billers[b.Service()] = b
	}
}

// Bills reports that a service has its bills paid.
func (s *Service) Bills(service string) bool {
	_, known := s.billers[service]
	return known
}

var (
	errService = problem.New(problem.Invalid, "problem.payment_service")
	errPhone   = problem.New(problem.Unauthenticated, "problem.payment_phone")
	errAbsent  = problem.New(problem.NotFound, "problem.payment_absent")
	errPaid    = problem.New(problem.Conflict, "problem.payment_paid")
	errTaken   = problem.New(problem.Conflict, "problem.payment_taken") // and the caller is told how it ends
	// errElsewhere is errTaken for a caller to whom nobody sends anything about it.
	errElsewhere = problem.New(problem.Conflict, "problem.payment_elsewhere")
	errPartPaid  = problem.New(problem.Conflict, "problem.payment_part_paid")
	errPartTaken = problem.New(problem.Conflict, "problem.payment_part_taken")
	errExpired   = problem.New(problem.Conflict, "problem.payment_expired")
	errBills     = problem.New(problem.Invalid, "problem.payment_bills")
)

// The contexts that seal and index the caller's phone.
const (
	phoneContext = "payment.phone"
	ownerPurpose = "payment.owner"
	openPurpose  = "payment.open"
)

// Open prices the bills refs of a service and keeps the intent to pay them all.
// Make it when the confirm screen is shown: a retry of the same turn gets the
// same payment. Problems: payment_service (whose bills nobody has paid), payment_taken and
// payment_elsewhere (being paid already: the caller is told how that ends, or is not),
// payment_paid (paid through us, and the register knows), payment_bills (none, or more
// than MaxBills), and the biller's own; where that is so of some of the bills only,
// payment_part_paid and payment_part_taken, with the places of those in refs.
func (s *Service) Open(ctx context.Context, c caller.Caller, service string, refs []string) (Payment, error) {
	biller, known := s.billers[service]
	if !known {
		return Payment{}, errService
	}
	if err := biller.Admit(ctx, c, refs); err != nil {
		return Payment{}, fmt.Errorf("open a payment: %w", err)
	}
	if c.Phone == "" {
		return Payment{}, errPhone
	}
	given := refs
	refs = slices.Compact(slices.Sorted(slices.Values(refs)))
	if len(refs) == 0 || len(refs) > MaxBills {
		return Payment{}, errBills
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Payment{}, fmt.Errorf("make a payment's id: %w", err)
	}
	key := s.openKey(c, id.String(), service, refs)
	if p, err := s.byOpenKey(ctx, key); err == nil || !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	if err := s.free(ctx, c, service, given); err != nil {
		return Payment{}, err
	}
	sealed, err := s.Sealer.Seal([]byte(c.Phone), phoneContext)
	if err != nil {
		return Payment{}, fmt.Errorf("seal the payer's phone: %w", err)
	}
	row := db.InsertPaymentParams{
		ID: id.String(), Service: service, Owner: s.owner(c.Phone), PhoneSealed: sealed, OpenKey: key,
		Locale: string(c.Locale), Channel: string(c.Channel), Operator: c.Operator,
		OpenedAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(QuoteLife)),
	}
	lines, closed, err := s.quote(ctx, biller, row.ID, row.Owner, refs)
	if err = errors.Join(err, closed.of(given)); err != nil {
		return Payment{}, err
	}
	if p, found, err := s.opened(ctx, c, service, lines); found || err != nil {
		return p, err
	}
	for _, l := range lines {
		row.Amount += l.Amount
	}
	return s.insert(ctx, c, row, lines)
}

// opened finds what the caller opened lately for the same bills at the same
// prices and can still pay: asking again gives the same code, and no second message with it.
func (s *Service) opened(ctx context.Context, c caller.Caller, service string, lines []db.InsertLineParams) (p Payment, found bool, err error) {
	rows, err := db.New(s.DB.Reader()).ListOpenPayments(ctx, db.ListOpenPaymentsParams{
		Owner: s.owner(c.Phone), Service: service, FirstAt: dbtime.From(c.Now.Add(-QuoteLife)),
	})
	if err != nil {
		return Payment{}, false, fmt.Errorf("look for an open payment: %w", err)
	}
	for _, row := range rows {
		p, err := s.load(ctx, row)
		if err != nil {
			return Payment{}, false, err
		}
		same := slices.EqualFunc(p.Lines, lines, func(l Line, now db.InsertLineParams) bool {
			return l.Ref == now.Ref && l.Amount == money.Amount(now.Amount)
		})
		if same && c.Now.Before(p.ExpiresAt) {
			return p, true, nil
		}
	}
	return Payment{}, false, nil
}

// openKey is the same for a retry of the same turn, and for nothing else.
func (s *Service) openKey(c caller.Caller, id, service string, refs []string) string {
	turn := c.Key
	if turn == "" {
		turn = id
	}
	return s.Sealer.Index(openPurpose, strings.Join(append([]string{c.Phone, turn, service}, refs...), "|"))
}

// CutPhone takes a phone's payments from whoever holds its number now: they are
// neither shown nor told of by SMS. Who has the code pays by it as before.
func (s *Service) CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	q := db.New(tx)
	ids, err := q.PaymentsOfOwner(ctx, s.owner(phone))
	if err != nil {
		return fmt.Errorf("list a phone's payments: %w", err)
	}
	return s.disown(ctx, tx, phone, ids, "number released", now)
}

// Disown takes payments from a phone (E.164) to which their codes were sent about a person
// whose it is no more: it hears nothing more of them. Who has a code pays by it as before.
// What is not the phone's stays as it is.
func (s *Service) Disown(ctx context.Context, tx *store.Tx, phone string, ids []string, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	own, err := db.New(tx).PaymentsOfOwner(ctx, s.owner(phone))
	if err != nil {
		return fmt.Errorf("list a phone's payments: %w", err)
	}
	own = slices.DeleteFunc(own, func(id string) bool { return !slices.Contains(ids, id) })
	return s.disown(ctx, tx, phone, own, "the phone is cut off from the person", now)
}

func (s *Service) disown(ctx context.Context, tx *store.Tx, phone string, ids []string, why string, now time.Time) error {
	q := db.New(tx)
	nobody := s.owner("released " + phone + " " + now.Format(time.RFC3339Nano))
	for _, id := range ids {
		sealed, err := s.Sealer.Seal(nil, phoneContext)
		if err != nil {
			return err
		}
		if err := q.Disown(ctx, db.DisownParams{ID: id, Owner: nobody, PhoneSealed: sealed}); err != nil {
			return fmt.Errorf("cut a payment from its phone: %w", err)
		}
		err = s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: now, Actor: "system", Action: "payment.disown", Object: id, Subject: s.owner(phone), Purpose: why,
			Decided: []*audit.Group{payerOf(nobody, sealed)},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) owner(phone string) string { return s.Sealer.Index(ownerPurpose, phone) }

// quote asks the biller for each bill's price, and which bills its register closed.
func (s *Service) quote(
	ctx context.Context, biller Biller, id, payer string, refs []string,
) (lines []db.InsertLineParams, closed barred, err error) {
	closed = barred{}
	for i, ref := range refs {
		q, err := biller.Quote(ctx, Bill{Ref: ref, PaymentID: id, Payer: payer})
		if err != nil && unpriced(err) == NotPayable {
			closed[ref] = problem.From(err)
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("quote a bill: %w", err)
		}
		if q.Amount <= 0 {
			return nil, nil, fmt.Errorf("quote a bill: the register asks for %d tyiyn", q.Amount)
		}
		lines = append(lines, db.InsertLineParams{
			PaymentID: id, N: int64(i), Ref: ref, Amount: int64(q.Amount),
		})
	}
	return lines, closed, nil
}

// codeTries bounds the draws of a code that is free. With a million codes in
// use, a draw fails once in 900.
const codeTries = 8

func (s *Service) insert(ctx context.Context, c caller.Caller, row db.InsertPaymentParams, lines []db.InsertLineParams) (Payment, error) {
	for range codeTries {
		code, err := newCode(s.Random)
		if err != nil {
			return Payment{}, err
		}
		row.Code = code
		inserted := false
		err = s.DB.InTx(ctx, func(tx *store.Tx) error {
			// The registers may have thought long: the number may be another's by now.
			if err := s.Phones.HoldPhone(ctx, tx, c.Phone, c.Now); err != nil {
				return err
			}
			q := db.New(tx)
			n, err := q.InsertPayment(ctx, row)
			if inserted = n == 1; err != nil || !inserted {
				return err
			}
			for _, l := range lines {
				if err := q.InsertLine(ctx, l); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return Payment{}, fmt.Errorf("keep a payment: %w", err)
		}
		// Not inserted: the same turn ran twice at once, or the code is in use.
		p, err := s.byOpenKey(ctx, row.OpenKey)
		if inserted || !errors.Is(err, sql.ErrNoRows) {
			return p, err
		}
	}
	return Payment{}, fmt.Errorf("keep a payment: no free code in %d draws", codeTries)
}

// Get gives a payment of the caller's own; another's is absent.
func (s *Service) Get(ctx context.Context, c caller.Caller, id string) (Payment, error) {
	if uuid.Validate(id) != nil {
		return Payment{}, errAbsent
	}
	row, err := db.New(s.DB.Reader()).GetPayment(ctx, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (c.Phone == "" || row.Owner != s.owner(c.Phone)) {
		return Payment{}, errAbsent
	}
	if err != nil {
		return Payment{}, fmt.Errorf("read a payment: %w", err)
	}
	return s.load(ctx, row)
}

// Claimed reports that a bill is paid or being paid through us, whatever its
// register says yet.
func (s *Service) Claimed(ctx context.Context, service, ref string) (bool, error) {
	n, err := db.New(s.DB.Reader()).CountClaims(ctx, db.CountClaimsParams{Service: service, Ref: ref})
	if err != nil {
		return false, fmt.Errorf("look for a bill's claim: %w", err)
	}
	return n > 0, nil
}

func (s *Service) byOpenKey(ctx context.Context, key string) (Payment, error) {
	row, err := db.New(s.DB.Reader()).GetPaymentByOpenKey(ctx, key)
	if err != nil {
		return Payment{}, fmt.Errorf("find a payment by its turn: %w", err)
	}
	return s.load(ctx, row)
}

func (s *Service) load(ctx context.Context, row db.Payment) (Payment, error) {
	lines, err := linesOf(ctx, db.New(s.DB.Reader()), row.ID)
	if err != nil {
		return Payment{}, err
	}
	p := Payment{
		ID: row.ID, Service: row.Service, Code: row.Code, Amount: money.Amount(row.Amount), State: standsAt(row, lines), Lines: lines,
		OpenedAt: row.OpenedAt.Time, ExpiresAt: row.ExpiresAt.Time,
		AcceptedAt: row.AcceptedAt.Time, FinishedAt: row.FinishedAt.Time,
	}
	switch p.State {
	case Quoted:
		p.Code = ""
	case Refused:
		p.AcceptedAt = time.Time{} // of the try: no money was taken
	}
	return p, nil
}

// linesOf are a payment's bills, as its rows and the ledger say.
func linesOf(ctx context.Context, q *db.Queries, id string) ([]Line, error) {
	rows, err := q.ListLines(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read a payment's bills: %w", err)
	}
	var turns map[int64]int64
	if slices.ContainsFunc(rows, func(l db.PaymentLine) bool { return State(l.State) == RefundDue }) {
		if turns, err = turnsBack(ctx, q, id); err != nil {
			return nil, err
		}
	}
	lines := make([]Line, len(rows))
	for i, l := range rows {
		lines[i] = Line{Ref: l.Ref, Amount: money.Amount(l.Amount), State: State(l.State), Reason: Outcome(l.Reason), turns: turns[l.N]}
		if lines[i].State == RefundDue && lines[i].turns%2 == 1 {
			lines[i].State = Refunded
		}
	}
	return lines, nil
}

// standsAt is a payment's state: its row's, or refunded once nothing is due back any more.
func standsAt(row db.Payment, lines []Line) State {
	due := slices.ContainsFunc(lines, func(l Line) bool { return l.State == RefundDue })
	if state := State(row.State); state != RefundDue || due {
		return state
	}
	return Refunded
}
