package ussd

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/session"
)

// infobipRequest is what Infobip posts to /{sessionId}/start, response and end.
type infobipRequest struct {
	MSISDN    string `json:"msisdn"`
	Text      string `json:"text"`
	ShortCode string `json:"shortCode"`
	IMSI      string `json:"imsi"`
}

// infobipResponse answers start and response.
type infobipResponse struct {
	Menu     string `json:"ussdMenu"`
	Close    bool   `json:"shouldClose"`
	ExitCode int    `json:"responseExitCode"`
	Message  string `json:"responseMessage"`
}

// infobipStatus answers status.
type infobipStatus struct {
	Active   bool   `json:"sessionActive"`
	ExitCode int    `json:"responseExitCode"`
	Message  string `json:"responseMessage"`
}

// formatInfobip is Infobip's. Facts of its documentation: JSON
// posts to {our address}/{sessionId}/start, …/response, …/end and …/status; a
// repeated start must do nothing new. Requests have no number: see
// session.Turn. That end may come by PUT and without a phone, and status by GET
// and without a body, is what the transport of Vumi, which was in use with it,
// expects.
func formatInfobip() format {
	const id = "/:session"
	return format{
		name: "infobip",
		paths: []path{
			{suffix: id + "/start", decode: infobip(true), encode: encodeInfobip},
			{suffix: id + "/response", decode: infobip(false), encode: encodeInfobip},
			{suffix: id + "/end", also: fiber.MethodPut, decode: endInfobip, encode: notedInfobip, over: true},
			{suffix: id + "/status", also: fiber.MethodGet, decode: statusInfobip, encode: encodeInfobipStatus},
		},
		json: true,
		refuse: func(c *fiber.Ctx, status int, why string) error {
			return c.Status(status).JSON(infobipResponse{Close: true, ExitCode: status, Message: why})
		},
	}
}

func infobip(start bool) func(c *fiber.Ctx) (request, error) {
	return func(c *fiber.Ctx) (request, error) {
		message, err := readJSON[infobipRequest](c)
		in := request{
			session: legible(strings.Clone(c.Params("session"))), phone: message.MSISDN, text: legible(message.Text),
			subscriber: message.IMSI, start: start, whole: start, code: legible(message.ShortCode),
		}
		return in, err
	}
}

// endInfobip reads the notice of a session's end. Its exitCode and reason say
// nothing that the conversation does not know. Conversations are found by phone: without one this
// conversation is counted when it expires.
func endInfobip(c *fiber.Ctx) (request, error) {
	in, err := infobip(false)(c)
	in.idle = in.phone == ""
	return in, err
}

// statusInfobip reads nothing: whatever comes of the session is answered.
func statusInfobip(*fiber.Ctx) (request, error) { return request{idle: true}, nil }

func encodeInfobip(c *fiber.Ctx, answer session.Answer) error {
	return c.JSON(infobipResponse{Menu: answer.Text, Close: answer.End, ExitCode: fiber.StatusOK})
}

// encodeInfobipStatus says that the session is open on our side: the gateway is
// the one who knows when it is over, and a conversation that was lost starts over.
func encodeInfobipStatus(c *fiber.Ctx, _ session.Answer) error {
	return c.JSON(infobipStatus{Active: true, ExitCode: fiber.StatusOK})
}

func notedInfobip(c *fiber.Ctx, _ session.Answer) error {
	return c.JSON(infobipResponse{Close: true, ExitCode: fiber.StatusOK})
}
