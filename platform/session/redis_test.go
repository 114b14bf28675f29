package session_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// process is a Redis of the test's own, which may be killed.
type process struct {
	t       *testing.T
	folder  string
	port    string
	args    []string
	command *exec.Cmd
}

// startRedis runs redis-server on a port of the system's.
func startRedis(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, folder: t.TempDir(), port: freePort(t), args: args}
	p.start()
	t.Cleanup(p.kill)
	return p
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (p *process) address() string { return "127.0.0.1:" + p.port }

func (p *process) start() {
	p.t.Helper()
	program := os.Getenv("ESHIK_TEST_REDIS_SERVER")
	if program == "" {
		p.t.Fatal("ESHIK_TEST_REDIS_SERVER is not set: run the tests with `make test`")
	}
	p.command = exec.Command(program, append(p.args, "--port", p.port, "--bind", "127.0.0.1", "--dir", p.folder, "--save", "", "--daemonize", "no")...)
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: p.address()})
	defer func() { _ = client.Close() }()
	ours := "process_id:" + strconv.Itoa(p.command.Process.Pid) + "\r"
	testworld.Eventually(p.t, "Redis starts", func() bool {
		info, err := client.Info(context.Background(), "server").Result()
		return err == nil && strings.Contains(info, ours)
	})
}

// kill ends it as a power cut would.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may be dead
	_ = p.command.Wait()
}

// newCluster is a Redis Cluster of two masters.
func newCluster(t *testing.T) *redis.ClusterClient {
	t.Helper()
	var nodes []*process
	var buses []string // by default a node's is its port + 10000, which may be none
	for range 2 {
		bus := freePort(t)
		nodes, buses = append(nodes, startRedis(t, "--cluster-enabled", "yes", "--cluster-port", bus)), append(buses, bus)
	}
	ctx := context.Background()
	var all []string
	for i, node := range nodes {
		client := redis.NewClient(&redis.Options{Addr: node.address()})
		if err := client.ClusterAddSlotsRange(ctx, i*8192, i*8192+8191).Err(); err != nil {
			t.Fatal(err)
		}
		if err := client.Do(ctx, "cluster", "meet", "127.0.0.1", nodes[0].port, buses[0]).Err(); err != nil {
			t.Fatal(err)
		}
		_ = client.Close()
		all = append(all, node.address())
	}
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: all})
	t.Cleanup(func() { _ = cluster.Close() })
	testworld.Eventually(t, "the cluster is whole", func() bool {
		for _, node := range nodes {
			client := redis.NewClient(&redis.Options{Addr: node.address()})
			info, err := client.ClusterInfo(ctx).Result()
			_ = client.Close()
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_size:2") {
				return false
			}
		}
		return true
	})
	return cluster
}

// A database that hangs does not hold up conversations that Redis keeps.
func TestDatabaseHangs(t *testing.T) {
	t.Parallel()
	client, prefix := newRedis(t)
	db := storetest.Open(t, storetest.NewPostgres(t))
	f := newFallback(onRedis(t, client, prefix), db)
	tx, err := db.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE session_records IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(time.Minute)
	done := make(chan error, 1)
	go func() {
		_, err := f.Load(context.Background(), "a")
		if err == nil {
			err = f.Save(context.Background(), "a", session.Record{Version: 1, Expires: soon}, 0)
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second): // a citizen waits for nine
		t.Error("a turn waits for the database")
	}
}

// sentinels is a master and a replica under one Sentinel's eyes.
type sentinels struct {
	master, replica *process
	client          *redis.Client
}

func newSentinels(t *testing.T) *sentinels {
	t.Helper()
	s := &sentinels{master: startRedis(t)}
	s.replica = startRedis(t, "--replicaof", "127.0.0.1 "+s.master.port)
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	lines := fmt.Sprintf("sentinel monitor door 127.0.0.1 %s 1\nsentinel down-after-milliseconds door 500\nsentinel failover-timeout door 5000\n", s.master.port)
	if err := os.WriteFile(config, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	guard := startRedis(t, config, "--sentinel")
	s.client = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "door", SentinelAddrs: []string{guard.address()}})
	t.Cleanup(func() { _ = s.client.Close() })
	watch := redis.NewSentinelClient(&redis.Options{Addr: guard.address()})
	t.Cleanup(func() { _ = watch.Close() })
	testworld.Eventually(t, "the Sentinel knows the replica", func() bool {
		replicas, err := watch.Replicas(context.Background(), "door").Result()
		return err == nil && len(replicas) == 1 && replicas[0]["master-link-status"] == "ok"
	})
	return s
}

// stores runs test on a fresh store of every kind.
func stores(t *testing.T, test func(t *testing.T, store session.Store)) {
	t.Helper()
	each(t, test)
	run := func(name string, made func(t *testing.T) session.Store) {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, made(t)) })
	}
	run("cluster", func(t *testing.T) session.Store { return onRedis(t, newCluster(t), "eshik") })
	run("sentinel", func(t *testing.T) session.Store { return onRedis(t, newSentinels(t).client, "eshik") })
	run("sqlite", func(t *testing.T) session.Store { return session.NewSQL(storetest.Open(t, storetest.NewSQLite(t))) })
	run("postgresql", func(t *testing.T) session.Store { return session.NewSQL(storetest.Open(t, storetest.NewPostgres(t))) })
	run("fallback", func(t *testing.T) session.Store {
		client, prefix := newRedis(t)
		return newFallback(onRedis(t, client, prefix), storetest.Open(t, storetest.NewPostgres(t)))
	})
	run("fallback without Redis", func(t *testing.T) session.Store {
		dead := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + freePort(t), MaxRetries: -1})
		t.Cleanup(func() { _ = dead.Close() })
		return newFallback(onRedis(t, dead, "eshik"), storetest.Open(t, storetest.NewSQLite(t)))
	})
}

