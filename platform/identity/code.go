package identity

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// The rules of one-time codes.
const (
	// CodeDigits is the length of a code.
	CodeDigits = 6
	// CodeLasts is how long a code can be used.
	CodeLasts = 10 * time.Minute
	// CodeTries is how many guesses a code bears.
	CodeTries = 5
	// CodesAtMost is how many codes a phone's own calls and texts get in any span
	// of CodesPer, whatever is asked for elsewhere.
	CodesAtMost = 3
	CodesPer    = 10 * time.Minute
	// VerifiedLasts is how long after its code a phone counts as being in its
	// owner's hand, so that a dropped call goes on without a new code.
	VerifiedLasts = 30 * time.Minute
)

// The problems of codes.
var (
	errCodeFormat = problem.New(problem.Invalid, "problem.identity_code_format")
	errCodeLong   = problem.New(problem.Unauthenticated, "problem.identity_code_long")
	errCodeVoid   = problem.New(problem.Unauthenticated, "problem.identity_code_void")
	errCodeNeeded = problem.New(problem.Unauthenticated, "problem.identity_code_needed")
)

// errCodesMany is the problem of a code beyond the n of a span of CodesPer.
func errCodesMany(n int) *problem.Error {
	return problem.New(problem.TooMany, "problem.identity_codes_many", "n", n)
}

// mostOf is how many messages with codes the caller's door gives in CodesPer.
func mostOf(c caller.Caller) int {
	if door(c) == doorOpen {
		return OpenAtMost
	}
	return CodesAtMost
}

// errCodeWrong is the problem of a wrong guess after which n more may follow.
func errCodeWrong(n int) *problem.Error {
	return problem.New(problem.Unauthenticated, "problem.identity_code_wrong", "n", n)
}

// Sent is what the one who asked for a code may know of it.
type Sent struct {
	// Challenge names the code to CheckCode. It is for who asked: guesses that come
	// with it are counted apart from all others.
	Challenge string
	SentAt    time.Time // of the message, which may have been sent before
	ExpiresAt time.Time
	AgainAt   time.Time // from when a request has another message sent
}

// SendCode sends a new one-time code to the caller's phone; earlier codes of its own
// calls become void. The same turn sends one code however often it is repeated, and
// what was sent is told the first time only.
func (s *Service) SendCode(ctx context.Context, c caller.Caller) (Sent, error) {
	if err := ownPhone(c); err != nil {
		return Sent{}, err
	}
	index := s.phoneIndex(c.Phone)
	if door(c) == doorNetwork {
		if err := s.holdFlood(ctx, index, c.Now); err != nil {
			return Sent{}, err
		}
	}
	// Once before it costs a transaction, and once more in it, where few are at once.
	sent, refused, err := s.beforeCode(ctx, db.New(s.DB.Reader()), c, index)
	if err = cmp.Or(err, refused); err != nil || sent.Challenge != "" {
		return sent, err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		var err error
		sent, refused, err = s.sendCode(ctx, tx, c, index)
		return err
	})
	if err != nil {
		return Sent{}, fmt.Errorf("send a code: %w", err)
	}
	return sent, refused
}

// beforeCode gives the code that the phone was sent already and that is for all who
// ask, or refuses what looks like pumping: its first error is the refusal.
func (s *Service) beforeCode(ctx context.Context, q *db.Queries, c caller.Caller, index string) (sent Sent, refused, err error) {
	if door(c) == doorNetwork {
		return Sent{}, nil, nil
	}
	record, err := s.record(ctx, q, c, index)
	if err != nil {
		return Sent{}, nil, err
	}
	if p := record.plan(c.Now); p.attach != nil {
		return p.attached(c.Now), nil, nil
	}
	refused, err = s.heldBack(ctx, q, c, index)
	return Sent{}, refused, err
}

// holdFlood refuses a phone that asks too often. A limiter that cannot count lets
// pass: the count in SQL does not fail so.
func (s *Service) holdFlood(ctx context.Context, index string, now time.Time) error {
	if ok, wait, err := s.Limiter.Allow(ctx, "code:"+doorNetwork+":"+index, flood.Rate); err == nil && !ok {
		return errCodesMany(CodesAtMost).Until(now, wait)
	}
	return nil
}

// sendCode gives the refusal apart from the error: what it counted is committed.
func (s *Service) sendCode(ctx context.Context, tx *store.Tx, c caller.Caller, index string) (sent Sent, refused, err error) {
	q := db.New(tx)
	if err := s.lockPhone(ctx, q, index, c.Now); err != nil {
		return Sent{}, nil, err
	}
	id, err := s.newID()
	if err != nil {
		return Sent{}, nil, err
	}
	turn := id
	if c.Key != "" {
		turn = s.Sealer.Index(turnPurpose, c.Phone+"|"+c.Key)
	}
	if n, err := q.CodeOfTurn(ctx, turn); err != nil || n > 0 {
		return Sent{}, nil, err
	}
	record, err := s.record(ctx, q, c, index)
	if err != nil {
		return Sent{}, nil, err
	}
	p := record.planFor(c)
	if p.attach != nil {
		return p.attached(c.Now), nil, nil
	}
	if p.wait > 0 {
		refused = errCodesMany(mostOf(c)).Until(c.Now, p.wait)
		return Sent{}, refused, s.Trail.Leave(ctx, tx, trail.Step{Event: analytics.Of(c, ServiceName, "code_sent", "refused")})
	}
	if refused, err := s.heldBack(ctx, q, c, index); err != nil || refused != nil {
		return Sent{}, refused, err
	}
	if door(c) == doorNetwork {
		if err := q.VoidCodes(ctx, db.VoidCodesParams{VoidAt: dbtime.From(c.Now), PhoneIndex: index, Door: doorNetwork}); err != nil {
			return Sent{}, nil, err
		}
	}
	made, err := s.makeCode(ctx, tx, c, db.InsertCodeParams{ID: id, PhoneIndex: index, Turn: turn, Shared: p.shared})
	if err != nil {
		return Sent{}, nil, err
	}
	record = append(record, made)
	sent = Sent{Challenge: id, SentAt: c.Now, ExpiresAt: made.ExpiresAt.Time, AgainAt: record.planFor(c).againAt(c.Now)}
	return sent, nil, nil
}

