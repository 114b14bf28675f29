package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// OfferState is where an offer stands.
type OfferState string

// The states of an offer.
const (
	Open     OfferState = "open"
	Accepted OfferState = "accepted"
	Declined OfferState = "declined"
	Missed   OfferState = "missed"
)

// Offer is a place held for a child.
type Offer struct {
	ID           string // of the offer itself: one registration may get several, one after the other
	Number       string
	Kindergarten string
	Name         Name
	District     Name // empty while the register cannot tell it
	State        OfferState
	// Until is the end of the offer: midnight in Bishkek after its last day.
	Until time.Time
	// Ahead is how many children were before this one in the queue when the offer
	// was made, those of the same moment not counted; only Service.Offer fills it. An operator who offers out of turn
	// is shown it, and the audit log keeps it.
	Ahead int
}

// LastDay is the last day for an answer, as a date without a clock: the day that
// Until ends.
func (o Offer) LastDay() time.Time { return clock.LastDay(o.Until) }

var (
	problemNotChosen = problem.New(problem.Invalid, "problem.preschool_not_chosen")
	problemNotWaits  = problem.New(problem.Conflict, "problem.preschool_not_waiting")
	problemSeats     = problem.New(problem.Conflict, "problem.preschool_seats")
	problemYoung     = problem.New(problem.Conflict, "problem.preschool_young")
	problemNoOffer   = problem.New(problem.NotFound, "problem.preschool_no_offer")
	problemOver      = problem.New(problem.Conflict, "problem.preschool_offer_over")
	problemAnswered  = problem.New(problem.Conflict, "problem.preschool_answered")
	problemOther     = problem.New(problem.Conflict, "problem.preschool_offer_other")
)

// Offer holds a free seat of a kindergarten that the registration chose and
// tells the parent by SMS. No more seats are offered than the register of kindergartens
// reports free, and no child is offered one before its turn: problem.preschool_turn. Among those
// of one moment the lot of an allocation decides, and nobody by hand: problem.preschool_lot.
//
// Who has an open offer, or let one of this kindergarten go, is waited for no more.
func (s *Service) Offer(ctx context.Context, act staff.Act, number, kindergarten string) (Offer, error) {
	return s.offer(ctx, act, number, kindergarten, func(q *db.Queries, registration string) error {
		before, err := q.WaitingAhead(ctx, db.WaitingAheadParams{RegistrationID: registration, Kindergarten: kindergarten})
		if err != nil {
			return fmt.Errorf("count who waits before: %w", err)
		}
		switch {
		case before.Before > 0:
			return problem.New(problem.Conflict, "problem.preschool_turn", "n", before.Before)
		case before.Level > 0: // nobody chooses among them
			return problem.New(problem.Conflict, "problem.preschool_lot", "n", before.Level)
		}
		return nil
	})
}

// OfferOutOfTurn is Offer for a child that others are before, as a court or a commission
// may order.
func (s *Service) OfferOutOfTurn(ctx context.Context, act staff.Act, number, kindergarten string) (Offer, error) {
	return s.offer(ctx, act, number, kindergarten, func(*db.Queries, string) error { return nil })
}

// offer makes an offer if admit takes the registration for the next one.
func (s *Service) offer(ctx context.Context, act staff.Act, number, kindergarten string, admit func(q *db.Queries, registration string) error) (Offer, error) {
	now := s.Now()
	r, err := s.find(ctx, number)
	if err != nil {
		return Offer{}, err
	}
	seat, err := s.seat(ctx, now, r, kindergarten)
	if err != nil {
		return Offer{}, err
	}
	var made Offer
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		err := act.Record(ctx, tx)
		if err != nil {
			return err
		}
		if made, err = s.makeOffer(ctx, tx, r, seat, act.Actor, "a place offered", now); err != nil {
			return err
		}
		return admit(db.New(tx), r.ID)
	})
	return made, err
}

// makeOffer holds a seat for a registration and leaves the trail of it. why is what the audit
// log says, before how many were ahead.
func (s *Service) makeOffer(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, seat seat, actor, why string, now time.Time) (Offer, error) {
	made, row, err := s.hold(ctx, tx, r, seat, actor, now)
	if err != nil {
		return made, err
	}
	return made, s.leave(ctx, tx, effect{
		caller: s.parent(r, now), actor: actor, step: "offer", outcome: "done", object: r.Number, subject: r.CitizenID, offer: &row,
		purpose: why + "; ahead in the queue: " + strconv.Itoa(made.Ahead), kind: notify.Statutory,
		tells: theParent, dedup: "preschool.offer:" + r.ID + ":" + strconv.FormatInt(now.UnixMicro(), 10),
		say: func(loc locales.Locale) string { return s.sayOffer(made, loc) },
	})
}

