package limit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// prefix keeps the limiter's keys apart from others in one Redis.
const prefix = "eshik:limit:"

// allow keeps the uses of a key as a sorted set of moments, in microseconds of
// the server's clock, so that all instances count alike. It answers -1 for
// "allowed", otherwise the microseconds to wait. A use without a name is
// not kept, one whose name is there already is allowed for nothing.
var allow = redis.NewScript(`
local t = redis.call('TIME')
local now, per, n = t[1] * 1000000 + t[2], tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - per))
if ARGV[3] ~= '' and redis.call('ZSCORE', KEYS[1], ARGV[3]) then return -1 end
local count = redis.call('ZCARD', KEYS[1])
if count < n then
  if ARGV[3] == '' then return -1 end
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(per / 1000))
  return -1
end
if n <= 0 then return per end
local first = redis.call('ZRANGE', KEYS[1], count - n, count - n, 'WITHSCORES')
return math.max(tonumber(first[2]) + per - now, 1)
`)

// Redis is the Limiter that several processes share.
type Redis struct {
	client redis.UniversalClient
}

// NewRedis makes a Limiter in a Redis, a Sentinel group or a Cluster, version 5
// or later.
func NewRedis(client redis.UniversalClient) *Redis {
	return &Redis{client: client}
}

// Allow implements Limiter.
func (r *Redis) Allow(ctx context.Context, key string, rate Rate) (bool, time.Duration, error) {
	return r.use(ctx, key, rate, uuid.NewString())
}

// AllowOnce implements Limiter.
func (r *Redis) AllowOnce(ctx context.Context, key, name string, rate Rate) (bool, time.Duration, error) {
	return r.use(ctx, key, rate, name)
}

// Would implements Limiter.
func (r *Redis) Would(ctx context.Context, key string, rate Rate) (bool, time.Duration, error) {
	return r.use(ctx, key, rate, "")
}

// spend counts the uses of a key up to a number, and says how many are left; -1: none was.
// The key is kept a while beyond its
// moment: the clocks of those who count differ.
var spend = redis.NewScript(`
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return -1 end
local count = redis.call('INCR', KEYS[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return tonumber(ARGV[1]) - count
`)

// spentKept is how long a count is kept beyond its moment.
const spentKept = time.Minute

// Spend implements Limiter.
func (r *Redis) Spend(ctx context.Context, key string, n int, until time.Time) (bool, int, error) {
	name := prefix + key + "@" + strconv.FormatInt(until.UnixMicro(), 10)
	left, err := spend.Run(ctx, r.client, []string{name}, n, until.Add(spentKept).UnixMilli()).Int()
	if err != nil {
		return false, 0, fmt.Errorf("count in Redis: %s", strings.ReplaceAll(err.Error(), key, "…"))
	}
	return left >= 0, max(left, 0), nil
}

func (r *Redis) use(ctx context.Context, key string, rate Rate, use string) (bool, time.Duration, error) {
	wait, err := allow.Run(ctx, r.client, []string{prefix + key}, rate.Per.Microseconds(), rate.N, use).Int64()
	if err != nil {
		// Redis may repeat its arguments in an error, and a key may hold a phone.
		text := strings.ReplaceAll(err.Error(), key, "…")
		return false, 0, fmt.Errorf("count in Redis: %s", text)
	}
	if wait < 0 {
		return true, 0, nil
	}
	return false, time.Duration(wait) * time.Microsecond, nil
}
