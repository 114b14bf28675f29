package partner_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
)

// decided answers every request with one decision.
type decided struct {
	till
	payment.Decision
	partner payment.Partner
}

func (d *decided) Check(_ context.Context, partner payment.Partner, _ string, _ money.Amount) (payment.Answer, error) {
	d.partner = partner
	return payment.Answer{Decision: d.Decision}, nil
}

func (d *decided) Accept(_ context.Context, partner payment.Partner, _, _ string, _ money.Amount, _ time.Time) (payment.Answer, error) {
	d.partner = partner
	return payment.Answer{Decision: d.Decision}, nil
}

// TestOSMPNumbers: partners act by these numbers, and their users read the sentences.
func TestOSMPNumbers(t *testing.T) {
	t.Parallel()
	for decision, want := range map[payment.Decision]struct {
		number  int
		comment string
	}{
		payment.Approved:      {0, "Принято"},
		payment.NotNow:        {1, "Услуга временно недоступна"},
		payment.MalformedCode: {4, "Неверный код"},
		payment.UnknownCode:   {5, "кода"},
		payment.NotPayable:    {79, "Код"},
		payment.SumTooSmall:   {241, "точную сумму"},
		payment.SumTooLarge:   {242, "точную сумму"},
		payment.Reused:        {300, "запрос"},
		payment.TakenBack:     {7, "отменён"},
		"of a later version":  {300, "запрос"},
	} {
		for _, command := range []string{"check", "pay"} {
			money := &decided{Decision: decision}
			app := serveWith(t, money)
			request := httptest.NewRequest(http.MethodGet, partner.OSMPPath+"?command="+command+"&txn_id=1&account=1234567894&sum=1.00", nil)
			_, body := ask(t, app, request, "s:e:c")
			if !strings.Contains(body, fmt.Sprintf("<result>%d</result>", want.number)) || !strings.Contains(body, want.comment) || money.partner.ID != "demo-wallet" || !money.partner.Every {
				t.Errorf("%s of %s for %q: %s", command, decision, money.partner.ID, body)
			}
		}
	}
}
