package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// keptPerPhone bounds a phone's thread; older messages are forgotten.
const keptPerPhone = 200

// Message is one SMS of a phone, as GET /sandbox/sms lists it.
type Message struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
	To   string    `json:"to"`
	Text string    `json:"text"`
	// Parts is the number of messages the network needs; Encoding GSM-7 or UCS-2.
	Parts    int    `json:"parts"`
	Encoding string `json:"encoding"`
	// ID is the provider's: MessageSid.
	ID string `json:"id"`
	// Sent marks what the phone itself sent.
	Sent bool `json:"sent,omitempty"`
}

// phone is the phone whose thread the message stands in.
func (m Message) phone() string {
	if m.Sent {
		return m.From
	}
	return m.To
}

// inbox keeps each phone's thread, and every message as a line of sms.jsonl
// where a folder is given: a killed process loses at most the line it was
// writing.
type inbox struct {
	mu      sync.Mutex
	threads map[string][]Message // oldest first
	path    string
	file    *os.File
	lines   int // in the file
	live    int // in threads
}

// openInbox reads the kept messages. Invented people's messages only: a real
// store would never keep texts in the open.
func openInbox(dir string) (*inbox, error) {
	in := &inbox{threads: map[string][]Message{}}
	if dir == "" {
		return in, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	in.path = filepath.Join(dir, "sms.jsonl")
	kept, err := os.ReadFile(in.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the messages: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(kept))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m Message
		// A line cut short by a kill is the last one; it was never acknowledged.
		if json.Unmarshal(lines.Bytes(), &m) == nil {
			in.keep(m)
		}
	}
	return in, in.rewrite()
}

// add keeps m and writes it down before it is acknowledged.
func (in *inbox) add(m Message) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.keep(m)
	if in.file == nil {
		return nil
	}
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write down a message: %w", err)
	}
	if _, err := in.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write down a message: %w", err)
	}
	in.lines++
	if in.lines > 2*in.live+1000 {
		return in.rewrite()
	}
	return nil
}

func (in *inbox) keep(m Message) {
	thread := append(in.threads[m.phone()], m)
	in.live++
	if over := len(thread) - keptPerPhone; over > 0 {
		thread = append([]Message(nil), thread[over:]...)
		in.live -= over
	}
	in.threads[m.phone()] = thread
}

// rewrite replaces the file by one with the live messages only.
func (in *inbox) rewrite() error {
	var all bytes.Buffer
	lines := json.NewEncoder(&all)
	for _, thread := range in.threads {
		for _, m := range thread {
			if err := lines.Encode(m); err != nil {
				return fmt.Errorf("write the messages: %w", err)
			}
		}
	}
	fresh := in.path + ".new"
	if err := os.WriteFile(fresh, all.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the messages: %w", err)
	}
	if err := os.Rename(fresh, in.path); err != nil {
		return fmt.Errorf("replace the messages: %w", err)
	}
	file, err := os.OpenFile(in.path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the messages: %w", err)
	}
	if in.file != nil {
		_ = in.file.Close() // the replaced file
	}
	in.file, in.lines = file, in.live
	return nil
}

// list is the phone's messages, newest first: those that reached it, or with
// whole the ones it sent too.
func (in *inbox) list(phone string, whole bool) []Message {
	in.mu.Lock()
	defer in.mu.Unlock()
	thread := in.threads[phone]
	out := make([]Message, 0, len(thread))
	for i := len(thread) - 1; i >= 0; i-- {
		if whole || !thread[i].Sent {
			out = append(out, thread[i])
		}
	}
	return out
}

func (in *inbox) close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.file == nil {
		return nil
	}
	err := in.file.Close()
	in.file = nil
	return err
}
