package notify

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/eshik-kg/eshik/platform/notify/db"
)

// forms are how a provider's id reads, as decimal and as hexadecimal digits, both
// written as a decimal number: SMS centres name a message in the answer in one way and
// in the report in another, with leading zeros or without. An id that is no number has
// its own form, without regard to case and leading zeros; "" is none.
func forms(id string) (decimal, hex string) {
	digits := strings.ToLower(id)
	if n, ok := number(digits, 10); ok {
		decimal = n
	}
	if n, ok := number(strings.TrimPrefix(digits, "0x"), 16); ok {
		return decimal, n
	}
	if id == "" {
		return "", ""
	}
	return "", "~" + strings.TrimLeft(digits, "0")
}

// number reads digits of a base; ok is false for anything else, signs too.
func number(digits string, base int) (decimal string, ok bool) {
	if strings.ContainsAny(digits, "+-_") {
		return "", false
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return "", false
	}
	return n.String(), true
}

// reportForms are those that a report is compared by; none where the provider writes
// its ids in one way.
func reportForms(r DeliveryReceipt) (decimal, hex string) {
	if !r.Rewritten {
		return "", ""
	}
	return forms(r.ID)
}

// meant finds the one message that a report can be about, by an id that the provider
// may write in two ways; "" when there is none, or more than one. Where it is known to
// whom the message went, one to that phone counts before an id that is the same to the
// letter: written in two ways, the ids of two messages can be alike.
func (o *Outbox) meant(ctx context.Context, q *db.Queries, r DeliveryReceipt) (id string, err error) {
	decimal, hex := reportForms(r)
	exact := name(r.Provider, r.ID)
	rows, err := q.Meant(ctx, db.MeantParams{Provider: r.Provider, ProviderID: exact, IDDecimal: decimal, IDHex: hex})
	if err != nil {
		return "", fmt.Errorf("find the message of a delivery report: %w", err)
	}
	phone := ""
	if r.Phone != "" {
		phone = o.sealer.Index(phoneContext, r.Phone)
	}
	var same, alike []string
	for _, row := range rows {
		isExact := row.ProviderID == exact
		switch {
		case phone != "" && row.PhoneIndex != phone:
			if isExact && !r.OwnPhone {
				same = append(same, row.ID)
			}
		case isExact && row.PhoneIndex == phone:
			return row.ID, nil
		case isExact:
			same = append(same, row.ID)
		default:
			alike = append(alike, row.ID)
		}
	}
	switch {
	case phone != "" && len(alike) == 1:
		return alike[0], nil
	case len(same) == 1:
		return same[0], nil
	case len(same) == 0 && len(alike) == 1:
		return alike[0], nil
	}
	return "", nil
}
