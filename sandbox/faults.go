package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// The simulated systems that have fault knobs.
const (
	SystemSafeCity     = "safecity"
	SystemAimak        = "aimak"
	SystemPassport     = "passport"
	SystemKindergarten = "kindergarten"
	SystemCivil        = "civil"
	SystemSIM          = "sim"
	SystemESI          = "esi"
	SystemVehicles     = "vehicles"
	SystemFund         = "fund"
	SystemTax          = "tax"
	SystemLand         = "land"
	SystemSchools      = "schools"
)

func systems() []string {
	return []string{
		SystemSafeCity, SystemAimak, SystemPassport, SystemKindergarten, SystemCivil, SystemSIM, SystemESI,
		SystemVehicles, SystemFund, SystemTax, SystemLand, SystemSchools,
	}
}

// Fault is how a simulated system misbehaves; the zero value is a healthy one.
type Fault struct {
	// DelayMS holds every answer back, in milliseconds.
	DelayMS int `json:"delay_ms"`
	// ErrorRate is the share of requests, 0 to 1, that fail before any effect.
	ErrorRate float64 `json:"error_rate"`
	// WrongSchema answers in another shape than the protocol's.
	WrongSchema bool `json:"wrong_schema"`
	// CutBody ends every answer in the middle.
	CutBody bool `json:"cut_body"`
	// Outage makes the system unreachable behind the security server.
	Outage bool `json:"outage"`
	// LoseAnswers closes that many connections after the effect and before the
	// answer; negative: all of them.
	LoseAnswers int `json:"lose_answers"`
}

func checkFault(system string, f Fault) error {
	if !slices.Contains(systems(), system) {
		return fmt.Errorf("sandbox: no system %q; there are %v", system, systems())
	}
	if f.DelayMS < 0 || f.DelayMS > longestDelayMS || f.ErrorRate < 0 || f.ErrorRate > 1 {
		return fmt.Errorf("sandbox: system %s: error_rate is 0 to 1, delay_ms is 0 to %d", system, longestDelayMS)
	}
	return nil
}

const longestDelayMS = 300_000

// SetFault sets a system's knobs. It fails for an unknown system, a share out of
// 0 to 1 and a delay over five minutes.
func (w *World) SetFault(system string, f Fault) error {
	return w.setFaults(map[string]Fault{system: f})
}

// Faults gives the knobs of every system.
func (w *World) Faults() map[string]Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]Fault{}
	for _, system := range systems() {
		all[system] = w.faults[system]
	}
	return all
}

// FaultsHandler serves GET and PUT /sandbox/faults, from loopback only. A PUT
// names the systems to change: {"safecity": {"delay_ms": 2000}}; a knob left out
// is off. Both answer with the knobs of every system.
func (w *World) FaultsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox/faults", func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, http.StatusOK, w.Faults())
	})
	mux.HandleFunc("PUT /sandbox/faults", func(rw http.ResponseWriter, r *http.Request) {
		var wanted map[string]Fault
		if !decode(rw, r, &wanted) {
			return
		}
		if err := w.setFaults(wanted); err != nil {
			refuse(rw, http.StatusBadRequest, "bad_request", err.Error())
			return
		}
		answer(rw, http.StatusOK, w.Faults())
	})
	return loopbackOnly(mux)
}

// setFaults sets all of them or, when one is wrong, none.
func (w *World) setFaults(wanted map[string]Fault) error {
	for system, f := range wanted {
		if err := checkFault(system, f); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.Copy(w.faults, wanted)
	return nil
}

// fate is what a fault does to one request; losing an answer is counted here.
func (w *World) fate(system string) (f Fault, fails bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f = w.faults[system]
	fails = f.ErrorRate > 0 && w.random.Float64() < f.ErrorRate
	if !fails && !f.Outage && f.LoseAnswers > 0 {
		left := f
		left.LoseAnswers--
		w.faults[system] = left
	}
	return f, fails
}
