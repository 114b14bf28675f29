package identity

import (
	"cmp"
	"context"
	"crypto/hmac"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
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
	// CodesOpen is how many may be asked for over REST, where anybody can name any
	// phone; with those of the phone's own calls they are CodesAtMost at most.
	CodesOpen = CodesAtMost - 1
	// VerifiedLasts is how long after its code a phone counts as being in its
	// owner's hand, so that a dropped call goes on without a new code.
	VerifiedLasts = 30 * time.Minute
)

// flood bounds requests for codes, granted or not, before they cost a
// transaction. What is promised is counted in SQL.
var flood = limit.Rate{N: 20, Per: CodesPer}

// The problems of codes.
var (
	errCodesMany  = problem.New(problem.TooMany, "problem.identity_codes_many")
	errCodeFormat = problem.New(problem.Invalid, "problem.identity_code_format")
	errCodeVoid   = problem.New(problem.Unauthenticated, "problem.identity_code_void")
	errCodeNeeded = problem.New(problem.Unauthenticated, "problem.identity_code_needed")
)

// errCodeWrong is the problem of a wrong guess after which n more may follow.
func errCodeWrong(n int) *problem.Error {
	return problem.New(problem.Unauthenticated, "problem.identity_code_wrong", "n", n)
}

// SendCode sends a new one-time code to the caller's phone; earlier codes become
// void. The same turn sends one code however often it is repeated.
func (s *Service) SendCode(ctx context.Context, c caller.Caller) error {
	if err := ownPhone(c); err != nil {
		return err
	}
	index := s.phoneIndex(c.Phone)
	if err := s.holdFlood(ctx, c, index); err != nil {
		return err
	}
	// Once before it costs a transaction, and once more in it, where few are at once.
	refused, err := s.heldBack(ctx, db.New(s.DB.Reader()), c, index)
	if err != nil || refused != nil {
		return cmp.Or(err, refused)
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		var err error
		refused, err = s.sendCode(ctx, tx, c, index)
		return err
	})
	if err != nil {
		return fmt.Errorf("send a code: %w", err)
	}
	return refused
}

// holdFlood refuses who asks too often. Each door of a phone is counted apart:
// requests of strangers must not keep the phone's own call out. A limiter that
// cannot count lets pass: the count in SQL does not fail so.
func (s *Service) holdFlood(ctx context.Context, c caller.Caller, index string) error {
	if ok, wait, err := s.Limiter.Allow(ctx, "code:"+door(c)+":"+index, flood); err == nil && !ok {
		return errCodesMany.After(wait)
	}
	return nil
}

// sendCode gives the refusal apart from the error: what it counted is committed.
func (s *Service) sendCode(ctx context.Context, tx *store.Tx, c caller.Caller, index string) (refused, err error) {
	q := db.New(tx)
	if err := s.lockPhone(ctx, q, index, c.Now); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	turn := id
	if c.Turn != "" {
		turn = s.Sealer.Index(turnPurpose, c.Phone+"|"+c.Turn)
	}
	if n, err := q.CodeOfTurn(ctx, turn); err != nil || n > 0 {
		return nil, err
	}
	sent, err := q.CodesSince(ctx, db.CodesSinceParams{PhoneIndex: index, SentAt: dbtime.From(c.Now.Add(-CodesPer))})
	if err != nil {
		return nil, err
	}
	if wait := codesWait(sent, c); wait > 0 {
		return errCodesMany.After(wait), s.Recorder.InTx(ctx, tx, analytics.Of(c, ServiceName, "code_sent", "refused"))
	}
	if refused, err := s.heldBack(ctx, q, c, index); err != nil || refused != nil {
		return refused, err
	}
	now := dbtime.From(c.Now)
	if err := q.VoidCodes(ctx, db.VoidCodesParams{VoidAt: now, PhoneIndex: index, Door: door(c)}); err != nil {
		return nil, err
	}
	code, err := s.newCode()
	if err != nil {
		return nil, err
	}
	expires := c.Now.Add(CodeLasts)
	from := s.origin(c)
	err = q.InsertCode(ctx, db.InsertCodeParams{
		AddressIndex: from.address, BlockIndex: from.block,
		ID: id, PhoneIndex: index, Door: door(c), Turn: turn, CodeMac: s.codeMAC(id, code), SentAt: now, ExpiresAt: dbtime.From(expires),
	})
	if err != nil {
		return nil, err
	}
	err = s.Outbox.Send(ctx, tx, notify.Message{
		To: c.Phone, Text: gsm.Pick(s.Catalogue.Message(c.Locale, "identity.code_sms", "code", code)),
		Purpose: notify.Code, Locale: c.Locale, ExpiresAt: expires, Dedup: "identity.code:" + id,
	})
	if err != nil {
		return nil, err
	}
	return nil, s.Recorder.InTx(ctx, tx, analytics.Of(c, ServiceName, "code_sent", "done"))
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

// codesWait is how long the caller must wait for another code after those sent
// within CodesPer; zero: not at all. What others ask for over REST is not counted
// against the phone's own call; what the call asked for is against them.
func codesWait(sent []db.CodesSinceRow, c caller.Caller) time.Duration {
	var open, network []dbtime.Time
	for _, code := range sent {
		if code.Door == doorOpen {
			open = append(open, code.SentAt)
		} else {
			network = append(network, code.SentAt)
		}
	}
	if door(c) == doorNetwork {
		return codesExcess(network, CodesAtMost, c.Now)
	}
	all := make([]dbtime.Time, 0, len(sent))
	for _, code := range sent {
		all = append(all, code.SentAt)
	}
	return max(codesExcess(all, CodesAtMost, c.Now), codesExcess(open, CodesOpen, c.Now))
}

// codesExcess is how long until fewer than atMost of the codes sent count.
func codesExcess(sent []dbtime.Time, atMost int, now time.Time) time.Duration {
	if len(sent) < atMost {
		return 0
	}
	return sent[len(sent)-atMost].Add(CodesPer).Sub(now)
}

// CheckCode takes the code that was sent to the caller's phone. It can be used
// once; after CodeTries wrong guesses it is void. A guess is counted before it
// is compared, in one transaction, so that guesses made at once are no more.
func (s *Service) CheckCode(ctx context.Context, c caller.Caller, code string) error {
	if err := ownPhone(c); err != nil {
		return err
	}
	code, ok := parseCode(code)
	if !ok {
		return errCodeFormat
	}
	var refused error
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		var err error
		refused, err = s.checkCode(ctx, tx, c, code)
		return err
	})
	if err != nil {
		return fmt.Errorf("check a code: %w", err)
	}
	return refused
}

