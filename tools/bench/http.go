package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"
)

// children are the programs that bench runs of itself, each as its own process.
var children = map[string]func(args []string) error{"load": load, "bare": bare}

// ussdTarget is the share of a bare handler's requests that is to be reached.
const ussdTarget = 0.8

// measureUSSD compares the server, over HTTP and with Redis, PostgreSQL and
// statistics, with a bare handler on the same Redis. Server, rival and load are
// processes of their own; the sides take turns, and what counts is the median of the
// rounds' ratios: a machine's speed changes less within a round than between them.
func measureUSSD(ctx context.Context, s settings) (row, error) {
	server, err := startServer(ctx, s)
	if err != nil {
		return row{}, err
	}
	defer server.stop()
	rival, err := startChild(ctx, "bare", s.redis)
	if err != nil {
		return row{}, err
	}
	defer rival.stop()
	for _, warm := range []string{"language", "ussd"} { // every phone chooses its language once
		if _, err := runLoad(ctx, warm, server.url+"/ussd/africastalking", 2*time.Second); err != nil {
			return row{}, err
		}
	}
	var ours, theirs, ratios []float64
	for range s.rounds {
		n, err := runLoad(ctx, "ussd", server.url+"/ussd/africastalking", s.span)
		if err != nil {
			return row{}, err
		}
		m, err := runLoad(ctx, "bare", rival.url, s.span)
		if err != nil {
			return row{}, err
		}
		ours, theirs, ratios = append(ours, n), append(theirs, m), append(ratios, n/m)
	}
	ratio := median(ratios)
	return row{
		Value: median(ours), Unit: "requests/s", Control: median(theirs), Ratio: ratio, Pass: ratio >= ussdTarget,
		Note: fmt.Sprintf("rounds: %.0f against %.0f", ours, theirs),
	}, nil
}

// program is a process that serves at url.
type program struct {
	command *exec.Cmd
	url     string
}

func (p *program) stop() {
	_ = p.command.Process.Signal(os.Interrupt) // it may have ended
	_ = p.command.Wait()
}

// startServer builds and runs the server on PostgreSQL and Redis, its sandbox in
// the same process.
func startServer(ctx context.Context, s settings) (*program, error) {
	binary := filepath.Join(s.folder, "eshik")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/eshik").CombinedOutput(); err != nil { // #nosec G204 -- our own program
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	data := filepath.Join(s.folder, "data")                                                                                   // of every start: the master key is there
	command := exec.CommandContext(ctx, binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data) // #nosec G204
	command.Env = append(os.Environ(), "ESHIK_DATABASE="+s.postgres, "ESHIK_REDIS=redis://"+s.redis+"/3")
	return await(command, "phone", "/phone")
}

// startChild runs this program as one of its children.
func startChild(ctx context.Context, name string, args ...string) (*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return await(exec.CommandContext(ctx, self, append([]string{name}, args...)...), "url", "") // #nosec G204 -- ourselves
}

// await starts a command and reads the address that it prints after word.
func await(command *exec.Cmd, word, suffix string) (*program, error) {
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer // a server that is stopped under load says much
	command.Stderr = &said
	if err := command.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == word {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &program{command: command, url: strings.TrimSuffix(fields[1], suffix)}, nil
		}
	}
	_ = command.Wait()
	return nil, fmt.Errorf("the server did not start: %s", said.String())
}

// bare is the rival: a handler that does one GET and one SET.
func bare(args []string) error {
	client := redis.NewClient(&redis.Options{Addr: args[0], DB: 3})
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/", func(c *fiber.Ctx) error {
		key := "bare:" + string(c.Context().PostArgs().Peek("phoneNumber"))
		if err := client.Get(c.UserContext(), key).Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if err := client.Set(c.UserContext(), key, c.Body(), time.Minute).Err(); err != nil {
			return err
		}
		return c.SendString("CON ok")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("url", "http://"+listener.Addr().String()+"/")
	return app.Listener(listener)
}

// runLoad runs the load as a process and gives its requests per second.
func runLoad(ctx context.Context, kind, url string, span time.Duration) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	command := exec.CommandContext(ctx, self, "load", kind, url, strconv.FormatInt(span.Milliseconds(), 10)) // #nosec G204 -- ourselves
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("load %s: %w", kind, err)
	}
	var rate float64
	return rate, json.Unmarshal(out, &rate)
}
