// Package partners knows who takes citizens' money for us: wallets, banks and terminals,
// their secrets, and what each of them may do, from where and how often.
package partners

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/partners/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Deps is what a Service stands on; every field but Issuer is needed.
type Deps struct {
	DB      *store.DB
	Sealer  *seal.Sealer
	Trail   *trail.Trail
	Limiter limit.Limiter
	Now     func() time.Time
	Random  io.Reader // crypto/rand.Reader
	Signer  Signer
	// Issuer names us in access tokens: our public address. Where it is empty no token is
	// issued, and none is good.
	Issuer string
}

// Service knows the partners. It is safe for concurrent use.
type Service struct {
	Deps
	// flights share one argon2id run among all who wait with the same secret, and
	// hashing lets one run at a time: each takes 64 MiB.
	flights singleflight.Group
	hashing chan struct{}
}

// New makes a Service.
func New(deps Deps) (*Service, error) {
	if err := needs.All("partners", deps, "Issuer"); err != nil {
		return nil, err
	}
	return &Service{Deps: deps, hashing: make(chan struct{}, 1)}, nil
}

// Terms are what an operator allows a partner.
type Terms struct {
	Scopes Scopes
	// Networks are where its requests come from; empty: anywhere.
	Networks []netip.Prefix
	// PerMinute and PerDay bound its requests in a minute of the clock and a day in
	// Bishkek; 0: nothing does.
	PerMinute, PerDay int
}

// Partner is one, as an operator sees it.
type Partner struct {
	ID string
	Terms
	MadeAt     time.Time
	DisabledAt time.Time // zero: it is not
}

// The problems of operators' commands.
var (
	ErrExists = errors.New("there is a partner of this id already")
	ErrAbsent = errors.New("there is no such partner or credential: `eshik partner list` shows them")
)