// checkCode gives the refusal apart from the error: the guess stays counted.
func (s *Service) checkCode(ctx context.Context, tx *store.Tx, c caller.Caller, code string) (refused, err error) {
	q, index, now := db.New(tx), s.phoneIndex(c.Phone), dbtime.From(c.Now)
	id, err := q.LiveCode(ctx, db.LiveCodeParams{PhoneIndex: index, Door: door(c), Tries: CodeTries, ExpiresAt: now})
	if errors.Is(err, sql.ErrNoRows) {
		return errCodeVoid, nil
	}
	if err != nil {
		return nil, err
	}
	// The update waits for a guess under way and looks at the counter again.
	row, err := q.TryCode(ctx, db.TryCodeParams{ID: id, Tries: CodeTries, ExpiresAt: now})
	if errors.Is(err, sql.ErrNoRows) {
		return errCodeVoid, nil
	}
	if err != nil {
		return nil, err
	}
	if !hmac.Equal([]byte(row.CodeMac), []byte(s.codeMAC(id, code))) {
		return s.wrongCode(ctx, tx, c, id, int(row.Tries))
	}
	if _, err := q.UseCode(ctx, db.UseCodeParams{UsedAt: now, ID: id}); err != nil {
		return nil, err
	}
	return nil, s.note(ctx, tx, c, "code", "done", audit.Entry{Object: id, Subject: index})
}

func (s *Service) wrongCode(ctx context.Context, tx *store.Tx, c caller.Caller, id string, tries int) (refused, err error) {
	refused = errCodeWrong(CodeTries - tries)
	if tries >= CodeTries {
		refused = errCodeVoid
	}
	return refused, s.note(ctx, tx, c, "code", "refused", audit.Entry{Object: id, Subject: s.phoneIndex(c.Phone)})
}

// note writes what was done to the audit log and the statistics.
func (s *Service) note(ctx context.Context, tx *store.Tx, c caller.Caller, step, outcome string, e audit.Entry) error {
	e.At, e.Actor = c.Now, "phone:"+s.phoneIndex(c.Phone)
	e.Action, e.Purpose = "identity."+step+"."+outcome, "identification"
	if err := s.Audit.Record(ctx, tx, e); err != nil {
		return err
	}
	return s.Recorder.InTx(ctx, tx, analytics.Of(c, ServiceName, step+"_checked", outcome))
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

// verified reports that the caller's phone used a code within VerifiedLasts.
func (s *Service) verified(ctx context.Context, c caller.Caller) (bool, error) {
	n, err := db.New(s.DB.Reader()).UsedSince(ctx, db.UsedSinceParams{
		PhoneIndex: s.phoneIndex(c.Phone), UsedAt: dbtime.From(c.Now.Add(-VerifiedLasts)),
	})
	if err != nil {
		return false, fmt.Errorf("look for a used code: %w", err)
	}
	return n > 0, nil
}

// newCode makes a code of CodeDigits digits.
func (s *Service) newCode() (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	// Of 2^64 values the remainder favours some codes by one in 10^13.
	return fmt.Sprintf("%0*d", CodeDigits, binary.BigEndian.Uint64(b[:])%1_000_000), nil
}

// codeMAC is what is kept of a code. It is keyed, as a million codes are soon
// tried against any hash that is not.
func (s *Service) codeMAC(id, code string) string { return s.Sealer.Index(codePurpose, id+":"+code) }
