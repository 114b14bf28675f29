package webhook

import "time"

// body is an event as it is sent: the contract's Event.
type body struct {
	ID        string    `json:"id"`
	Type      Kind      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	Code      string `json:"code"`
	Version   int64  `json:"version"`
	TxnID     string `json:"txn_id,omitempty"`
	Reference string `json:"reference,omitempty"`
	Service   string `json:"service"`
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency"`
	Refund    int64  `json:"refund,omitempty"`
}

func bodyOf(e Event) body {
	return body{e.ID, e.Kind, e.At, data{e.Code, e.Version, e.TxnID, e.Reference, e.Service, int64(e.Amount), "KGS", int64(e.Refund)}}
}
