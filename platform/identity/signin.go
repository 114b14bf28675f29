package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// The rules of sign-ins.
const (
	// SignInIdles is how long a sign-in bears to be given no tokens.
	SignInIdles = 30 * 24 * time.Hour
	// SignInLasts is how long a code is good for at most: numbers are recycled, and no
	// operator tells of each.
	SignInLasts = 90 * 24 * time.Hour
	// SignInsAtMost is how many devices of a phone are signed in at once: one more ends
	// the one that was used least lately.
	SignInsAtMost = 10
	// DeviceNameAtMost is what is kept of a device's name, in characters.
	DeviceNameAtMost = 64
	// forgetAfter is how long a sign-in that is over is kept.
	forgetAfter = 24 * time.Hour
)

// Why a sign-in ended, in identity_sign_ins.ended_by, beside what its queries name.
const (
	endedSignedOut = "signed_out"
	endedReused    = "reused"
	endedCut       = "cut"
)

var errSignIn = problem.New(problem.NotFound, "problem.identity_sign_in_absent")

// SignIn is a device that a phone is signed in on over REST.
type SignIn struct {
	ID     string
	Device string // as its app named it; "" where it did not
	// BegunAt is when the code was used, UsedAt when it was last given tokens.
	BegunAt, UsedAt time.Time
	ExpiresAt       time.Time // unless it is given tokens before
	Current         bool      // the caller's own
}

// SignIns lists where the caller's phone is signed in, the one used last first. current
// is the Principal's SignIn.
func (s *Service) SignIns(ctx context.Context, c caller.Caller, current string) ([]SignIn, error) {
	rows, err := db.New(s.DB.Reader()).SignIns(ctx, db.SignInsParams{PhoneIndex: s.phoneIndex(c.Phone), ExpiresAt: dbtime.From(c.Now)})
	if err != nil {
		return nil, fmt.Errorf("list a phone's sign-ins: %w", err)
	}
	list := make([]SignIn, 0, len(rows))
	for _, row := range rows {
		device, err := s.Sealer.Open(row.LabelSealed, deviceContext)
		if err != nil {
			return nil, fmt.Errorf("open a device's name: %w", err)
		}
		list = append(list, SignIn{
			ID: row.ID, Device: string(device), BegunAt: row.BegunAt.Time, UsedAt: row.UsedAt.Time, ExpiresAt: row.ExpiresAt.Time,
			Current: row.ID == current,
		})
	}
	return list, nil
}

// SignOut ends a sign-in of the caller's phone: its tokens are refused from then on, and nobody
// stays proved on the phone, in any session. One of another phone is absent, and so is one that has ended.
func (s *Service) SignOut(ctx context.Context, c caller.Caller, id string) error {
	index := s.phoneIndex(c.Phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lapseProofs(ctx, q, index, c.Now); err != nil {
			return err
		}
		row, err := q.EndSignIn(ctx, db.EndSignInParams{
			EndedAt: dbtime.From(c.Now), EndedBy: endedSignedOut, ID: id, PhoneIndex: index,
		})
		if errors.Is(err, sql.ErrNoRows) {
			return errSignIn
		}
		if err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: s.ended(c, "sign_out", "done", row)})
	})
	if err != nil && !errors.Is(err, errSignIn) {
		return fmt.Errorf("sign out: %w", err)
	}
	return err
}

// begin makes a sign-in for the caller's phone, with its first refresh token.
func (s *Service) begin(ctx context.Context, tx *store.Tx, c caller.Caller, device string, generation int64) (db.IdentitySignIn, string, error) {
	id, err := s.newID()
	if err != nil {
		return db.IdentitySignIn{}, "", err
	}
	row := db.IdentitySignIn{
		ID: id, PhoneIndex: s.phoneIndex(c.Phone), Generation: generation,
		BegunAt: dbtime.From(c.Now), UsedAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(SignInIdles)),
	}
	if row.PhoneSealed, err = s.Sealer.Seal([]byte(c.Phone), signInContext); err != nil {
		return row, "", err
	}
	if row.LabelSealed, err = s.Sealer.Seal([]byte(deviceName(device)), deviceContext); err != nil {
		return row, "", err
	}
	q := db.New(tx)
	if err := q.BeginSignIn(ctx, db.BeginSignInParams{
		ID: id, PhoneIndex: row.PhoneIndex, PhoneSealed: row.PhoneSealed, LabelSealed: row.LabelSealed, Generation: generation,
		BegunAt: row.BegunAt, ExpiresAt: row.ExpiresAt,
	}); err != nil {
		return row, "", err
	}
	if err := s.replaceSignIns(ctx, tx, c, row.PhoneIndex); err != nil {
		return row, "", err
	}
	token, err := s.newRefreshToken()
	if err != nil {
		return row, "", err
	}
	mac := s.refreshMAC(token)
	if err := q.AddRefreshToken(ctx, db.AddRefreshTokenParams{TokenMac: mac, SignInID: id}); err != nil {
		return row, "", err
	}
	return row, token, s.Trail.Leave(ctx, tx, trail.Step{Audit: s.entry(c, "sign_in", "done", id, row.PhoneIndex, signInOf(row), refreshOf(mac))})
}

// replaceSignIns ends those of the phone that are more than SignInsAtMost.
func (s *Service) replaceSignIns(ctx context.Context, tx *store.Tx, c caller.Caller, index string) error {
	ended, err := db.New(tx).ReplaceSignIns(ctx, db.ReplaceSignInsParams{EndedAt: dbtime.From(c.Now), PhoneIndex: index, N: SignInsAtMost})
	if err != nil {
		return err
	}
	if len(ended) > 0 {
		if err := s.endProofs(ctx, db.New(tx), index, c.Now); err != nil {
			return err
		}
	}
	for _, row := range ended {
		if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: s.ended(c, "sign_in", "replaced", row)}); err != nil {
			return err
		}
	}
	return nil
}

// ended is what the audit log keeps of the end of a sign-in, which stood until then.
func (s *Service) ended(c caller.Caller, step, outcome string, row db.IdentitySignIn) audit.Entry {
	entry := s.entry(c, step, outcome, row.ID, row.PhoneIndex, signInOf(row))
	row.EndedAt, row.EndedBy = dbtime.Time{}, ""
	entry.Was = []*audit.Group{signInOf(row)}
	return entry
}

// ForgetSignIns deletes the sign-ins that are over, with their refresh tokens.
func (s *Service) ForgetSignIns(ctx context.Context) error {
	for {
		var n int64
		err := s.DB.InTx(ctx, func(tx *store.Tx) error {
			var err error
			n, err = db.New(tx).ForgetSignIns(ctx, dbtime.From(s.Now().Add(-forgetAfter)))
			return err
		})
		if err != nil {
			return fmt.Errorf("forget sign-ins that are over: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// deviceName is what is kept of a name that an app gives: one line of so many characters.
func deviceName(typed string) string {
	shown := strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return -1
	}, typed)
	name := []rune(strings.Join(strings.Fields(shown), " "))
	return string(name[:min(len(name), DeviceNameAtMost)])
}
