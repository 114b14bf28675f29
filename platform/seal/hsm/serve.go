package hsm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// atOnce is how many connections are answered at once; others wait in the line of the system.
const atOnce = 16

// Token is what holds the keys. Its methods may be called at once.
type Token interface {
	// Wrap encrypts a key of 32 bytes by the key of a label, bound to a place. Errors: ErrUnknown;
	// any other says that the token does not answer.
	Wrap(label, place string, key []byte) ([]byte, error)
	// Unwrap decrypts what Wrap made. Errors: ErrUnknown, ErrRefused; any other as with Wrap.
	Unwrap(label, place string, wrapped []byte) ([]byte, error)
	// Ready says whether the key of a label can be used. Errors as with Wrap.
	Ready(label string) error
}

// Serve answers at the listener, which it closes, until ctx ends; then those that were begun
// are finished. Each connection is one question. Keys and what was wrapped are never logged.
func Serve(ctx context.Context, at net.Listener, token Token, log *slog.Logger) error {
	end := context.AfterFunc(ctx, func() { _ = at.Close() })
	defer end()
	var begun sync.WaitGroup
	defer begun.Wait()
	room := make(chan struct{}, atOnce)
	for {
		room <- struct{}{}
		connection, err := at.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		begun.Go(func() {
			defer func() { <-room }()
			defer func() { _ = connection.Close() }()
			if err := connection.SetDeadline(time.Now().Add(takes)); err != nil {
				return
			}
			converse(connection, token, log)
		})
	}
}

// converse answers the one question of a connection.
func converse(peer io.ReadWriter, token Token, log *slog.Logger) {
	line, err := bufio.NewReaderSize(io.LimitReader(peer, maxLine), maxLine).ReadBytes('\n')
	if err != nil {
		log.Warn("a question that did not end was left", "bytes", len(line))
		return
	}
	var q question
	said := answer{Fault: faultAsked, Says: "this is no question"}
	if json.Unmarshal(line, &q) == nil {
		said = reply(q, token)
	}
	if said.Fault != "" {
		log.Warn("a question was not answered", "fault", said.Fault, "says", said.Says)
	} else if q.Op != opReady {
		log.Info("a key was used", "op", q.Op, "key", q.Key, "place", q.Place)
	}
	if err := json.NewEncoder(peer).Encode(said); err != nil {
		log.Warn("an answer was not taken", "error", err)
	}
}

// reply is the answer to a question.
func reply(q question, token Token) answer {
	var data []byte
	var err error
	switch {
	case !Label(q.Key):
		return answer{Fault: faultAsked, Says: "a key is named by letters, digits and . _ -"}
	case q.Op == opReady:
		err = token.Ready(q.Key)
	case !places.MatchString(q.Place):
		return answer{Fault: faultAsked, Says: "a place is a row of seal_keys, as: eshik key 1"}
	case q.Op == opWrap && len(q.Data) == keySize:
		data, err = token.Wrap(q.Key, q.Place, q.Data)
	case q.Op == opUnwrap && len(q.Data) > keySize && len(q.Data) <= maxWrapped:
		data, err = token.Unwrap(q.Key, q.Place, q.Data)
	default:
		return answer{Fault: faultAsked, Says: "asked for is to wrap a key of 32 bytes, to unwrap one, or whether a key is ready"}
	}
	switch {
	case errors.Is(err, ErrUnknown):
		return answer{Fault: faultUnknown, Says: err.Error()}
	case errors.Is(err, ErrRefused):
		return answer{Fault: faultRefused, Says: err.Error()}
	case err != nil:
		return answer{Fault: faultAway, Says: err.Error()}
	}
	return answer{Data: data}
}
