// Package smpptest runs an SMS centre that somebody else wrote, the npm package
// "smpp", for the tests of what speaks SMPP.
package smpptest

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

//go:embed smsc.js
var program string

// patience bounds the wait for an event: a defect then fails the test instead of
// holding it up.
const patience = 20 * time.Second

// Event is what the centre saw.
type Event struct {
	Event string `json:"event"`
	// Status is the command_status of a response to deliver_sm.
	Status uint32 `json:"status"`
	// Sequence is that response's sequence number.
	Sequence uint32 `json:"sequence"`
	Port     int    `json:"port"`
	// As is the kind of a bind, and SystemID who asked for it.
	As       string `json:"as"`
	SystemID string `json:"system_id"`
	Version  int    `json:"version"`
	// ID is what the centre named a submitted message.
	ID  string `json:"id"`
	PDU Submit `json:"pdu"`
}

// Submit is a submit_sm as the other implementation reads it.
type Submit struct {
	ServiceType        string `json:"service_type"`
	Source             string `json:"source_addr"`
	SourceTON          int    `json:"source_addr_ton"`
	Destination        string `json:"destination_addr"`
	DestinationTON     int    `json:"dest_addr_ton"`
	Class              int    `json:"esm_class"`
	Coding             int    `json:"data_coding"`
	RegisteredDelivery int    `json:"registered_delivery"`
	Validity           string `json:"validity_period"`
	// Text is the message, decoded by its coding; "0x…" where the library does not
	// decode it.
	Text string `json:"text"`
	// Operation is the ussd_service_op.
	Operation   int    `json:"ussd_service_op"`
	SessionInfo string `json:"its_session_info"`
	// Reference is the user_message_reference; zero where there is none.
	Reference int `json:"user_message_reference"`
}

// SMSC is the running centre.
type SMSC struct {
	t      testing.TB
	events chan Event
	input  io.Writer
	// Address is where it listens: 127.0.0.1:port.
	Address string
}

// Start runs a centre until the test ends.
func Start(t testing.TB) *SMSC {
	t.Helper()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	// Not t.Context(): that ends before the clean-up, which stops it in order.
	node := exec.CommandContext(context.Background(), "node", "-e", program) // #nosec G204 -- our own program
	node.Env = append(os.Environ(), "NODE_PATH="+modules)
	node.Stderr = os.Stderr
	input, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	s := &SMSC{t: t, events: make(chan Event, 1000), input: input}
	read := make(chan struct{})
	go func() { defer close(read); s.read(output) }()
	t.Cleanup(func() {
		_ = input.Close() // it ends with its input
		<-read
		_ = node.Wait()
	})
	s.Address = "127.0.0.1:" + strconv.Itoa(s.Until("listening").Port)
	return s
}

func (s *SMSC) read(output io.Reader) {
	defer close(s.events)
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var event Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			s.t.Errorf("the centre says what is no event: %v", err)
			return
		}
		s.events <- event
	}
}

// Until gives the next event of this kind; others are passed over.
func (s *SMSC) Until(kind string) Event {
	s.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case event, open := <-s.events:
			if !open {
				s.t.Fatalf("the centre ended before %q", kind)
			}
			if event.Event == kind {
				return event
			}
		case <-timeout:
			s.t.Fatalf("no %q came", kind)
		}
	}
}

// Seen gives the events that came so far, and do not wait for more.
func (s *SMSC) Seen() (events []Event) {
	for {
		select {
		case event, open := <-s.events:
			if !open {
				return events
			}
			events = append(events, event)
		default:
			return events
		}
	}
}

// Do gives the centre a command: see smsc.js.
func (s *SMSC) Do(command map[string]any) {
	s.t.Helper()
	line, err := json.Marshal(command)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.input.Write(append(line, '\n')); err != nil {
		s.t.Fatal(err)
	}
}

// Raw writes one PDU on the link as it is, and gives the status of the response to it;
// it must be a deliver_sm.
func (s *SMSC) Raw(pdu []byte) (status uint32) {
	s.t.Helper()
	s.Do(map[string]any{"raw": hex.EncodeToString(pdu)})
	return s.Until("delivered").Status
}

// Deliver sends a deliver_sm with these fields, named as the specification does,
// and gives the status of the response.
func (s *SMSC) Deliver(fields map[string]any) (status uint32) {
	s.t.Helper()
	s.Do(map[string]any{"deliver": fields})
	return s.Until("delivered").Status
}
