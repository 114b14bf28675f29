package payment

import (
	"cmp"
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/payment/db"
)

// What the audit records of a payment say of its rows, by groups. The columns that
// no record says anything of are listed with their reasons in planted_test.go.
const (
	// groupBills: payments.service, code, amount; payment_lines.n, ref, amount. Said
	// when the citizen confirms and when the money is taken.
	groupBills = "bills"
	// groupPayer: payments.owner, phone_sealed. Said with the bills, and when the
	// number gets another holder.
	groupPayer = "payer"
	// groupTransaction: all of payment_txns; payments.opened_at, confirmed_at,
	// accepted_at. Said when the money is taken.
	groupTransaction = "transaction"
	// groupOutcome: payments.finished_at; payment_lines.state, reason, doubted_at;
	// ledger_entries.kind, line, happened_at. Said when a payment is settled, due back
	// or in doubt.
	groupOutcome = "outcome"
	// groupDecision: payment_lines.n, ref, amount, state, reason of a line in doubt,
	// as a person decided it.
	groupDecision = "decision"
	// groupRequest: all of payment_refund_requests. Said when a partner asks and when it is decided.
	groupRequest = "request"
	// groupDay: all of ledger_days, whose digest is over the day's rows of ledger_day_accounts and
	// ledger_day_kinds. Said when a day is closed.
	groupDay = "day"
	// groupTransfer: all of ledger_transfers. Said when it is posted.
	groupTransfer = "transfer"
)

// billsOf is what a payment is for, by the numbers of its lines.
func billsOf(row db.Payment, lines []db.PaymentLine) *audit.Group {
	g := audit.Decided(groupBills).Text(row.Service, row.Code).Number(row.Amount, int64(len(lines)))
	for _, l := range lines {
		g.Number(l.N, l.Amount).Text(l.Ref)
	}
	return g
}

// payerOf is whose payment it is.
func payerOf(owner string, phoneSealed []byte) *audit.Group {
	return audit.Decided(groupPayer).Text(owner).Sealed(phoneSealed)
}

// transactionOf is how a payment's money was taken.
func transactionOf(row db.Payment, txn db.PaymentTxn) *audit.Group {
	return audit.Decided(groupTransaction).
		Text(txn.PartnerID, txn.TxnID, txn.PrvTxn, txn.Account).Number(txn.Amount).
		Moment(txn.PaidAt, txn.ReceivedAt, row.OpenedAt, row.ConfirmedAt, row.AcceptedAt)
}

// outcomeOf is what became of a payment. Of one that is in doubt it leaves out how
// its lines in doubt end: a person decides that, now or later.
func outcomeOf(row db.Payment, lines []db.PaymentLine, entries []db.EntriesOfRow) *audit.Group {
	pending := State(row.State) == InDoubt
	g := audit.Decided(groupOutcome).Text(row.State).Moment(row.FinishedAt).Number(int64(len(lines)))
	for _, l := range lines {
		state, reason := l.State, l.Reason
		if pending && !l.DoubtedAt.IsZero() {
			state, reason = string(InDoubt), ""
		}
		g.Number(l.N).Text(state, reason).Moment(l.DoubtedAt)
	}
	for _, e := range entries {
		if !pending || e.Kind != entryDoubtSettle && e.Kind != entryDoubtRefund {
			g.Number(e.Line).Text(e.Kind).Moment(e.HappenedAt)
		}
	}
	return g
}

// decisionOf is how a person ended a line in doubt. One whose payment was sent back afterwards had
// been settled.
func decisionOf(l db.PaymentLine) *audit.Group {
	if Outcome(l.Reason) == OutcomeReversed {
		l.State, l.Reason = string(Settled), ""
	}
	return audit.Decided(groupDecision).Number(l.N, l.Amount).Text(l.Ref, l.State, l.Reason)
}

// requestOf is a partner's request for a payment to go back.
func requestOf(r db.PaymentRefundRequest) *audit.Group {
	return audit.Decided(groupRequest).Text(r.PartnerID, r.Reason, r.State, r.Refusal).Moment(r.AskedAt, r.DecidedAt)
}

// byLine orders entries as EntriesOf does.
func byLine(a, b db.EntriesOfRow) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Kind, b.Kind))
}

func byNumber(a, b db.PaymentLine) int { return cmp.Compare(a.N, b.N) }

// ordered brings what was read without an order into the one of the records.
func ordered(lines []db.PaymentLine, entries []db.EntriesOfRow) {
	slices.SortFunc(lines, byNumber)
	slices.SortFunc(entries, byLine)
}
