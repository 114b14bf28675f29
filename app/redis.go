package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisForms says how ESHIK_REDIS is written.
var redisForms = UsageError{errors.New("ESHIK_REDIS must look like redis://host:6379/0, " +
	"redis+sentinel://host:26379,host:26379/0?master=name or redis+cluster://host:6379,host:6379 (rediss for TLS)")}

// quietRedis keeps the client's own lines, which are not JSON, out of the log:
// what matters of them is logged by whoever asked.
type quietRedis struct{}

// Printf implements the client's logger.
func (quietRedis) Printf(context.Context, string, ...any) {}

// redisPatience bounds one exchange with Redis.
const redisPatience = 300 * time.Millisecond

// openRedis makes the client of one Redis, a Sentinel group or a Cluster; nothing
// is asked of it yet.
func openRedis(address string) (redis.UniversalClient, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, redisForms
	}
	kind := strings.TrimPrefix(strings.Replace(u.Scheme, "rediss", "redis", 1), "redis")
	redis.SetLogger(quietRedis{})
	options := &redis.UniversalOptions{
		Addrs: strings.Split(u.Host, ","), Username: u.User.Username(), MasterName: u.Query().Get("master"),
		// What is asked together is not bound to any one caller's time: the client
		// gives up as soon as a citizen should not wait any more (see session.Fallback
		// and limit.Fallback, which do without Redis then).
		DialTimeout: redisPatience, ReadTimeout: redisPatience, WriteTimeout: redisPatience, DialerRetries: 1,
		MaxRetries: -1, MaxRedirects: 8,
	}
	options.Password, _ = u.User.Password()
	if strings.HasPrefix(u.Scheme, "rediss") {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if path := strings.Trim(u.Path, "/"); path != "" {
		if options.DB, err = strconv.Atoi(path); err != nil {
			return nil, redisForms
		}
	}
	switch {
	case kind == "" && len(options.Addrs) == 1 && options.MasterName == "":
		return redis.NewClient(options.Simple()), nil
	case kind == "+sentinel" && options.MasterName != "":
		return redis.NewFailoverClient(options.Failover()), nil
	case kind == "+cluster" && options.DB == 0:
		return redis.NewClusterClient(options.Cluster()), nil
	}
	return nil, redisForms
}
