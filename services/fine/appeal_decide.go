package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

var (
	errAppealUntaken  = problem.New(problem.Conflict, "problem.fine_appeal_untaken")
	errAppealDecision = problem.New(problem.Invalid, "problem.fine_appeal_decision")
	errAppealAnswer   = problem.New(problem.Invalid, "problem.fine_appeal_answer", "n", AppealLeast, "most", AppealMost)
)

// Waiting is an appeal that nobody decided, as a list of officers has it: not what it says.
type Waiting struct {
	Number     string
	Ground     string
	State      AppealState
	TakenBy    string // the officer, as the audit log names them; empty: nobody
	ReceivedAt time.Time
}

// WaitingAppeals lists the open appeals, the first one first, AppealsShown at most.
func (s *Service) WaitingAppeals(ctx context.Context) ([]Waiting, error) {
	rows, err := db.New(s.DB.Reader()).OpenAppeals(ctx, AppealsShown)
	if err != nil {
		return nil, fmt.Errorf("list the appeals that wait: %w", err)
	}
	list := make([]Waiting, 0, len(rows))
	for _, row := range rows {
		list = append(list, Waiting{row.Number, row.Ground, AppealState(row.State), row.TakenBy, row.ReceivedAt.Time})
	}
	return list, nil
}

// Case is an appeal as the officer sees it who decides it.
type Case struct {
	Appeal
	TakenBy string
	// Resolution is the number of the fine's resolution; empty: the register never told it.
	Resolution string
}

// AppealCase shows an appeal to an officer: the person is told that it was looked at, and why.
// Problem: fine_appeal.
func (s *Service) AppealCase(ctx context.Context, act staff.Act, typed string) (shown Case, err error) {
	var row db.FineAppeal
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if row, err = appealRow(ctx, q, typed); err != nil {
			return err
		}
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: s.Now(), Actor: act.Actor, Action: "fine.appeal_read", Object: row.ID, Subject: row.CitizenID, Purpose: act.Reason,
		}})
	})
	if err != nil {
		return shown, err
	}
	return s.appealCase(ctx, row)
}

func (s *Service) appealCase(ctx context.Context, row db.FineAppeal) (shown Case, err error) {
	shown.TakenBy = row.TakenBy
	q := db.New(s.DB.Reader())
	if shown.Appeal, err = s.whole(ctx, q, row); err != nil {
		return shown, err
	}
	shown.Resolution, err = q.ProtocolOf(ctx, row.Bill)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return shown, fmt.Errorf("read a resolution's number: %w", err)
	}
	return shown, nil
}

// TakeAppeal has an officer be the one who decides an appeal, in place of another if somebody took
// it. Taking it again changes nothing. Problems: fine_appeal, fine_appeal_over.
func (s *Service) TakeAppeal(ctx context.Context, act staff.Act, typed string) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		found, err := appealRow(ctx, q, typed)
		if err != nil {
			return err
		}
		row, err := holdAppeal(ctx, q, found.ID, AppealTaken)
		if err != nil {
			return err
		}
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if row.TakenBy == act.Actor {
			return nil
		}
		now := s.Now()
		err = q.TakeAppeal(ctx, db.TakeAppealParams{ID: row.ID, State: string(AppealTaken), TakenBy: act.Actor, TakenAt: dbtime.From(now)})
		if err != nil {
			return fmt.Errorf("take an appeal: %w", err)
		}
		_, err = s.leaveAppeal(ctx, tx, row.ID, &row, trail.Step{
			Audit: audit.Entry{At: now, Actor: act.Actor, Action: "fine.appeal_take", Purpose: act.Reason},
			Event: analytics.Of(caller.Caller{Channel: caller.Staff, Now: now}, Name, "fine.appeal_take", "done"),
		})
		return err
	})
}

