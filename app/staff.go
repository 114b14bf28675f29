package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
)

// operation is how something is done that has a row in the table of staff.
type operation struct {
	offices func(ctx context.Context, a *App, given map[string]string) ([]string, error) // nil: it is no office's
	facts   func(ctx context.Context, a *App, given map[string]string) (string, error)   // nil: it rests on nothing
	// begin draws when it is proposed what is kept for the Act, and says what its proposer holds of it; nil: nothing.
	begin func(ctx context.Context, a *App, given map[string]string) (kept string, half staff.Done, err error)
	do    func(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error)
	shows bool // it changes nothing: that it was looked at is recorded before
}

// operationOf gives an operation by its row, a service's or one of everybody's.
func operationOf(name string) (operation, error) {
	if op, ok := operations()[name]; ok {
		return op, nil
	}
	for _, t := range Tasks() {
		if slices.Contains(t.Operations(), name) {
			return operationOfTask(t), nil
		}
	}
	return operation{}, fmt.Errorf("nothing is done by the operation %q", name)
}

// operationOfTask is what a service's task does.
func operationOfTask(t module.Task) operation {
	op := operation{shows: t.Shows, do: func(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
		return t.Do(ctx, a.Modules, act, given)
	}}
	if t.Offices != nil {
		op.offices = func(ctx context.Context, a *App, given map[string]string) ([]string, error) {
			return t.Offices(ctx, a.Modules, given)
		}
	}
	if t.Facts != nil {
		op.facts = func(ctx context.Context, a *App, given map[string]string) (string, error) {
			return t.Facts(ctx, a.Modules, given)
		}
	}
	return op
}

// operations are those that no service has. Lists are not among them: see Look.
func operations() map[string]operation {
	return map[string]operation{
		"unblock":                      {facts: unblockFacts, do: unblock},
		"enrol":                        {do: enrol},
		"release-number":               {facts: releaseFacts, do: releaseNumber},
		"decide":                       {facts: doubtFacts, do: decideDoubt},
		"returned":                     {facts: byReference((*payment.Service).RefundFacts), do: noteReturned},
		"not-returned":                 {facts: byReference((*payment.Service).NotReturnedFacts), do: noteNotReturned},
		"remittance":                   {facts: remitFacts, do: remit},
		"remittance-undone":            {facts: undoRemittanceFacts, do: undoRemittance},
		"refund":                       {facts: byReference((*payment.Service).ReverseFacts), do: reversePayment},
		"refuse-refund":                {do: refuseRefund},
		"rotate-certificates":          {do: rotateCertificates},
		"rotate-certificates-revealed": {facts: certificateKeyFacts, do: revealCertificates},
		"rotate-documents":             {do: rotateDocuments},
		"rotate-data":                  {do: rotateData},
		"rotate-master":                {do: rotateMaster},
		"rotate-tokens":                {do: rotateTokens},
		"rotate-tokens-revealed":       {facts: keyFacts, do: replaceTokens},
		"add":                          {facts: profileFacts, begin: firstPassword, do: addAccount},
		"reset":                        {facts: accountFacts, begin: firstPassword, do: resetAccount},
		"disable":                      {do: disableAccount},
	}
}

// Perform has whoever is signed in do an operation, at once or, where it takes two persons,
// by proposing it to another.
func (a *App) Perform(ctx context.Context, shown staff.Session, r staff.Request) (out staff.Outcome, err error) {
	op, err := operationOf(r.Operation)
	if err != nil {
		return out, err
	}
	o, right, err := a.Staff.Authorize(ctx, shown, r.Operation, r.Reason, func() (_ []string, err error) {
		if op.offices != nil {
			r.Offices, err = op.offices(ctx, a, r.Given)
		}
		return r.Offices, err
	})
	if err != nil {
		return out, err
	}
	if op.shows {
		if err := a.Staff.See(ctx, o, r.Operation, r.Reason); err != nil {
			return out, err
		}
	}
	alone, err := a.alone(ctx, o, r.Operation, right)
	if err != nil {
		return out, err
	}
	if right == staff.Does || alone {
		out.Done, err = op.do(ctx, a, a.Staff.By(o, r.Operation, r.Reason), r.Given)
		return out, err
	}
	if !right.Proposes() {
		return out, staff.ErrOnlyDecides
	}
	if op.facts != nil {
		if r.Facts, err = op.facts(ctx, a, r.Given); err != nil {
			return out, err
		}
	}
	var half staff.Done
	if op.begin != nil {
		if r.Kept, half, err = op.begin(ctx, a, r.Given); err != nil {
			return out, err
		}
	}
	p, err := a.Staff.Propose(ctx, o, r)
	if err == nil {
		out.Done, out.Waits = half, &p
	}
	return out, err
}

