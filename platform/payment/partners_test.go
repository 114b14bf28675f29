package payment_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func newPartners(t *testing.T, db *store.DB, now func() time.Time) *payment.Partners {
	t.Helper()
	return payment.NewPartners(db, testworld.Sealer(t), limit.NewMemory(now), now, rand.Reader)
}

// M3: the hash of an earlier version is good once, for all who come at once, and
// then replaced; wrong secrets meanwhile delay nobody for long.
func TestM3EarlierHashes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		partners := newPartners(t, db, time.Now)
		secret := strings.Repeat("s", 43)
		hash, err := argon2id.CreateHash(secret, argon2id.DefaultParams)
		testworld.OK(t, err)
		_, err = db.Writer().Exec("INSERT INTO partners (id, secret_hash, created_at) VALUES ($1, $2, 1)", wallet, hash)
		testworld.OK(t, err)
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if err := partners.Authenticate(ctx, wallet, secret, "192.0.2.1"); err != nil {
					t.Errorf("the right secret: %v", err)
				}
			})
			all.Go(func() {
				if err := partners.Authenticate(ctx, wallet, secret+"x", "192.0.2.66"); err == nil {
					t.Error("a wrong secret was taken")
				}
			})
		}
		all.Wait()
		var kept string
		testworld.OK(t, db.Reader().QueryRow("SELECT secret_hash FROM partners").Scan(&kept))
		if !strings.HasPrefix(kept, "hmac-sha256:") || strings.Contains(kept, secret) {
			t.Error("the earlier hash was not replaced")
		}
		testworld.OK(t, partners.Authenticate(ctx, wallet, secret, "192.0.2.1"))
	})
}

// M3: an address that is wrong too often is told to wait, and the right secret is
// taken from it and from everywhere else all the same.
func TestM3WrongSecretsBlockNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), testworld.Start
		partners := newPartners(t, db, func() time.Time { return now })
		secret, err := partners.CreatePartner(ctx, wallet)
		testworld.OK(t, err)
		other, err := partners.CreatePartner(ctx, "other-bank")
		testworld.OK(t, err)
		keys := func(id, secret, address string, n int) (keys map[string]int) {
			keys = map[string]int{}
			for range n {
				keys[problem.From(partners.Authenticate(ctx, id, secret, address)).Key]++
			}
			return keys
		}
		for name, c := range map[string]struct{ id, secret string }{
			"wrong": {wallet, secret + "x"}, "another's": {wallet, other}, "none": {wallet, ""},
		} {
			if got := keys(c.id, c.secret, "address of "+name, 64); got["problem.partner_secret"] != 20 || got["problem.partner_wait"] != 44 {
				t.Errorf("%s: %v", name, got)
			}
			testworld.OK(t, partners.Authenticate(ctx, wallet, secret, "address of "+name))
		}
		made := map[string]int{} // made-up partners are counted together
		for i := range 64 {
			made[problem.From(partners.Authenticate(ctx, fmt.Sprintf("made-up-%d", i), secret, "192.0.2.9")).Key]++
		}
		if made["problem.partner_wait"] != 44 {
			t.Errorf("made up: %v", made)
		}
		now = now.Add(2 * time.Minute)
		if got := keys(wallet, "x", "address of wrong", 1); got["problem.partner_secret"] != 1 {
			t.Errorf("after a while: %v", got)
		}
	})
}

func TestPartners(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), testworld.Start
		partners := newPartners(t, db, func() time.Time { return now })
		secret, err := partners.CreatePartner(ctx, wallet)
		testworld.OK(t, err)
		if _, err := partners.CreatePartner(ctx, wallet); !errors.Is(err, payment.ErrPartnerExists) {
			t.Errorf("a second partner of one id: %v", err)
		}
		for _, id := range []string{"", "Demo", "a", "../x", strings.Repeat("a", 41)} {
			if _, err := partners.CreatePartner(ctx, id); err == nil {
				t.Errorf("the id %q was taken", id)
			}
		}
		refused := func(id, secret string) {
			t.Helper()
			if err := partners.Authenticate(ctx, id, secret, "192.0.2.1"); problem.From(err).Key != "problem.partner_secret" {
				t.Errorf("%q: %v", id, err)
			}
		}
		refused(wallet, secret+"x")
		for range 3 {
			testworld.OK(t, partners.Authenticate(ctx, wallet, secret, "192.0.2.1"))
		}
		refused(wallet, secret+"x")
		refused(wallet, "")
		refused("nobody", secret)
		now = now.Add(time.Hour)
		testworld.OK(t, partners.Authenticate(ctx, wallet, secret, "192.0.2.1"))
		var kept string
		testworld.OK(t, db.Reader().QueryRow("SELECT secret_hash FROM partners").Scan(&kept))
		if strings.Contains(kept, secret) || !strings.HasPrefix(kept, "hmac-sha256:") {
			t.Error("the secret is kept otherwise than hashed")
		}
		_, err = db.Writer().Exec("UPDATE partners SET disabled_at = 1")
		testworld.OK(t, err)
		refused(wallet, secret)
	})
}
