package gsm

// What one SMS part carries alone, in septets of the default alphabet or UTF-16
// units. Source: 3GPP TS 23.040, 9.2.3.24.
const (
	SingleSeptets = 160
	SingleUnits   = 70
)

// OnePart reports whether text travels as a single SMS.
func OnePart(text string) bool {
	if septets, ok := Septets(text); ok {
		return septets <= SingleSeptets
	}
	return Units(text) <= SingleUnits
}

// Pick chooses between the full wording of a message and its shorter ones, in
// this order: the first that travels as a single SMS, or the full one where
// none does.
func Pick(full string, shorter ...string) string {
	if OnePart(full) {
		return full
	}
	for _, text := range shorter {
		if OnePart(text) {
			return text
		}
	}
	return full
}