// alone reports that an administrator makes an account while nobody else could ever decide it.
func (a *App) alone(ctx context.Context, o staff.Officer, operation string, right staff.Right) (bool, error) {
	if operation != "add" || !right.Proposes() {
		return false, nil
	}
	return a.Staff.Alone(ctx, o)
}

// Look says that whoever is signed in may look at a list, which is then in the audit log.
func (a *App) Look(ctx context.Context, shown staff.Session, operation, reason string) (staff.Officer, error) {
	o, _, err := a.Staff.Authorize(ctx, shown, operation, reason, func() ([]string, error) { return nil, nil })
	if err != nil {
		return o, err
	}
	return o, a.Staff.See(ctx, o, operation, reason)
}

// Approve does what another person proposed, and says what came of it.
func (a *App) Approve(ctx context.Context, shown staff.Session, id, reason string) (staff.Done, error) {
	o, p, err := a.Staff.ToDecide(ctx, shown, id, reason)
	if err != nil {
		return staff.Done{}, err
	}
	op, err := operationOf(p.Operation)
	if err != nil {
		return staff.Done{}, err
	}
	facts := ""
	if op.facts != nil {
		if facts, err = op.facts(ctx, a, p.Given); err != nil {
			return staff.Done{}, fmt.Errorf("what the proposal rests on cannot be seen any more: %w", err)
		}
	}
	if op.begin != nil && p.Kept == "" { // proposed before there were halves: its approver would be shown both
		return staff.Done{}, staff.ErrFacts
	}
	act, err := a.Staff.Approve(ctx, o, p, reason, facts)
	if err != nil {
		return staff.Done{}, err
	}
	return op.do(ctx, a, act, p.Given)
}

// Reject ends a proposal without an effect; its proposer takes it back so.
func (a *App) Reject(ctx context.Context, shown staff.Session, id, reason string) error {
	o, p, err := a.Staff.ToDecide(ctx, shown, id, reason)
	if err != nil {
		return err
	}
	return a.Staff.Reject(ctx, o, p, reason)
}

func phoneOf(given map[string]string) (string, error) {
	phone, ok := caller.ParsePhone(given["phone"])
	if !ok {
		return "", identity.ErrForeignNumber
	}
	return phone, nil
}

func unblockFacts(ctx context.Context, a *App, given map[string]string) (string, error) {
	phone, err := phoneOf(given)
	if err != nil {
		return "", err
	}
	return a.Identity.DisputeFacts(ctx, phone, given["personal-number"])
}

func unblock(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	phone, err := phoneOf(given)
	if err != nil {
		return staff.Done{}, err
	}
	if err := a.Identity.Unblock(ctx, act, phone, given["personal-number"]); err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: "Cleared for that person: the phone may be proved again, and no phone that nobody cleared undoes it. Their other phones are told."}, nil
}

func enrol(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	phone, err := phoneOf(given)
	if err != nil {
		return staff.Done{}, err
	}
	made, err := a.Identity.Enrol(ctx, act, phone, given["personal-number"], given["document-number"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("code     %s %s\nuntil    %s\nphone    %s\n"+
		"It is kept nowhere: hand it to the person now. It is good once, on that phone: where Eshik asks for the operator's code there, "+
		"by a call to %s, by the text КОД ОПЕРАТОРА, or in an app. The person's other phones will be told.",
		made.Code[:identity.EnrolDigits/2], made.Code[identity.EnrolDigits/2:], clock.Second(made.ExpiresAt), phone, a.config.ShortCode), Made: made}, nil
}

func releaseFacts(ctx context.Context, a *App, given map[string]string) (string, error) {
	phone, err := phoneOf(given)
	if err != nil {
		return "", err
	}
	return a.Identity.ReleaseFacts(ctx, phone)
}

func releaseNumber(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	phone, err := phoneOf(given)
	if err != nil {
		return staff.Done{}, err
	}
	if err := a.Identity.Release(ctx, act, phone); err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: "Released: whoever holds the number now begins anew."}, nil
}

func doubtFacts(ctx context.Context, a *App, given map[string]string) (string, error) {
	line, err := strconv.ParseInt(given["line"], 10, 64)
	if err != nil {
		return "", fmt.Errorf("the line's number: %w", err)
	}
	if staff.NamesPerson(given["reference"]) {
		return "", staff.ErrReason
	}
	return a.Payments.DoubtFacts(ctx, given["payment"], line, given["reference"])
}

func decideDoubt(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	line, err := strconv.ParseInt(given["line"], 10, 64)
	if err != nil {
		return staff.Done{}, fmt.Errorf("the line's number: %w", err)
	}
	if err := a.Payments.Decide(ctx, act, given["payment"], line, given["outcome"] == "settled", given["reference"]); err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: "Decided. The citizen is told when no line of the payment is in doubt any more."}, nil
}

