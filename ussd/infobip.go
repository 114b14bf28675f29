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

// NewInfobip makes the gateway of Infobip. Facts of its documentation: JSON
// posts to {our address}/{sessionId}/start, …/response, …/end and …/status; a
// repeated start must do nothing new. Requests have no number: see
// session.Turn.
func NewInfobip(cfg Config, deps Deps) (*Gateway, error) {
	const id = "/:session"
	return newGateway(format{
		name: "infobip",
		paths: []path{
			{suffix: id + "/start", decode: infobip(true), encode: encodeInfobip},
			{suffix: id + "/response", decode: infobip(false), encode: encodeInfobip},
			{suffix: id + "/end", decode: infobip(false), encode: notedInfobip, over: true},
		},
		json: true,
		refuse: func(c *fiber.Ctx, status int, why string) error {
			return c.Status(status).JSON(infobipResponse{Close: true, ExitCode: status, Message: why})
		},
	}, cfg, deps)
}

func infobip(start bool) func(c *fiber.Ctx) (request, error) {
	return func(c *fiber.Ctx) (request, error) {
		message, err := readJSON[infobipRequest](c)
		in := request{
			session: legible(strings.Clone(c.Params("session"))), phone: message.MSISDN, text: legible(message.Text),
			subscriber: message.IMSI, start: start,
		}
		if start {
			in.text = dialled(in.text, message.ShortCode)
		}
		return in, err
	}
}

func encodeInfobip(c *fiber.Ctx, answer session.Answer) error {
	return c.JSON(infobipResponse{Menu: answer.Text, Close: answer.End, ExitCode: fiber.StatusOK})
}

func notedInfobip(c *fiber.Ctx, _ session.Answer) error {
	return c.JSON(infobipResponse{Close: true, ExitCode: fiber.StatusOK})
}
