package payment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
)

// However the lines of a payment ended, the screen tells of all of its money: what is paid,
// what goes back and what is being checked, each with its own sum, and of no more.
func TestTheScreenTellsOfTheWholeSum(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	ends := []payment.State{payment.Settled, payment.RefundDue, payment.InDoubt}
	amounts := []money.Amount{100 * money.Som, 20 * money.Som, 3 * money.Som}
	for n := range 27 {
		p := payment.Payment{Code: "1234567897", State: payment.Settled}
		sums := map[payment.State]money.Amount{}
		for i, amount := range amounts {
			end := ends[n/[]int{1, 3, 9}[i]%3]
			p.Lines = append(p.Lines, payment.Line{Ref: fmt.Sprint(i), Amount: amount, State: end})
			p.Amount += amount
			sums[end] += amount
		}
		switch {
		case sums[payment.InDoubt] > 0:
			p.State = payment.InDoubt
		case sums[payment.RefundDue] > 0:
			p.State = payment.RefundDue
		}
		said := payment.Became(p)
		for loc, words := range map[locales.Locale]map[payment.State]string{
			locales.RU: {payment.Settled: "плачено", payment.RefundDue: "верн", payment.InDoubt: "проверяется"},
			locales.KY: {payment.Settled: "өлөнд", payment.RefundDue: "айтарыл", payment.InDoubt: "текшерил"},
		} {
			text := texts.Text(loc, said.Key, said.Args...)
			for state, word := range words {
				sum := sums[state]
				told := strings.Contains(strings.ToLower(text), strings.ToLower(word))
				if sum > 0 && !told {
					t.Errorf("%s, %v: %s is not told of: %q", loc, sums, state, text)
				}
				whole := sum == p.Amount && state == payment.RefundDue // the sum was paid before, and nothing of it stays
				if sum > 0 && !whole && !strings.Contains(text, sum.String()) {
					t.Errorf("%s, %v: how much is %s is not told: %q", loc, sums, state, text)
				}
				zero := strings.Contains(text, " 0 ") || strings.HasPrefix(text, "0 ")
				if sum == 0 && told && !zero {
					t.Errorf("%s, %v: nothing is %s: %q", loc, sums, state, text)
				}
			}
		}
	}
}
