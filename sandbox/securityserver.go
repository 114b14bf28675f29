package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// SecurityServer is the world's X-Road security server: REST (message protocol
// 1.0.4) under /r1 and SOAP (message protocol 4.0) everywhere else. It is
// written apart from the application's client, so that the two check each other.
func (w *World) SecurityServer() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/r1/", w.serveREST)
	mux.HandleFunc("/", w.serveSOAP)
	return mux
}

// longestRequest bounds what the security server reads.
const longestRequest = 1 << 20

// reply is an answer before the faults had their way with it.
type reply struct {
	status int
	header map[string]string
	body   []byte
}

// underFaults answers with what do makes, or with what the system's knobs make
// of it. down answers for a system that cannot be reached; wrong is a body of
// another shape.
func (w *World) underFaults(rw http.ResponseWriter, r *http.Request, system string, do, down func() reply, wrong func(reply) []byte) {
	f, fails := w.fate(system)
	if err := pause(r.Context(), time.Duration(f.DelayMS)*time.Millisecond); err != nil {
		return // the caller hung up
	}
	if f.Outage || fails {
		write(rw, down())
		return
	}
	got := do()
	if f.WrongSchema {
		got.body = wrong(got)
	}
	switch {
	case f.LoseAnswers != 0:
		hangUp(rw, nil)
	case f.CutBody:
		hangUp(rw, cut(got))
	default:
		write(rw, got)
	}
}

func write(rw http.ResponseWriter, got reply) {
	for name, value := range got.header {
		rw.Header().Set(name, value)
	}
	rw.WriteHeader(got.status)
	// An error means that the caller has gone.
	_, _ = rw.Write(got.body)
}

// hangUp closes the connection after raw.
func hangUp(rw http.ResponseWriter, raw []byte) {
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	// The connection is meant to break.
	_, _ = conn.Write(raw)
	_ = conn.Close()
}

// cut is the HTTP answer up to the middle of its body.
func cut(got reply) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nContent-Length: %d\r\nConnection: close\r\n",
		got.status, http.StatusText(got.status), len(got.body))
	for name, value := range got.header {
		fmt.Fprintf(&b, "%s: %s\r\n", name, strings.NewReplacer("\r", "", "\n", "").Replace(value))
	}
	b.WriteString("\r\n")
	b.Write(got.body[:len(got.body)/2])
	return b.Bytes()
}
