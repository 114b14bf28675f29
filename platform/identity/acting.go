package identity

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// Prover knows who proved to hold a caller's phone; Service.Proof says how.
type Prover interface {
	Proof(ctx context.Context, c caller.Caller) (citizen Citizen, ok bool, err error)
}

// Acting gives the caller as whom the phone is proved for, where nobody else was proved since the
// screen that was about them: a step may change what is theirs. Where somebody was, list, the
// screen that names who is, is shown again. Not ok: nobody is proved, the proof ran out meanwhile.
func Acting(ctx context.Context, who Prover, t *dialog.Turn, list string) (c caller.Caller, ok bool, err error) {
	citizen, proven, err := who.Proof(ctx, t.Caller)
	if err != nil || !proven {
		return t.Caller, false, err
	}
	if err := Same(t, citizen.ID); err != nil {
		return t.Caller, false, dialog.BackTo(list, err)
	}
	return citizen.As(t.Caller), true, nil
}

// Proven gives the caller as whom the phone is proved for, and that citizen; both as nobody where
// it is proved for nobody.
func Proven(ctx context.Context, who Prover, c caller.Caller) (caller.Caller, Citizen, error) {
	citizen, ok, err := who.Proof(ctx, c)
	if err != nil || !ok {
		return c, Citizen{}, err
	}
	return citizen.As(c), citizen, nil
}

// As is the caller as the citizen they are proved to be.
func (c Citizen) As(of caller.Caller) caller.Caller {
	of.Subject, of.Level = c.ID, c.Level
	return of
}
