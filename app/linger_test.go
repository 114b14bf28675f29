package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/testworld"
)

// A client that sends all of a body before it reads gets the answer that refuses
// the body, however much of it was left unread.
func TestTheRefusalOfABodyArrives(t *testing.T) {
	t.Parallel()
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 1 << 10})
	f.Post("/", func(c *fiber.Ctx) error { return c.SendString("taken") })
	ended := make(chan error, 1)
	go func() { ended <- f.Listener(listener) }()
	t.Cleanup(func() {
		if err := f.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	reader, body := bufio.NewReader(connection), strings.Repeat("a", 64<<10)
	if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: eshik\r\nContent-Length: 3145728\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Peek(1); err != nil { // the answer was made, and the connection is being closed
		t.Fatal(err)
	}
	for n := len(body); n < 3<<20; n += len(body) {
		if _, err := io.WriteString(connection, body); err != nil {
			t.Fatalf("after %d octets: %v", n, err)
		}
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal("no answer:", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d", response.StatusCode)
	}
}

// A connection that is idle when the server stops is closed at once.
func TestIdleConnectionsDoNotDelayTheStop(t *testing.T) {
	t.Parallel()
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	go func() {
		_, err := server.Read(make([]byte, 1))
		waits <- err
	}()
	for !server.(*lingerer).over.Load() {
		time.Sleep(time.Millisecond)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waits; err == nil {
		t.Error("the read went on")
	}
	if left := server.SetDeadline(time.Time{}); left == nil {
		t.Error("the connection is still open")
	}
}

// A connection that is one too many is closed without a read, by whoever accepts: it is
// not to keep the next ones waiting, whatever its client sent.
func TestRefusedConnectionsDelayNobody(t *testing.T) {
	t.Parallel()
	listener, err := listen("127.0.0.1:0")
	testworld.OK(t, err)
	defer func() { _ = listener.Close() }()
	client, err := net.Dial("tcp", listener.Addr().String())
	testworld.OK(t, err)
	defer func() { _ = client.Close() }()
	_, err = io.WriteString(client, "GET / HTTP/1.1\r\nHost:")
	testworld.OK(t, err)
	server, err := listener.Accept()
	testworld.OK(t, err)
	begun := time.Now()
	testworld.OK(t, server.Close())
	if took := time.Since(begun); took > lingerTime/2 {
		t.Errorf("closing took %s", took)
	}
}
