package ussd

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/session"
)

// hubtelRequest is what Hubtel, and those who took its format over, post.
type hubtelRequest struct {
	Type        string
	Mobile      string
	SessionID   string `json:"SessionId"`
	ServiceCode string
	Operator    string
	Message     string
	Sequence    json.Number // with or without quotes
}

// hubtelResponse answers it. ClientState would come back with the next request:
// we keep the state ourselves and send none.
type hubtelResponse struct {
	Type        string
	Message     string
	ClientState string
}

// formatHubtel is Hubtel's JSON: Type is Initiation,
// Response or Release, and Sequence counts a session's requests. Those who took
// the format over write it so; Hubtel's own documentation of today writes the
// types in small letters and the number in quotes.
func formatHubtel() format {
	return format{
		name:   "hubtel",
		paths:  []path{{decode: decodeHubtel, encode: encodeHubtel}},
		json:   true,
		refuse: refuseJSON,
	}
}

func decodeHubtel(c *fiber.Ctx) (request, error) {
	message, err := readJSON[hubtelRequest](c)
	if err != nil {
		return request{}, err
	}
	in := request{
		session: legible(message.SessionID), phone: message.Mobile, operator: caller.OperatorOf(message.Operator),
		text: legible(message.Message),
	}
	if message.Sequence != "" {
		sequence, err := message.Sequence.Int64()
		if err != nil {
			return request{}, errJSON
		}
		if sequence > 0 {
			in.id = strconv.FormatInt(sequence, 10)
		}
	}
	switch strings.ToLower(message.Type) {
	case "initiation":
		in.start, in.whole, in.code = true, true, legible(message.ServiceCode)
	case "response":
	case "release", "timeout":
		in.over = true
	default:
		return request{}, errors.New("the Type is Initiation, Response or Release")
	}
	return in, nil
}

func encodeHubtel(c *fiber.Ctx, answer session.Answer) error {
	out := hubtelResponse{Type: "Response", Message: answer.Text}
	if answer.End {
		out.Type = "Release"
	}
	return c.JSON(out)
}