// find reads the registration of a number as typed.
func (s *Service) find(ctx context.Context, number string) (db.PreschoolRegistration, error) {
	parsed, ok := ParseNumber(number)
	if !ok {
		return db.PreschoolRegistration{}, problemNumber
	}
	r, err := db.New(s.DB.Reader()).ByNumber(ctx, parsed)
	if errors.Is(err, sql.ErrNoRows) {
		return r, problemNumber
	} else if err != nil {
		return r, fmt.Errorf("find the registration: %w", err)
	}
	return r, nil
}

// seat is one group's seats of one kindergarten at one intake.
type seat struct {
	kindergarten Kindergarten
	intake, age  int
}

// seat asks the register how many seats the child's group has free.
func (s *Service) seat(ctx context.Context, now time.Time, r db.PreschoolRegistration, code string) (seat, error) {
	p := s.rules.at(now)
	wanted := seat{intake: p.intake(now), age: p.intake(now) - int(r.Cohort)}
	if wanted.age < p.Youngest {
		return wanted, problemYoung
	}
	if wanted.age > p.Oldest {
		return wanted, problemOld
	}
	all, err := s.list(ctx)
	if err != nil {
		return wanted, err
	}
	at := slices.IndexFunc(all, func(k Kindergarten) bool { return k.Code == code })
	if at < 0 {
		return wanted, problemNotChosen
	}
	wanted.kindergarten = all[at]
	return wanted, nil
}

// parent makes the caller that a parent would be, for statistics; whose phone is told is
// read where the effect is written.
func (s *Service) parent(r db.PreschoolRegistration, now time.Time) caller.Caller {
	return caller.Caller{Subject: r.CitizenID, Channel: caller.Staff, Now: now}
}

// sayOffer is the SMS of an offer.
func (s *Service) sayOffer(o Offer, loc locales.Locale) string {
	return s.sayPlace("preschool.sms_offer", o, loc)
}

// sayPlace is an SMS about a place, with the district where that takes no more parts.
func (s *Service) sayPlace(key string, o Offer, loc locales.Locale) string {
	district := s.district(o.Kindergarten).In(loc)
	args := []any{"number", o.Number, "kindergarten", o.Name.In(loc), "district", district, "date", clock.ShowDate(o.LastDay())}
	plain := gsm.Pick(s.Texts.Message(loc, key, args...))
	full := gsm.Pick(s.Texts.Message(loc, key+"_district", args...))
	if district == "" || gsm.Measure(full).Parts > gsm.Measure(plain).Parts {
		return plain
	}
	return full
}

// hold takes the seat and writes the offer; row is how it is kept.
func (s *Service) hold(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, seat seat, actor string, now time.Time) (made Offer, row db.PreschoolOffer, err error) {
	q := db.New(tx)
	id, err := uuid.NewV7()
	if err != nil {
		return made, row, fmt.Errorf("make an id: %w", err)
	}
	made = Offer{
		ID: id.String(), Number: r.Number, Kindergarten: seat.kindergarten.Code, Name: seat.kindergarten.Name, State: Open,
		Until: s.rules.held(now, s.rules.at(now).HoldWorkingDays),
	}
	if held, err := elsewhere(ctx, q, r); err != nil {
		return made, row, err
	} else if held != nil {
		return made, row, placedAt(ctx, q, *held, locales.RU)
	}
	moved, err := q.MoveRegistration(ctx, db.MoveRegistrationParams{ID: r.ID, Was: string(StateWaiting), State: string(StateOffered)})
	if err != nil {
		return made, row, fmt.Errorf("mark the registration: %w", err)
	}
	if moved == 0 {
		return made, row, notWaiting(r)
	}
	if made.Ahead, err = ahead(ctx, q, r.ID, made.Kindergarten); err != nil {
		return made, row, err
	}
	if err := takeSeat(ctx, q, seat); err != nil {
		return made, row, err
	}
	row = db.PreschoolOffer{
		ID: made.ID, RegistrationID: r.ID, Number: r.Number, Kindergarten: made.Kindergarten,
		NameKy: made.Name.KY, NameRu: made.Name.RU, Intake: int64(seat.intake), Age: int64(seat.age), State: string(Open),
		Actor: actor, OfferedAt: dbtime.From(now), ExpiresAt: dbtime.From(made.Until),
	}
	err = q.AddOffer(ctx, db.AddOfferParams{
		ID: row.ID, RegistrationID: row.RegistrationID, Number: row.Number, Kindergarten: row.Kindergarten,
		NameKy: row.NameKy, NameRu: row.NameRu, Intake: row.Intake, Age: row.Age,
		Actor: row.Actor, OfferedAt: row.OfferedAt, ExpiresAt: row.ExpiresAt,
	})
	if err != nil {
		return made, row, fmt.Errorf("write the offer: %w", err)
	}
	return made, row, nil
}