// byReference are the facts of what is done about a payment on the strength of a letter, a statement or
// the like, whose number is in the audit log and names no person.
func byReference(facts func(s *payment.Service, ctx context.Context, id, reference string) (string, error)) func(context.Context, *App, map[string]string) (string, error) {
	return func(ctx context.Context, a *App, given map[string]string) (string, error) {
		if staff.NamesPerson(given["reference"]) {
			return "", staff.ErrReason
		}
		return facts(a.Payments, ctx, given["payment"], given["reference"])
	}
}

func noteReturned(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	sum, err := a.Payments.Returned(ctx, act, given["payment"], given["reference"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Noted: %s som went back; the partner owes us that no more.", sum.Decimal())}, nil
}

func noteNotReturned(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	sum, err := a.Payments.NotReturned(ctx, act, given["payment"], given["reference"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Noted: %s som did not go back after all; the partner owes us that again. The citizen is told.", sum.Decimal())}, nil
}

func reversePayment(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	sum, err := a.Payments.Reverse(ctx, act, given["payment"], given["reference"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Sent back: %s som are due to who paid, by the partner. The partner and the citizen are told.", sum.Decimal())}, nil
}

func refuseRefund(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	if err := a.Payments.RefuseRefund(ctx, act, given["payment"], payment.Refusal(given["why"])); err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: "Refused: the payment stands. The partner and the citizen are told."}, nil
}

func rotateTokens(ctx context.Context, a *App, act staff.Act, _ map[string]string) (staff.Done, error) {
	key, made, err := a.Identity.RotateTokenKey(ctx, act)
	if err != nil {
		return staff.Done{}, err
	}
	word := "Made"
	if !made {
		word = "Waiting already"
	}
	return staff.Done{Said: fmt.Sprintf("%s: %s is published and signs from %s. Nobody is refused, and nothing has to be restarted.", word, key.ID, clock.Second(key.SignsFrom))}, nil
}

func keyFacts(ctx context.Context, a *App, _ map[string]string) (string, error) {
	return a.Identity.KeyFacts(ctx)
}

func replaceTokens(ctx context.Context, a *App, act staff.Act, _ map[string]string) (staff.Done, error) {
	key, err := a.Identity.ReplaceTokenKey(ctx, act)
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Replaced: %s signs from now on. All access tokens have ended; apps get others by their refresh tokens.", key.ID)}, nil
}

func profileOf(given map[string]string) staff.Profile {
	return staff.Profile{Login: given["name"], Person: given["person"], Role: staff.Role(given["role"]), Office: given["office"]}
}

func profileFacts(ctx context.Context, a *App, given map[string]string) (string, error) {
	return "", a.Staff.CanAdd(ctx, profileOf(given))
}

// firstPassword draws the half of an account's credentials that its proposer hands over.
func firstPassword(ctx context.Context, a *App, given map[string]string) (kept string, half staff.Done, err error) {
	password, kept, err := a.Staff.FirstPassword(ctx)
	return kept, staff.Done{Made: staff.Credentials{Password: password}, Said: strings.Join([]string{
		"account  " + given["name"], "password " + password,
		"It is kept nowhere: hand it to the account's holder once this is approved. Who approves is shown the codes' secret, and hands that over: neither of you can sign in.",
	}, "\n")}, err
}

func addAccount(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	keys, err := a.Staff.Add(ctx, act, profileOf(given))
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: HandOver(given["name"], keys), Made: keys}, nil
}

func accountFacts(ctx context.Context, a *App, given map[string]string) (string, error) {
	return a.Staff.AccountFacts(ctx, given["name"])
}

func resetAccount(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	keys, err := a.Staff.Reset(ctx, act, given["name"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: HandOver(given["name"], keys), Made: keys}, nil
}

func disableAccount(ctx context.Context, a *App, act staff.Act, given map[string]string) (staff.Done, error) {
	if err := a.Staff.Disable(ctx, act, given["name"]); err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: "Disabled: its sessions have ended. eshik staff reset brings it back."}, nil
}

// HandOver says what an account signs in with, for its holder.
func HandOver(name string, keys staff.Credentials) string {
	lines := []string{"account  " + name}
	if keys.Password != "" {
		lines = append(lines, "password "+keys.Password)
	}
	lines = append(lines, "codes    "+keys.Secret, "app      "+keys.URI,
		"They are kept nowhere: hand them to the account's holder now, who types the codes' secret into an app (TOTP), or scans the address,",
		"and changes it and the password at the first sign-in, as others have seen them: eshik staff password, eshik staff codes.")
	if keys.Password == "" {
		lines = append(lines, "The password is with whoever proposed this.")
	}
	return strings.Join(lines, "\n")
}
