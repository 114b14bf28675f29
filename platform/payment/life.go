package payment

import (
	"fmt"
	"slices"
	"strings"
)

// Transition is one way that a payment, or a line of it, goes on: from any of From to one of To.
// What is not among Transitions does not happen, however late or often it is asked for.
type Transition struct {
	// Line says that it is a line's, not a payment's.
	Line bool
	// On is what happens, in a few words without a colon or a semicolon (Mermaid's).
	On       string
	From, To []State
	// Statement is the name of the SQL that alone makes it, and only where From holds; empty: it is
	// an entry of the ledger.
	Statement string
}

// Transitions is the life of a payment and of its lines. Where several follow each other at
// once, they are in one transaction.
func Transitions() []Transition {
	return []Transition{
		{On: "the citizen confirms the price, or a partner's quote as it is made", From: []State{Quoted}, To: []State{Awaiting}, Statement: "ConfirmPayment"},
		{On: "a partner pays it by its code", From: []State{Awaiting}, To: []State{Accepted}, Statement: "AcceptPayment"},
		{On: "a bill of it is being paid by another code, so that nothing is taken", From: []State{Accepted}, To: []State{Refused}, Statement: "RefusePayment"},
		{On: "a bill of it was paid by another code", From: []State{Awaiting}, To: []State{Refused}, Statement: "CloseCode"},
		{On: "the partner cancels its quote", From: []State{Awaiting}, To: []State{Cancelled}, Statement: "CancelQuote"},
		{On: "a line is in doubt, no other is being told", From: []State{Accepted}, To: []State{InDoubt}, Statement: "SuspendPayment"},
		{On: "every line is settled", From: []State{Accepted, InDoubt}, To: []State{Settled}, Statement: "FinishPayment"},
		{On: "a line goes back, no other is being told or in doubt", From: []State{Accepted, InDoubt}, To: []State{RefundDue}, Statement: "FinishPayment"},
		{On: "its partner asks for it back, and two officers agree", From: []State{Settled}, To: []State{RefundDue}, Statement: "ReversePayment"},
		{On: "the partner gave all back that was due", From: []State{RefundDue}, To: []State{Refunded}},
		{On: "two officers find that it did not", From: []State{Refunded}, To: []State{RefundDue}},
		{Line: true, On: "the payment is paid", From: []State{Quoted}, To: []State{Claimed}, Statement: "ClaimLines"},
		{Line: true, On: "its register has our payment, or two officers decide so of a doubt", From: []State{Claimed, InDoubt}, To: []State{Settled}, Statement: "FinishLine"},
		{Line: true, On: "its register does not want it, or two officers decide so of a doubt", From: []State{Claimed, InDoubt}, To: []State{RefundDue}, Statement: "FinishLine"},
		{Line: true, On: "its register says paid, and nothing proves by whom", From: []State{Claimed}, To: []State{InDoubt}, Statement: "SuspendLine"},
		{Line: true, On: "the partner takes back what was not sent", From: []State{Claimed}, To: []State{RefundDue}, Statement: "TakeBackLines"},
		{Line: true, On: "its partner asks for the payment back, and two officers agree", From: []State{Settled}, To: []State{RefundDue}, Statement: "ReverseLines"},
		{Line: true, On: "the partner gave it back", From: []State{RefundDue}, To: []State{Refunded}},
		{Line: true, On: "two officers find that it did not", From: []State{Refunded}, To: []State{RefundDue}},
	}
}

// lifeHead is how docs/payments.md begins.
const lifeHead = `# The life of a payment

Written by ` + "`make flows`" + ` from the table of transitions (` + "`platform/payment/life.go`" + `, ` + "`eshik flows payments`" + `); do not edit. What is not drawn does not
happen: each arrow is one SQL statement that changes nothing where the payment stands elsewhere, and a test asks for everything in every state. Where no arrow leads
on, it ends: what comes late changes nothing. *Accepted* with a line that was not sent and *accepted* with one of which nobody knows are told apart by the line's
mark ` + "`sent`" + `, which is kept before the first byte leaves. Refunded is an entry of the ledger, beside the row that says *refund due*.
`

// Drawn is docs/payments.md: the transitions as two state diagrams (Mermaid, in Markdown).
func Drawn() string {
	return lifeHead + drawn("A payment", Quoted, false) + drawn("One of its lines", Quoted, true)
}

func drawn(title string, first State, lines bool) string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "\n## %s\n\n```mermaid\nstateDiagram-v2\n  [*] --> %s\n", title, first)
	var from, to []State
	for _, t := range Transitions() {
		if t.Line != lines {
			continue
		}
		for _, a := range t.From {
			for _, b := range t.To {
				_, _ = fmt.Fprintf(&out, "  %s --> %s : %s\n", a, b, t.On)
			}
		}
		from, to = append(from, t.From...), append(to, t.To...)
	}
	slices.Sort(to)
	for _, end := range slices.Compact(to) {
		if !slices.Contains(from, end) {
			_, _ = fmt.Fprintf(&out, "  %s --> [*]\n", end)
		}
	}
	out.WriteString("```\n")
	return out.String()
}
