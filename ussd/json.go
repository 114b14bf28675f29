package ussd

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// errJSON tells a gateway that its request cannot be read; what was wrong with
// it could repeat what a citizen typed.
var errJSON = errors.New("the body is not the JSON object that is documented")

// readJSON reads a body into a message of the format.
func readJSON[T any](c *fiber.Ctx) (message T, err error) {
	if json.Unmarshal(c.Request().Body(), &message) != nil {
		return message, errJSON
	}
	return message, nil
}

// isJSON reports a body that is said to be JSON, or is not said to be anything:
// the gateways' documents show the header, but not that it is always there.
func isJSON(c *fiber.Ctx) bool {
	kind, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.EqualFold(kind, fiber.MIMEApplicationJSON)
}

// refuseJSON refuses a request where the format names no body for that.
func refuseJSON(c *fiber.Ctx, status int, why string) error {
	return c.Status(status).JSON(fiber.Map{"error": why})
}