// DecideAppeal ends an appeal as the officer who took it decided; answer is why, for the person,
// whose phones are told: see Heard. The fine is the register's: it is neither cancelled here nor changed.
// Problems: fine_appeal, fine_appeal_over, fine_appeal_untaken (the officer did not take it),
// fine_appeal_decision (neither accepted nor rejected), fine_appeal_answer.
func (s *Service) DecideAppeal(ctx context.Context, act staff.Act, typed string, to AppealState, answer string) error {
	if to != AppealAccepted && to != AppealRejected {
		return errAppealDecision
	}
	answer, err := written(answer)
	if err != nil {
		return errAppealAnswer
	}
	row, err := appealRow(ctx, db.New(s.DB.Reader()), typed)
	if err != nil {
		return err
	}
	var fine owed
	if to == AppealRejected && row.TakenBy == act.Actor { // else it is refused
		if fine, err = s.owes(ctx, row, s.Now()); err != nil {
			return err
		}
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		return s.decide(ctx, tx, act, decision{number: typed, to: to, answer: answer, fine: fine})
	})
}

// decision is how an officer decides an appeal.
type decision struct {
	number string // as typed
	to     AppealState
	answer string
	fine   owed
}

func (s *Service) decide(ctx context.Context, tx *store.Tx, act staff.Act, d decision) error {
	q, now := db.New(tx), s.Now()
	found, err := appealRow(ctx, q, d.number)
	if err != nil {
		return err
	}
	// Before the appeal's row: so do the person's own steps.
	phones, err := s.Identity.PhonesToTell(ctx, tx, found.CitizenID, now)
	if err != nil {
		return fmt.Errorf("look whom a decision is told: %w", err)
	}
	row, err := holdAppeal(ctx, q, found.ID, d.to)
	if err == nil && row.TakenBy != act.Actor {
		err = errAppealUntaken
	}
	if err != nil {
		return err
	}
	if err := act.Record(ctx, tx); err != nil {
		return err
	}
	told, err := s.tellDecided(row, decidedKey(row, d.to, d.fine, now), phones, now)
	if err != nil {
		return err
	}
	_, err = s.endAppeal(ctx, tx, row, d.to, d.answer, trail.Step{
		Audit:    audit.Entry{At: now, Actor: act.Actor, Action: "fine.appeal_" + string(d.to), Purpose: act.Reason},
		Event:    analytics.Of(caller.Caller{Channel: caller.Staff, Now: now}, Name, "fine.appeal_"+string(d.to), "done"),
		Messages: told,
	})
	return err
}

// appealsForgotten is how many appeals one round forgets.
const appealsForgotten = 100

// ForgetAppeals deletes the appeals that ended long ago.
func (s *Service) ForgetAppeals(ctx context.Context) error {
	now := s.Now()
	before := dbtime.From(now.AddDate(0, 0, -policy.Value("appeal.keep_days", now)))
	rows, err := db.New(s.DB.Reader()).AppealsEnded(ctx, db.AppealsEndedParams{EndedAt: before, Limit: appealsForgotten})
	if err != nil {
		return fmt.Errorf("list the appeals that ended long ago: %w", err)
	}
	var failed []error
	for _, row := range rows {
		failed = append(failed, s.DB.InTx(ctx, func(tx *store.Tx) error {
			return s.eraseAppeal(ctx, tx, row.ID, audit.Entry{At: now, Actor: "system", Purpose: "it ended long ago"})
		}))
	}
	return errors.Join(failed...)
}

// eraseAppeal deletes an appeal with its files, whatever became of it; one that is gone stays so.
func (s *Service) eraseAppeal(ctx context.Context, tx *store.Tx, id string, e audit.Entry) error {
	q := db.New(tx)
	row, err := q.HoldAppeal(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("hold an appeal: %w", err)
	}
	if err := s.eraseFiles(ctx, tx, row, e); err != nil {
		return err
	}
	if err := q.DeleteAppeal(ctx, row.ID); err != nil {
		return fmt.Errorf("erase an appeal: %w", err)
	}
	e.Action, e.Object, e.Subject = "fine.appeal_erase", row.ID, row.CitizenID
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: e})
}
