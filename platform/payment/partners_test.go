package payment_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

func TestPartners(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), start
		partners, err := payment.NewPartners(db, func() time.Time { return now }, rand.Reader)
		must(t, err)
		secret, err := partners.CreatePartner(ctx, wallet)
		must(t, err)
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
			if err := partners.Authenticate(ctx, id, secret); problem.From(err).Key != "problem.partner_secret" {
				t.Errorf("%q: %v", id, err)
			}
		}
		refused(wallet, secret+"x")
		for range 3 { // hashed, then remembered
			must(t, partners.Authenticate(ctx, wallet, secret))
		}
		refused(wallet, secret+"x")
		refused(wallet, "")
		refused("nobody", secret)
		now = now.Add(time.Hour)
		must(t, partners.Authenticate(ctx, wallet, secret))
		var kept string
		must(t, db.Reader().QueryRow("SELECT secret_hash FROM partners").Scan(&kept))
		if strings.Contains(kept, secret) || !strings.HasPrefix(kept, "$argon2id$") {
			t.Error("the secret is kept otherwise than hashed")
		}
		_, err = db.Writer().Exec("UPDATE partners SET disabled_at = 1")
		must(t, err)
		refused(wallet, secret)
	})
}
