package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// The contexts that seal what an appeal holds, each with its id behind a colon.
const (
	appealPlate  = "fine.appeal.plate:"
	appealText   = "fine.appeal.text:"
	appealAnswer = "fine.appeal.answer:"
)

// appealLife is how long it is worth telling that an appeal was received or decided.
const appealLife = 7 * 24 * time.Hour

// groupAppeal is what the audit log says of an appeal: all of its row, whenever it changes.
const groupAppeal = "appeal"

func appealGroup(row db.FineAppeal) *audit.Group {
	return audit.Decided(groupAppeal).Text(row.ID, row.Number, row.CitizenID, row.Bill, row.OpenBill.String, row.Ground, row.State, row.TakenBy).
		Sealed(row.PlateSealed, row.TextSealed, row.AnswerSealed).Moment(row.ReceivedAt, row.TakenAt, row.EndedAt, row.DiscountAt)
}

// appeals opens rows.
func (s *Service) appeals(rows []db.FineAppeal) ([]Appeal, error) {
	list := make([]Appeal, 0, len(rows))
	for _, row := range rows {
		a, err := s.appeal(row)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// appeal opens a row.
func (s *Service) appeal(row db.FineAppeal) (Appeal, error) {
	a := Appeal{
		Number: row.Number, Bill: row.Bill, Ground: row.Ground, State: AppealState(row.State),
		ReceivedAt: row.ReceivedAt.Time, EndedAt: row.EndedAt.Time, DiscountUntil: row.DiscountAt.Time,
	}
	for _, column := range []struct {
		into    *string
		sealed  []byte
		context string
	}{{&a.Plate, row.PlateSealed, appealPlate}, {&a.Text, row.TextSealed, appealText}, {&a.Answer, row.AnswerSealed, appealAnswer}} {
		plain, err := s.Sealer.Open(column.sealed, column.context+row.ID)
		if err != nil {
			return a, fmt.Errorf("open the appeal %s: %w", row.ID, err)
		}
		*column.into = string(plain)
	}
	return a, nil
}

// keepAppeal keeps an appeal of the citizen's, who has to be proved on the phone until it is kept,
// or gives the one that is open if it says the same.
func (s *Service) keepAppeal(ctx context.Context, tx *store.Tx, c caller.Caller, a Appealed, until time.Time) (row db.FineAppeal, err error) {
	if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil || !held {
		return row, errors.Join(err, unproven(held))
	}
	q := db.New(tx)
	fresh, err := s.sealAppeal(c, a, until)
	if err != nil {
		return row, err
	}
	n, err := q.InsertAppeal(ctx, fresh)
	if err != nil {
		return row, fmt.Errorf("keep an appeal: %w", err)
	}
	if n == 0 {
		return s.sameAppeal(ctx, q, c, a)
	}
	step := trail.Step{
		Audit: audit.Entry{At: c.Now, Actor: c.Subject, Action: "fine.appeal", Purpose: Name}, Event: analytics.Of(c, Name, "fine.appeal", "done"),
	}
	if c.Phone != "" && !c.ByText() { // a text is answered with the same
		step.Messages = []notify.Message{{
			To: c.Phone, Locale: c.Locale, Purpose: notify.Receipt, About: c.Subject, Turn: c.Key, ExpiresAt: c.Now.Add(appealLife),
			Dedup: "fine.appeal:" + fresh.ID, Text: gsm.Pick(s.Texts.Message(c.Locale, "fine.appeal_sms", "appeal", fresh.Number)),
		}}
	}
	return s.leaveAppeal(ctx, tx, fresh.ID, nil, step)
}

// sealAppeal makes the row of an appeal that just came.
func (s *Service) sealAppeal(c caller.Caller, a Appealed, until time.Time) (row db.InsertAppealParams, err error) {
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return row, fmt.Errorf("make an appeal's id: %w", err)
	}
	row = db.InsertAppealParams{
		ID: id.String(), CitizenID: c.Subject, Bill: a.Bill, OpenBill: sql.NullString{String: a.Bill, Valid: true}, Ground: a.Ground,
		State: string(AppealReceived), ReceivedAt: dbtime.From(c.Now), DiscountAt: dbtime.From(until),
	}
	if row.Number, err = newAppealNumber(s.Random); err != nil {
		return row, err
	}
	for _, column := range []struct {
		into           *[]byte
		plain, context string
	}{{&row.PlateSealed, a.Plate, appealPlate}, {&row.TextSealed, a.Text, appealText}, {&row.AnswerSealed, "", appealAnswer}} {
		if *column.into, err = s.Sealer.Seal([]byte(column.plain), column.context+row.ID); err != nil {
			return row, fmt.Errorf("seal an appeal: %w", err)
		}
	}
	return row, nil
}

// errDrawn is of a number that another appeal has.
var errDrawn = errors.New("the number that was drawn is another appeal's")

// sameAppeal gives the open appeal of a fine where it is the citizen's and says the same.
func (s *Service) sameAppeal(ctx context.Context, q *db.Queries, c caller.Caller, a Appealed) (db.FineAppeal, error) {
	row, err := q.OpenAppeal(ctx, sql.NullString{String: a.Bill, Valid: true})
	if errors.Is(err, sql.ErrNoRows) {
		return row, errDrawn
	}
	if err != nil {
		return row, fmt.Errorf("find the open appeal of a fine: %w", err)
	}
	kept, err := s.appeal(row)
	if err != nil {
		return row, err
	}
	if row.CitizenID != c.Subject || kept.Ground != a.Ground || kept.Text != a.Text {
		return row, errAppealOpen
	}
	return row, nil
}

// leaveAppeal leaves the trail of a step in whose transaction an appeal was before, nil for none,
// and is now as its row says.
func (s *Service) leaveAppeal(ctx context.Context, tx *store.Tx, id string, before *db.FineAppeal, step trail.Step) (db.FineAppeal, error) {
	row, err := db.New(tx).GetAppeal(ctx, id)
	if err != nil {
		return row, fmt.Errorf("read an appeal: %w", err)
	}
	step.Audit.Object, step.Audit.Subject = row.ID, row.CitizenID
	step.Audit.Decided, step.Audit.Was = []*audit.Group{appealGroup(row)}, []*audit.Group{audit.None(groupAppeal)}
	if before != nil {
		step.Audit.Was = []*audit.Group{appealGroup(*before)}
	}
	return row, s.Trail.Leave(ctx, tx, step)
}

// holdAppeal locks an appeal's row as a step is about to move it to a state. Problems: fine_appeal
// (it is gone), fine_appeal_over (no such state follows).
func holdAppeal(ctx context.Context, q *db.Queries, id string, to AppealState) (db.FineAppeal, error) {
	row, err := q.HoldAppeal(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errNoAppeal
	}
	if err != nil {
		return row, fmt.Errorf("hold an appeal: %w", err)
	}
	if !AppealState(row.State).Open() {
		return row, errAppealOver
	}
	if !slices.Contains(appealMoves[AppealState(row.State)], to) {
		return row, errAppealUntaken
	}
	return row, nil
}

// endAppeal moves an appeal, whose row is held, to a state that is its last.
func (s *Service) endAppeal(ctx context.Context, tx *store.Tx, row db.FineAppeal, to AppealState, answer string, step trail.Step) (db.FineAppeal, error) {
	sealed, err := s.Sealer.Seal([]byte(answer), appealAnswer+row.ID)
	if err != nil {
		return row, fmt.Errorf("seal an answer: %w", err)
	}
	err = db.New(tx).EndAppeal(ctx, db.EndAppealParams{ID: row.ID, State: string(to), AnswerSealed: sealed, EndedAt: dbtime.From(step.Audit.At)})
	if err != nil {
		return row, fmt.Errorf("end an appeal: %w", err)
	}
	return s.leaveAppeal(ctx, tx, row.ID, &row, step)
}

// WithdrawAppeal ends an open appeal of the proven citizen c.Subject; one that they withdrew
// already stays so. Problems: fine_proof, fine_appeal (they have no such appeal),
// fine_appeal_over (it is decided).
func (s *Service) WithdrawAppeal(ctx context.Context, c caller.Caller, typed string) (Appeal, error) {
	if c.Subject == "" {
		return Appeal{}, errProof
	}
	if err := Assurance.Admit(c, "appeal.withdraw"); err != nil {
		return Appeal{}, err
	}
	var row db.FineAppeal
	err := s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		row, err = s.withdraw(ctx, tx, c, typed)
		return err
	})
	if err != nil {
		return Appeal{}, err
	}
	return s.appeal(row)
}

func (s *Service) withdraw(ctx context.Context, tx *store.Tx, c caller.Caller, typed string) (db.FineAppeal, error) {
	q := db.New(tx)
	row, err := appealRow(ctx, q, typed)
	if err == nil && row.CitizenID != c.Subject {
		err = errNoAppeal
	}
	if err != nil {
		return row, err
	}
	if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil || !held {
		return row, errors.Join(err, unproven(held))
	}
	held, err := holdAppeal(ctx, q, row.ID, AppealWithdrawn)
	if problem.Is(err, problem.Conflict) && held.State == string(AppealWithdrawn) {
		return held, nil
	}
	if err != nil {
		return held, err
	}
	return s.endAppeal(ctx, tx, held, AppealWithdrawn, "", trail.Step{
		Audit: audit.Entry{At: c.Now, Actor: c.Subject, Action: "fine.appeal_withdraw", Purpose: Name},
		Event: analytics.Of(c, Name, "fine.appeal_withdraw", "done"),
	})
}