// makeCode makes a code, with the message that tells it and the count of it. row says whose it is and whether it
// is a long one for all who ask.
func (s *Service) makeCode(ctx context.Context, tx *store.Tx, c caller.Caller, row db.InsertCodeParams) (db.CodesSinceRow, error) {
	digits, lasts := CodeDigits, CodeLasts
	if row.Shared {
		digits, lasts = SharedDigits, SharedLasts
	}
	code, err := s.newCode(digits)
	if err != nil {
		return db.CodesSinceRow{}, err
	}
	from, expires := s.origin(c), c.Now.Add(lasts)
	row.AddressIndex, row.BlockIndex, row.Door = from.address, from.block, door(c)
	row.SentAt, row.ExpiresAt = dbtime.From(c.Now), dbtime.From(expires)
	row.CodeMac = s.codeMAC(sentCode{id: row.ID, phone: row.PhoneIndex, door: row.Door, shared: row.Shared, expires: row.ExpiresAt}, code)
	if err := db.New(tx).InsertCode(ctx, row); err != nil {
		return db.CodesSinceRow{}, err
	}
	err = s.Trail.Leave(ctx, tx, trail.Step{
		Event: analytics.Of(c, ServiceName, "code_sent", "done"),
		Messages: []notify.Message{{
			To: c.Phone, Text: gsm.Pick(s.Texts.Message(c.Locale, "identity.code_sms", "otp", inGroups(code))),
			Purpose: notify.Code, Locale: c.Locale, ExpiresAt: expires, Dedup: "identity.code:" + row.ID,
		}},
	})
	return db.CodesSinceRow{ID: row.ID, SentAt: row.SentAt, ExpiresAt: row.ExpiresAt, Shared: row.Shared}, err
}

// inGroups writes a long code as people read it off: 1234 5678 9012.
func inGroups(code string) string {
	if len(code) <= CodeDigits {
		return code
	}
	var groups []string
	for group := range slices.Chunk([]byte(code), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, " ")
}

// The doors a code can be asked for and used at. A stranger's requests and
// guesses at the open one cost the phone's own call nothing.
const (
	doorNetwork = "network" // the operator vouches for the phone
	doorOpen    = "open"    // anybody can name any phone
)

func door(c caller.Caller) string {
	if c.Channel == caller.USSD || c.Channel == caller.SMS {
		return doorNetwork
	}
	return doorOpen
}

// codeLives reports that the phone has a code that can still be used.
func (s *Service) codeLives(ctx context.Context, c caller.Caller) (bool, error) {
	_, err := db.New(s.DB.Reader()).LiveCode(ctx, db.LiveCodeParams{
		PhoneIndex: s.phoneIndex(c.Phone), Door: door(c), Tries: CodeTries, ExpiresAt: dbtime.From(c.Now),
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a code: %w", err)
	}
	return true, nil
}

// verified reports that a code was typed within VerifiedLasts. In a call or by text any code of the
// phone's counts: the SIM card is in hand, and any code comes to it. Over REST only the one by which
// the app that asks signed in: one that is typed elsewhere says nothing of who has a device that was
// signed in long ago.
func (s *Service) verified(ctx context.Context, c caller.Caller) (bool, error) {
	if c.Channel == caller.REST {
		n, err := db.New(s.DB.Reader()).SignInBegan(ctx, db.SignInBeganParams{
			ID: c.Session, PhoneIndex: s.phoneIndex(c.Phone), BegunAt: dbtime.From(c.Now.Add(-VerifiedLasts)),
		})
		if err != nil {
			return false, fmt.Errorf("look when an app signed in: %w", err)
		}
		return n > 0, nil
	}
	n, err := db.New(s.DB.Reader()).UsedSince(ctx, db.UsedSinceParams{
		PhoneIndex: s.phoneIndex(c.Phone), UsedAt: dbtime.From(c.Now.Add(-VerifiedLasts)),
	})
	if err != nil {
		return false, fmt.Errorf("look for a used code: %w", err)
	}
	return n > 0, nil
}

// newCode makes a code of so many digits.
func (s *Service) newCode(digits int) (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	codes := uint64(1)
	for range digits {
		codes *= 10
	}
	// Of 2^64 values the remainder favours some codes by one in 10^13, of the long
	// ones by one in 10^7.
	return fmt.Sprintf("%0*d", digits, binary.BigEndian.Uint64(b[:])%codes), nil
}
