package partner

import "github.com/eshik-kg/eshik/platform/payment"

// osmpResult is a result of the OSMP (QIWI) provider protocol: its number, of which 1
// alone has the partner try again, and the sentence that a wallet may show its user.
type osmpResult struct {
	number  int
	comment string // the key of a text
}

// results are what the protocol says of our decisions.
var results = map[payment.Decision]osmpResult{
	payment.Approved:      {0, "payment.osmp_ok"},
	payment.NotNow:        {1, "payment.osmp_temporary"},
	payment.MalformedCode: {4, "payment.osmp_bad_account"},
	payment.UnknownCode:   {5, "payment.osmp_unknown"},
	payment.NotPayable:    {79, "payment.osmp_inactive"},
	payment.SumTooSmall:   {241, "payment.osmp_small"},
	payment.SumTooLarge:   {242, "payment.osmp_large"},
	payment.Reused:        notOSMP,
	payment.Malformed:     notOSMP,
	payment.TakenBack:     {7, "payment.osmp_cancelled"},
}

// What the protocol knows and no payment comes to.
var (
	forbidden         = osmpResult{7, "payment.osmp_refused"} // it cannot be taken back any more
	takenBack         = osmpResult{0, "payment.osmp_cancelled"}
	repeatedParameter = osmpResult{300, "payment.osmp_repeated"}
	notOSMP           = osmpResult{300, "payment.osmp_other"} // also of a transaction's id that is used again
)

// resultOf says a decision in the protocol's words.
func resultOf(d payment.Decision) osmpResult {
	if r, known := results[d]; known {
		return r
	}
	return notOSMP
}