// notWaiting says why a registration gets no offer.
func notWaiting(r db.PreschoolRegistration) error {
	if state := State(r.State); state == StateLeft || state == StateWithdrawn {
		return problemEnded
	}
	return problemNotWaits
}

// ahead counts who is before a registration in the queue of a kindergarten.
func ahead(ctx context.Context, q *db.Queries, registration, kindergarten string) (int, error) {
	standings, err := q.Standings(ctx, registration)
	if err != nil {
		return 0, fmt.Errorf("count the queue: %w", err)
	}
	for _, st := range standings {
		if st.Kindergarten == kindergarten {
			return int(st.Ahead), nil
		}
	}
	return 0, problemNotChosen
}

// takeSeat counts one more of the group's seats as held, if one is left. Two
// operators after the last seat meet at the row: the second finds none.
func takeSeat(ctx context.Context, q *db.Queries, seat seat) error {
	code, intake, age := seat.kindergarten.Code, int64(seat.intake), int64(seat.age)
	err := q.ReportSeats(ctx, db.ReportSeatsParams{
		Kindergarten: code, Intake: intake, Age: age, Seats: int64(seat.kindergarten.Free[seat.age]),
	})
	if err != nil {
		return fmt.Errorf("note the reported seats: %w", err)
	}
	took, err := q.TakeSeat(ctx, db.TakeSeatParams{Kindergarten: code, Intake: intake, Age: age})
	if err != nil {
		return fmt.Errorf("take a seat: %w", err)
	}
	if took == 0 {
		return problemSeats
	}
	return nil
}

// Offers lists the open offers to the proven citizen c.Subject: a phone alone
// proves nothing, as numbers change hands.
func (s *Service) Offers(ctx context.Context, c caller.Caller) ([]Offer, error) {
	if c.Subject == "" {
		return nil, problemProveOffer
	}
	if err := Assurance.Admit(c, "offers"); err != nil {
		return nil, err
	}
	rows, err := db.New(s.DB.Reader()).OffersOfCitizen(ctx, db.OffersOfCitizenParams{CitizenID: c.Subject, ExpiresAt: dbtime.From(c.Now)})
	if err != nil {
		return nil, fmt.Errorf("list the offers of the citizen: %w", err)
	}
	s.learnDistricts(ctx)
	offers := make([]Offer, 0, len(rows))
	for _, row := range rows {
		o := offerOf(row)
		o.District = s.district(o.Kindergarten)
		offers = append(offers, o)
	}
	return offers, nil
}

// sayOpen says by when, and how, the place is answered that the caller's phone was told of;
// of several the one whose time is over first.
func (s *Service) sayOpen(ctx context.Context, c caller.Caller) (dialog.Message, error) {
	q := db.New(s.DB.Reader())
	rows, err := q.OfPhone(ctx, s.phoneIndex(c.Phone))
	if err != nil {
		return dialog.Message{}, fmt.Errorf("list the registrations of a phone: %w", err)
	}
	var first *Offer
	for _, r := range rows {
		open, err := openOffer(ctx, q, r.ID, c.Now)
		if err != nil {
			return dialog.Message{}, err
		}
		if open != nil && (first == nil || open.Until.Before(first.Until)) {
			first = open
		}
	}
	if first == nil {
		return dialog.Message{}, nil
	}
	return dialog.Say("preschool.offer_open", "date", clock.ShowDate(first.LastDay())), nil
}

// openTo is the offer of a registration among the open ones to a citizen, with an empty number
// the only one. Where it is none of them the problem says why.
func (s *Service) openTo(ctx context.Context, c caller.Caller, number string, open []Offer) (Offer, error) {
	for _, o := range open {
		if o.Number == number || number == "" && len(open) == 1 {
			return o, nil
		}
	}
	r, row, err := s.lastOffer(ctx, c, number)
	if err != nil {
		return Offer{}, err
	}
	return Offer{}, whyClosed(ctx, db.New(s.DB.Reader()), r, row)
}

// lastOffer is the citizen's registration with a number, and the last offer to it.
func (s *Service) lastOffer(ctx context.Context, c caller.Caller, number string) (r db.PreschoolRegistration, row db.PreschoolOffer, err error) {
	r, err = s.find(ctx, number)
	if errors.Is(err, problemNumber) || err == nil && r.CitizenID != c.Subject {
		return r, row, problemNoOffer
	} else if err != nil {
		return r, row, err
	}
	row, err = db.New(s.DB.Reader()).LastOffer(ctx, r.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return r, row, problemNoOffer
	} else if err != nil {
		return r, row, fmt.Errorf("find the last offer: %w", err)
	}
	return r, row, nil
}

func offerOf(row db.PreschoolOffer) Offer {
	return Offer{
		ID: row.ID, Number: row.Number, Kindergarten: row.Kindergarten, Name: Name{KY: row.NameKy, RU: row.NameRu},
		State: OfferState(row.State), Until: row.ExpiresAt.Time,
	}
}
