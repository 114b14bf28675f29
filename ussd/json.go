package ussd

import (
	"encoding/json"
	"errors"

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

// refuseJSON answers what cannot be read.
func refuseJSON(c *fiber.Ctx, reason string) error { return c.JSON(fiber.Map{"error": reason}) }