func newFallback(primary session.Store, db *store.DB) *session.Fallback {
	return session.NewFallback(primary, session.NewSQL(db), time.Now, slog.New(slog.DiscardHandler))
}

// A Sentinel puts the replica in the place of a master that is killed; conversations go
// on, or start over where the last turn had not reached the replica.
func TestSentinelFailsOver(t *testing.T) {
	t.Parallel()
	s := newSentinels(t)
	w := newWorld(t, onRedis(t, s.client, "eshik"))
	w.say(t, aigul, "")
	replica := redis.NewClient(&redis.Options{Addr: s.replica.address()})
	t.Cleanup(func() { _ = replica.Close() })
	testworld.Eventually(t, "the replica has the conversation", func() bool {
		n, err := replica.DBSize(t.Context()).Result()
		return err == nil && n > 0
	})
	s.master.kill()
	var answer session.Answer
	testworld.Eventually(t, "the store answers again", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		answer, err = w.Turn(ctx, w.turn(aigul, "1"))
		return err == nil
	})
	if answer.Text != "12 start=false dialled=[] text=1" {
		t.Errorf("after the fail-over: %q", answer.Text)
	}
}

// Redis is killed in the middle of a conversation and comes back empty: the conversation goes on
// in the database, and then in Redis again, for two instances alike.
func TestConversationOutlivesRedis(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := startRedis(t)
		instance := func() (*session.Fallback, *redis.Client) {
			client := redis.NewClient(&redis.Options{Addr: server.address(), MaxRetries: -1})
			t.Cleanup(func() { _ = client.Close() })
			return newFallback(onRedis(t, client, "eshik"), db), client
		}
		first, client := instance()
		second, _ := instance()
		w := newWorld(t, first)
		other := newWorld(t, second)
		other.engine = w.engine
		w.say(t, aigul, "")
		server.kill()
		w.expect(t, aigul, "1", "11 start=true dialled=[1] text=") // what Redis alone knew is lost
		w.expect(t, aigul, "1*2", "12 start=false dialled=[] text=2")
		other.expect(t, aigul, "1*2*3", "13 start=false dialled=[] text=3")
		if !first.Away() {
			t.Error("nobody noticed that Redis is away")
		}
		server.start()
		time.Sleep(time.Second + 200*time.Millisecond) // Redis is left alone that long: the breaker's own clock
		w.expect(t, aigul, "1*2*3*4", "14 start=false dialled=[] text=4")
		w.expect(t, aigul, "1*2*3*4*5", "15 start=false dialled=[] text=5")
		if n := client.DBSize(t.Context()).Val(); n == 0 {
			t.Error("the conversation did not go back to Redis")
		}
		if used, err := session.NewSQL(db).Any(t.Context()); err != nil || used {
			t.Errorf("the database still holds a conversation: %v, %v", used, err)
		}
	})
}

// What Redis kept from before an outage is older than what the database has.
func TestStaleRedisDoesNotWin(t *testing.T) {
	t.Parallel()
	client, prefix := newRedis(t)
	primary := onRedis(t, client, prefix)
	cut := &cutStore{Store: primary}
	db := storetest.Open(t, storetest.NewSQLite(t))
	w := newWorld(t, newFallback(cut, db))
	w.say(t, aigul, "")
	w.say(t, aigul, "1")
	cut.away = true
	w.Pass(time.Second)
	w.expect(t, aigul, "1*2", "11 start=true dialled=[1 2] text=") // without Redis nothing was known
	w.Pass(time.Second)
	w.say(t, aigul, "1*2*3")
	cut.away = false
	again := newWorld(t, newFallback(cut, db)) // an instance that never lost Redis
	again.expect(t, aigul, "1*2*3*4", "13 start=false dialled=[] text=4")
	if found, err := primary.Expired(t.Context(), time.Now().Add(time.Hour), 10); err != nil || len(found) != 1 {
		t.Errorf("Redis holds %d conversations, %v", len(found), err)
	}
}

// cutStore is a store behind a cable that somebody pulled.
type cutStore struct {
	session.Store
	away bool
}

func (c *cutStore) Load(ctx context.Context, key string) (session.Record, error) {
	if c.away {
		return session.Record{}, net.ErrClosed
	}
	return c.Store.Load(ctx, key)
}

func (c *cutStore) Replace(ctx context.Context, key string, rec session.Record, expect int64) error {
	return c.Save(ctx, key, rec, expect)
}

func (c *cutStore) Save(ctx context.Context, key string, rec session.Record, expect int64) error {
	if c.away {
		return net.ErrClosed
	}
	return c.Store.Save(ctx, key, rec, expect)
}
