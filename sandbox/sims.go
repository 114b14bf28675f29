package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// SIMService is the sandbox's name of the mobile operators' register of subscribers.
const SIMService = "central-server/COM/70000080/sim-service/holder"

// simContract is whose a fixed number is.
type simContract struct {
	pin string
	// changed is how long before the world's start the number got its SIM card.
	changed time.Duration
}

const (
	familyPhone  = "+996555000004" // held by Айгүл, used by Гүлнара
	changedPhone = "+996700000005" // a new SIM card an hour ago
	simLasts     = 400 * 24 * time.Hour
)

// fixedSIMs are the contracts of the guides' numbers.
func fixedSIMs() map[string]simContract {
	contracts := map[string]simContract{
		familyPhone: {pinAigul, simLasts},
		// Held by whoever asks, as generated numbers are: its card alone is what is wrong.
		changedPhone: {"", time.Hour},
	}
	for _, p := range FixedPhones() {
		contracts[p.Number] = simContract{p.PIN, simLasts}
	}
	return contracts
}

// simHolder tells whether a person holds a number (POST {"phone","pin"}), and since when
// it has its SIM card; 204: no number of this country. A number that is not of the guides
// is held by whoever is asked about.
func (w *World) simHolder(call restCall) (int, any) {
	var in struct {
		Phone string `json:"phone"`
		PIN   string `json:"pin"`
	}
	if call.method != http.MethodPost || len(call.path) != 0 || json.Unmarshal(call.body, &in) != nil || in.PIN == "" {
		return http.StatusBadRequest, refused(`POST {"phone","pin"}`)
	}
	if !strings.HasPrefix(in.Phone, "+996") {
		return http.StatusNoContent, nil
	}
	contract, fixed := fixedSIMs()[in.Phone]
	if !fixed {
		contract.changed = simLasts
	}
	return http.StatusOK, map[string]any{
		"phone": in.Phone, "held": contract.pin == "" || contract.pin == in.PIN,
		"simChangedAt": w.started.Add(-contract.changed).UTC().Format(time.RFC3339),
	}
}
