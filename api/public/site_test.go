package public

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// TestFormsAreReadFromTheBody: a code in the address, which proxies write down, opens nothing.
func TestFormsAreReadFromTheBody(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Post("/", func(c *fiber.Ctx) error { return c.SendString(openingOf(c).Number + "/" + openingOf(c).Code) })
	for _, row := range []struct{ address, body, want string }{
		{"/", "number=K7&code=123456", "K7/123456"},
		{"/?number=K7&code=123456", "", "/"},
		{"/?code=123456", "number=K7", "K7/"},
		{"/?number=other", "number=K7&code=%D0%9A", "K7/К"},
	} {
		r := httptest.NewRequest(http.MethodPost, row.address, strings.NewReader(row.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close() // it is read
		if err != nil || string(got) != row.want {
			t.Errorf("%s with %q: %q, %v", row.address, row.body, got, err)
		}
	}
}
