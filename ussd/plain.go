package ussd

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/session"
)

// plainRequest is our own contract for operators' gateways: see
// docs/guides/gateways.md.
type plainRequest struct {
	// Session is the gateway's id of the session, Sequence the number of the
	// request in it, from 1: a repeated request has the same.
	Session  string `json:"session"`
	Sequence int64  `json:"sequence"`
	Phone    string `json:"phone"`
	// Text is what was typed now; with Begin, what was dialled after the code.
	Text  string `json:"text"`
	Begin bool   `json:"begin"`
	// End tells that the session is over.
	End     bool   `json:"end"`
	Network string `json:"network"` // MCC and MNC: 43705
	IMSI    string `json:"imsi"`
}

// plainResponse answers it.
type plainResponse struct {
	Text string `json:"text"`
	End  bool   `json:"end"`
}

// formatPlain is our own JSON contract.
func formatPlain() format {
	return format{
		name:   "plain",
		paths:  []path{{decode: decodePlain, encode: encodePlain}},
		json:   true,
		refuse: refuseJSON,
	}
}

func decodePlain(c *fiber.Ctx) (request, error) {
	message, err := readJSON[plainRequest](c)
	in := request{
		session: legible(message.Session), phone: message.Phone, text: legible(message.Text), start: message.Begin,
		over: message.End, operator: caller.OperatorOf(message.Network), subscriber: message.IMSI,
	}
	if message.Sequence > 0 {
		in.id = strconv.FormatInt(message.Sequence, 10)
	}
	return in, err
}

func encodePlain(c *fiber.Ctx, answer session.Answer) error {
	return c.JSON(plainResponse{Text: answer.Text, End: answer.End})
}
