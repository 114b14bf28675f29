package identity

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// CheckCode takes a code that was sent to the caller's phone; challenge is the Sent's,
// or empty where it is not known. A code can be used once. It bears CodeTries wrong
// guesses with its challenge and as many without, a long one SharedTries. A guess is
// counted before it is compared, in one transaction, so that guesses made at once are
// no more.
func (s *Service) CheckCode(ctx context.Context, c caller.Caller, challenge, code string) error {
	return s.takeCode(ctx, c, challenge, code, func(*store.Tx) error { return nil })
}

// takeCode is CheckCode and what follows from a right guess, in the same transaction.
func (s *Service) takeCode(ctx context.Context, c caller.Caller, challenge, code string, then func(*store.Tx) error) error {
	if err := ownPhone(c); err != nil {
		return err
	}
	digits := len(asciiDigits(code))
	code, ok := parseCode(code, door(c) == doorOpen)
	if !ok && digits > CodeDigits && door(c) == doorOpen { // as a long one is mistyped
		return errCodeLong
	}
	if !ok {
		return errCodeFormat
	}
	var refused error
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		var err error
		if refused, err = s.checkCode(ctx, tx, c, challenge, code); err != nil || refused != nil {
			return err
		}
		return then(tx)
	})
	if err != nil {
		return fmt.Errorf("check a code: %w", err)
	}
	return refused
}

// checkCode gives the refusal apart from the error: the guess stays counted.
func (s *Service) checkCode(ctx context.Context, tx *store.Tx, c caller.Caller, challenge, code string) (refused, err error) {
	q, now, phone := db.New(tx), dbtime.From(c.Now), s.phoneIndex(c.Phone)
	live, err := q.LiveCodes(ctx, db.LiveCodesParams{PhoneIndex: phone, Door: door(c), ExpiresAt: now})
	if err != nil {
		return nil, err
	}
	var missed guess
	for _, row := range live { // a stranger's code is the owner's as well: it came to the phone
		if row.Shared != (len(code) == SharedDigits) {
			continue
		}
		g, err := tryCode(ctx, q, row, door(c) == doorNetwork || row.ID == challenge, now)
		if errors.Is(err, sql.ErrNoRows) {
			continue // it bears no more
		}
		if err != nil {
			return nil, err
		}
		of := sentCode{id: row.ID, phone: phone, door: door(c), shared: row.Shared, expires: row.ExpiresAt}
		if hmac.Equal([]byte(g.mac), []byte(s.codeMAC(of, code))) {
			if _, err := q.UseCode(ctx, db.UseCodeParams{UsedAt: now, ID: row.ID}); err != nil {
				return nil, err
			}
			return nil, s.Trail.Leave(ctx, tx, s.checked(c, "code", "done", row.ID, phone))
		}
		missed = missed.or(g)
	}
	if missed.id == "" {
		return errCodeVoid, nil
	}
	if missed.made > CodeTries { // the audit log says that a code was guessed at, not how long
		return missed.refusal(), nil
	}
	return missed.refusal(), s.Trail.Leave(ctx, tx, s.checked(c, "code", "refused", missed.id, phone))
}

// guess is one that was counted against a code.
type guess struct {
	id, mac    string
	made, left int
}

// tryCode counts a guess at a code, and gives sql.ErrNoRows where it bears none: the
// update waits for a guess under way and looks at the counter again. own is a guess by
// who asked for it.
func tryCode(ctx context.Context, q *db.Queries, code db.LiveCodesRow, own bool, now dbtime.Time) (guess, error) {
	if own && !code.Shared {
		row, err := q.TryCode(ctx, db.TryCodeParams{ID: code.ID, Tries: CodeTries, ExpiresAt: now})
		return guess{id: code.ID, mac: row.CodeMac, made: int(row.Tries), left: CodeTries - int(row.Tries)}, err
	}
	bears := int64(CodeTries)
	if code.Shared {
		bears = SharedTries
	}
	row, err := q.TryUnbound(ctx, db.TryUnboundParams{ID: code.ID, UnboundTries: bears, ExpiresAt: now})
	return guess{id: code.ID, mac: row.CodeMac, made: int(row.UnboundTries), left: int(bears - row.UnboundTries)}, err
}

// or keeps of two guesses the one after which more may follow.
func (g guess) or(other guess) guess {
	if g.id == "" || other.left > g.left {
		return other
	}
	return g
}

// refusal is what is told of a wrong guess.
func (g guess) refusal() *problem.Error {
	switch {
	case g.left == 0:
		return errCodeVoid
	case g.left >= CodeTries:
		return errCodeLong
	}
	return errCodeWrong(g.left)
}

// checked is what a check leaves behind: that it was made, and that it is counted.
func (s *Service) checked(c caller.Caller, step, outcome, object, subject string, decided ...*audit.Group) trail.Step {
	return trail.Step{
		Audit: s.entry(c, step, outcome, object, subject, decided...),
		Event: analytics.Of(c, ServiceName, step+"_checked", outcome),
	}
}

// entry is what the audit log keeps of something that the caller's phone did.
func (s *Service) entry(c caller.Caller, step, outcome, object, subject string, decided ...*audit.Group) audit.Entry {
	return audit.Entry{
		At: c.Now, Actor: "phone:" + s.phoneIndex(c.Phone), Action: "identity." + step + "." + outcome, Purpose: "identification",
		Object: object, Subject: subject, Decided: decided,
	}
}
