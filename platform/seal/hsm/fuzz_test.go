package hsm

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
)

// echo is a token that has every key and does nothing with it.
type echo struct{ asked int }

func (e *echo) Ready(string) error { return nil }

func (e *echo) Wrap(_, _ string, key []byte) ([]byte, error) {
	e.asked = max(e.asked, len(key))
	return key, nil
}

func (e *echo) Unwrap(_, _ string, wrapped []byte) ([]byte, error) {
	e.asked = max(e.asked, len(wrapped))
	return wrapped[:keySize], nil
}

// peer is one side of a connection.
type peer struct {
	bytes.Reader
	said bytes.Buffer
}

// Write implements io.Writer.
func (p *peer) Write(b []byte) (int, error) { return p.said.Write(b) }

// FuzzConverse: whatever comes, what is said is nothing or one whole answer, and the token is
// asked for nothing longer than it should.
func FuzzConverse(f *testing.F) {
	f.Add([]byte("{\"op\":\"wrap\",\"key\":\"a\",\"place\":\"eshik key 1\",\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}\n"))
	f.Add([]byte("{\"op\":\"ready\",\"key\":\"a\"}\n"))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, in []byte) {
		token, p := &echo{}, &peer{Reader: *bytes.NewReader(in)}
		converse(p, token, slog.New(slog.DiscardHandler))
		var a answer
		if p.said.Len() > 0 && (json.Unmarshal(p.said.Bytes(), &a) != nil || p.said.Len() > maxLine) {
			t.Errorf("%q is answered %q", in, p.said.Bytes())
		}
		if token.asked > maxWrapped {
			t.Errorf("the token was asked for %d bytes", token.asked)
		}
	})
}