var partnerID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$`)

// Create makes a partner with a secret of each kind, which are kept nowhere: show them
// once. The id is 3 to 40 of a-z, 0-9 and -. officer is who does it.
func (s *Service) Create(ctx context.Context, officer, id string, terms Terms, kinds ...Kind) (secrets []Secret, err error) {
	if !partnerID.MatchString(id) {
		return nil, errors.New("a partner's id is 3 to 40 of a-z, 0-9 and -, as demo-wallet")
	}
	if err := terms.check(); err != nil {
		return nil, err
	}
	now := s.Now()
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		n, err := q.CreatePartner(ctx, db.CreatePartnerParams{
			ID: id, CreatedAt: dbtime.From(now), Scopes: terms.Scopes.String(), Networks: joined(terms.Networks),
			PerMinute: int64(terms.PerMinute), PerDay: int64(terms.PerDay),
		})
		if err == nil && n == 0 {
			return ErrExists
		}
		if err != nil {
			return err
		}
		row, err := q.Partner(ctx, id)
		if err != nil {
			return err
		}
		secrets = nil // of a try before
		for i, kind := range kinds {
			secret, err := s.add(ctx, tx, officer, id, int64(i+1), kind, now)
			if err != nil {
				return err
			}
			secrets = append(secrets, secret)
		}
		return s.leave(ctx, tx, officer, "created", nil, row, now)
	})
	if err != nil {
		return nil, fmt.Errorf("make a partner: %w", err)
	}
	return secrets, nil
}

// Set gives a partner other terms, from its next request on: change makes them of those
// that it has.
func (s *Service) Set(ctx context.Context, officer, id string, change func(*Terms) error) (Partner, error) {
	var partner Partner
	err := s.change(ctx, officer, id, "terms_changed", func(row *db.Partner, _ time.Time) error {
		p, err := partnerOf(*row)
		if err != nil {
			return err
		}
		if err := errors.Join(change(&p.Terms), p.Terms.check()); err != nil {
			return err
		}
		row.Scopes, row.Networks = p.Scopes.String(), joined(p.Networks)
		row.PerMinute, row.PerDay, partner = int64(p.PerMinute), int64(p.PerDay), p
		return nil
	})
	return partner, err
}

// Disable refuses all of a partner's requests from the next one on.
func (s *Service) Disable(ctx context.Context, officer, id string) error {
	return s.change(ctx, officer, id, "disabled", func(row *db.Partner, now time.Time) error {
		row.DisabledAt = dbtime.From(now)
		return nil
	})
}

// Enable takes Disable back.
func (s *Service) Enable(ctx context.Context, officer, id string) error {
	return s.change(ctx, officer, id, "enabled", func(row *db.Partner, _ time.Time) error {
		row.DisabledAt = dbtime.Time{}
		return nil
	})
}

// change changes a partner's row.
func (s *Service) change(ctx context.Context, officer, id, what string, do func(*db.Partner, time.Time) error) error {
	now := s.Now()
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		row, err := lock(ctx, tx, id)
		was := row
		if err == nil {
			err = do(&row, now)
		}
		if err != nil {
			return err
		}
		if err := db.New(tx).SetPartner(ctx, db.SetPartnerParams{
			ID: id, Scopes: row.Scopes, Networks: row.Networks, PerMinute: row.PerMinute, PerDay: row.PerDay, DisabledAt: row.DisabledAt,
		}); err != nil {
			return err
		}
		return s.leave(ctx, tx, officer, what, &was, row, now)
	})
	if err != nil {
		return fmt.Errorf("change the partner %s: %w", id, err)
	}
	return nil
}

// Served reports that a partner is known and not disabled.
func (s *Service) Served(ctx context.Context, id string) (bool, error) {
	row, err := db.New(s.DB.Reader()).Partner(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the partner %s: %w", id, err)
	}
	return row.DisabledAt.IsZero(), nil
}

// List gives the partners by their ids.
func (s *Service) List(ctx context.Context) ([]Partner, error) {
	rows, err := db.New(s.DB.Reader()).Partners(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the partners: %w", err)
	}
	list := make([]Partner, len(rows))
	for i, row := range rows {
		if list[i], err = partnerOf(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// partnerOf reads a partner's row. One that nobody of ours wrote allows nothing.
func partnerOf(row db.Partner) (Partner, error) {
	p := Partner{ID: row.ID, MadeAt: row.CreatedAt.Time, DisabledAt: row.DisabledAt.Time}
	p.PerMinute, p.PerDay = int(row.PerMinute), int(row.PerDay)
	var err error
	if p.Scopes, err = ParseScopes(row.Scopes); err == nil {
		p.Networks, err = ParseNetworks(row.Networks)
	}
	if err != nil {
		return Partner{}, fmt.Errorf("read the partner %s: %w", row.ID, err)
	}
	return p, nil
}

// mostRequests is the highest limit: more is none.
const mostRequests = 100_000_000

func (t Terms) check() error {
	switch {
	case len(t.Scopes) == 0:
		return errors.New("a partner without a scope can do nothing: disable it")
	case t.PerMinute < 0 || t.PerMinute > mostRequests || t.PerDay < 0 || t.PerDay > mostRequests:
		return fmt.Errorf("a limit is 1 to %d requests, or 0 for none", mostRequests)
	}
	return nil
}

// ParseNetworks reads addresses and networks, separated by spaces or commas.
func ParseNetworks(text string) (list []netip.Prefix, err error) {
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		prefix, err := netip.ParsePrefix(one)
		if err != nil {
			address, notOne := netip.ParseAddr(one)
			if notOne != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network: write 192.0.2.7 or 192.0.2.0/24", one)
			}
			address = address.Unmap()
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		if prefix != prefix.Masked() {
			return nil, fmt.Errorf("%s has bits beyond its length: did you mean %s?", one, prefix.Masked())
		}
		list = append(list, prefix)
	}
	return list, nil
}

func joined(networks []netip.Prefix) string {
	texts := make([]string, len(networks))
	for i, n := range networks {
		texts[i] = n.String()
	}
	return strings.Join(texts, " ")
}

// admits reports whether requests may come from an address.
func (t Terms) admits(address string) bool {
	if len(t.Networks) == 0 {
		return true
	}
	at, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(t.Networks, func(n netip.Prefix) bool { return n.Contains(at.Unmap().WithZone("")) })
}

// Quota is a limit of a partner's requests, as it stands after one was counted.
type Quota struct {
	Name  string        // minute or day
	N     int           // how many are allowed
	Span  time.Duration // in which
	Left  int           // how many more
	Until time.Duration // when it begins anew
}

// within counts a request of a partner that is known, and gives its quotas as they stand then,
// of one that is refused the one that is used up. Problem: partner_many.
func (s *Service) within(ctx context.Context, p Partner) (quotas []Quota, err error) {
	now := s.Now()
	for _, w := range []struct {
		span  string
		n     int
		lasts time.Duration
		until time.Time
	}{
		{"minute", p.PerMinute, time.Minute, now.Truncate(time.Minute).Add(time.Minute)},
		{"day", p.PerDay, 24 * time.Hour, nextDay(now)},
	} {
		if w.n == 0 {
			continue
		}
		ok, left, err := s.Limiter.Spend(ctx, "partner."+w.span+"|"+p.ID, w.n, w.until)
		if err != nil {
			return nil, fmt.Errorf("count a partner's requests: %w", err)
		}
		quota := Quota{Name: w.span, N: w.n, Span: w.lasts, Left: left, Until: w.until.Sub(now)}
		if !ok {
			return []Quota{quota}, problem.New(problem.TooMany, "problem.partner_many", "n", w.n).Until(now, quota.Until)
		}
		quotas = append(quotas, quota)
	}
	return quotas, nil
}
