package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Account is what a phone may know of itself.
type Account struct {
	// Locale is the language that was chosen for the phone; "" when none was.
	Locale locales.Locale
	// ProvenUntil is when the proof in the caller's session lapses; zero: nobody is proven.
	ProvenUntil time.Time
}

// Account tells the caller's phone what is kept of it.
func (s *Service) Account(ctx context.Context, c caller.Caller) (Account, error) {
	loc, err := s.Locale(ctx, c.Phone)
	if err != nil {
		return Account{}, err
	}
	account := Account{Locale: loc}
	if c.Subject == "" {
		return account, nil
	}
	row, _, err := s.lastProof(ctx, c)
	account.ProvenUntil = row.ExpiresAt.Time
	return account, err
}

// liveProofs are the ends of the proofs of c.Subject by phone index.
func (s *Service) liveProofs(ctx context.Context, c caller.Caller) (map[string]time.Time, error) {
	rows, err := db.New(s.DB.Reader()).LiveProofs(ctx, db.LiveProofsParams{CitizenID: c.Subject, ExpiresAt: dbtime.From(c.Now)})
	if err != nil {
		return nil, fmt.Errorf("list a person's proofs: %w", err)
	}
	ends := make(map[string]time.Time, len(rows))
	for _, row := range rows { // the last to end comes last
		ends[row.PhoneIndex] = row.ExpiresAt.Time
	}
	return ends, nil
}

// Device is a phone that was proved for a person.
type Device struct {
	// Phone is E.164 with the middle hidden: the list is for the person to
	// recognise their phones by, and is read on phones that are shared.
	Phone   string
	BoundAt time.Time
	// ProvenUntil is when its proof lapses; zero: it has.
	ProvenUntil time.Time
	// BlockedUntil is when it may be proved again; zero: it is not blocked.
	BlockedUntil time.Time
	Current      bool // the caller's own
}

// Devices lists the phones that were proved for c.Subject, the earliest first. One
// that is known by its index only has no Phone.
func (s *Service) Devices(ctx context.Context, c caller.Caller) ([]Device, error) {
	if c.Subject == "" {
		return nil, errCitizen
	}
	bindings, err := db.New(s.DB.Reader()).Bindings(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("list a person's phones: %w", err)
	}
	ends, err := s.liveProofs(ctx, c)
	if err != nil {
		return nil, err
	}
	devices := make([]Device, 0, len(bindings))
	for _, b := range bindings {
		d := Device{
			BoundAt: b.BoundAt.Time, ProvenUntil: ends[b.PhoneIndex], Current: b.PhoneIndex == s.phoneIndex(c.Phone),
		}
		if isBlocked(b, c.Now) {
			d.BlockedUntil = b.BlockedUntilAt.Time
		}
		if b.PhoneSealed != nil {
			phone, err := s.Sealer.Open(b.PhoneSealed, bindingContext)
			if err != nil {
				return nil, fmt.Errorf("open a person's phone: %w", err)
			}
			d.Phone = hidden(string(phone))
		}
		devices = append(devices, d)
	}
	return devices, nil
}

// hidden shows the country and the last four digits of a phone.
func hidden(phone string) string {
	const head, tail = len("+996"), 4
	if len(phone) < head+tail {
		return ""
	}
	return phone[:head] + "*****" + phone[len(phone)-tail:]
}
