package payment

import (
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// CrowdRecords are the audit records of the i-th payment that crowd writes.
func CrowdRecords(i int64) []audit.Entry {
	at := dbtime.From(time.UnixMicro(i))
	id, code := fmt.Sprint("p", 1000000000+i), fmt.Sprint("c", i)
	row := db.Payment{
		ID: id, Code: code, Service: "fine", Owner: fmt.Sprint("o", i%5000), PhoneSealed: []byte("x"), Amount: 150000, State: string(Settled),
		OpenedAt: at, AcceptedAt: at, FinishedAt: at,
	}
	lines := []db.PaymentLine{{PaymentID: id, Ref: fmt.Sprint("r", i), Amount: 150000, State: string(Settled)}}
	txn := db.PaymentTxn{
		PartnerID: "demo-wallet", TxnID: fmt.Sprint("t", i), PrvTxn: fmt.Sprint("v", i), Account: code, Amount: 150000, PaidAt: at, ReceivedAt: at,
	}
	entries := []db.EntriesOfRow{{Kind: entryAccept, Line: wholePayment, HappenedAt: at}, {Kind: entrySettle, HappenedAt: at}}
	return []audit.Entry{
		{At: at.Time, Actor: partnerAccount("demo-wallet"), Action: "payment.accept", Object: id, Subject: row.Owner, Purpose: "payment",
			Decided: []*audit.Group{billsOf(row, lines), payerOf(row.Owner, row.PhoneSealed), transactionOf(row, txn)}},
		{At: at.Time, Actor: worker, Action: "payment.settled", Object: id, Subject: row.Owner, Purpose: "payment",
			Decided: []*audit.Group{outcomeOf(row, lines, entries)}},
	}
}

// Became is how the checkout tells a payment.
var Became = became
