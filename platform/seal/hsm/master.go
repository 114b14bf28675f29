package hsm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// Scheme begins a setting that names a key in a hardware security module.
const Scheme = "unix:"

// Master is a seal.Master whose key this process never sees. Its methods may be called at once.
type Master struct{ socket, label string }

// Away says that the key cannot be asked now, and why; it is a seal.Away.
type Away struct {
	key, socket string
	why         error
}

// Error implements error.
func (e *Away) Error() string {
	return fmt.Sprintf("the master key %s cannot be asked: eshik-hsm at %s: %v", e.key, e.socket, e.why)
}

// Unwrap gives why.
func (e *Away) Unwrap() error { return e.why }

// MasterAway implements seal.Away.
func (e *Away) MasterAway() {}

// Parse reads a setting, as unix:/run/eshik-hsm/socket#LABEL: where the program listens that
// holds the session with the module, and which of its keys is meant. Nobody is asked.
func Parse(setting string) (*Master, error) {
	place, found := strings.CutPrefix(setting, Scheme)
	socket, label, hash := strings.Cut(place, "#")
	if !found || !hash || !filepath.IsAbs(socket) || !Label(label) {
		return nil, errors.New("a key in a security module is written as unix:/run/eshik-hsm/socket#LABEL: a whole path, and a label of letters, digits and . _ -")
	}
	return &Master{socket: socket, label: label}, nil
}

// ID implements seal.Master: the label, as nothing of the key itself is known here.
func (m *Master) ID() string { return "hsm:" + m.label }

// Wrap implements seal.Master. A *Away says that nobody answers.
func (m *Master) Wrap(key []byte, place string) ([]byte, error) {
	return m.ask(question{Op: opWrap, Key: m.label, Place: place, Data: key})
}

// Unwrap implements seal.Master. A *Away says that nobody answers, ErrRefused that
// the key does not open it.
func (m *Master) Unwrap(wrapped []byte, place string) ([]byte, error) {
	key, err := m.ask(question{Op: opUnwrap, Key: m.label, Place: place, Data: wrapped})
	if err == nil && len(key) != keySize {
		return nil, m.away(fmt.Errorf("a key of %d bytes was answered", len(key)))
	}
	return key, err
}

// Ready asks whether the key can be used now. A *Away says why not.
func (m *Master) Ready() error {
	_, err := m.ask(question{Op: opReady, Key: m.label})
	return err
}

// ask puts one question.
func (m *Master) ask(q question) ([]byte, error) {
	a, err := m.exchange(q)
	if err != nil {
		return nil, m.away(err)
	}
	switch a.Fault {
	case "":
		return a.Data, nil
	case faultRefused:
		return nil, ErrRefused
	}
	return nil, m.away(errors.New(a.Says))
}

// exchange sends a question and reads its answer.
func (m *Master) exchange(q question) (a answer, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), takes)
	defer cancel()
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", m.socket)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = connection.Close() }()
	if end, ok := ctx.Deadline(); ok {
		err = connection.SetDeadline(end)
	}
	if err == nil {
		err = json.NewEncoder(connection).Encode(q)
	}
	if err != nil {
		return answer{}, err
	}
	line, err := bufio.NewReaderSize(io.LimitReader(connection, maxLine), maxLine).ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("no whole answer within %s: %w", takes.Round(time.Second), err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return answer{}, errors.New("what answers is no eshik-hsm")
	}
	return a, nil
}

// away says what is missing, for who operates.
func (m *Master) away(why error) error {
	return &Away{key: m.ID(), socket: m.socket, why: why}
}
