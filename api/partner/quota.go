package partner

import (
	"fmt"
	"math"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/partners"
)

// The headers of draft-ietf-httpapi-ratelimit-headers-10: what is agreed, and what is left.
const (
	headerRateLimit       = "RateLimit"
	headerRateLimitPolicy = "RateLimit-Policy"
)

// tellQuotas says in an answer's headers how a partner's limits stand; nothing where it has none.
func tellQuotas(c *fiber.Ctx, quotas []partners.Quota) {
	if len(quotas) == 0 {
		return
	}
	policy, left := make([]string, len(quotas)), make([]string, len(quotas))
	for i, q := range quotas {
		policy[i] = fmt.Sprintf("%q;q=%d;w=%d", q.Name, q.N, int(q.Span.Seconds()))
		left[i] = fmt.Sprintf("%q;r=%d;t=%d", q.Name, q.Left, int(math.Ceil(q.Until.Seconds())))
	}
	c.Set(headerRateLimitPolicy, strings.Join(policy, ", "))
	c.Set(headerRateLimit, strings.Join(left, ", "))
}
