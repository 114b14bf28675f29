package ussd

import (
	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/session"
)

// hopHeader carries, back to the gateway's statistics, which step was shown.
const hopHeader = "at-ussd-hop-metadata"

// formatAfricasTalking is Africa's Talking's. Facts of its
// documentation: a form post with sessionId, phoneNumber, networkCode,
// serviceCode and text, which holds every input so far joined by "*"; an answer
// in text/plain that starts with "CON " or "END ", within 10 s. At the end of a
// session it posts status, duration, hops and cost, and also input and
// lastAppResponse, which hold what the citizen typed and saw: those are not read.
func formatAfricasTalking() format {
	return format{
		name: "africastalking",
		paths: []path{
			{suffix: "/end", decode: endAfricasTalking, encode: noted, over: true},
			{decode: decodeAfricasTalking, encode: encodeAfricasTalking},
		},
		refuse: func(c *fiber.Ctx, status int, why string) error { return c.Status(status).SendString(why) },
	}
}

func decodeAfricasTalking(c *fiber.Ctx) (request, error) {
	return request{
		session: field(c, "sessionId"), phone: field(c, "phoneNumber"), operator: caller.OperatorOf(field(c, "networkCode")),
		text: field(c, "text"), cumulative: true,
	}, nil
}

func endAfricasTalking(c *fiber.Ctx) (request, error) {
	in, err := decodeAfricasTalking(c)
	in.closing = closing(c)
	return in, err
}

func encodeAfricasTalking(c *fiber.Ctx, answer session.Answer) error {
	if answer.Node != "" {
		c.Set(hopHeader, `{"step":"`+answer.Node+`"}`) // a node's name holds letters, "." and "_"
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	if answer.End {
		return c.SendString("END " + answer.Text)
	}
	return c.SendString("CON " + answer.Text)
}

// noted answers a notice.
func noted(c *fiber.Ctx, _ session.Answer) error { return c.SendStatus(fiber.StatusOK) }

// field copies a form field out of the request, whose memory Fiber uses again
// when the handler returns.
func field(c *fiber.Ctx, name string) string {
	return legible(string(c.Context().PostArgs().Peek(name)))
}
