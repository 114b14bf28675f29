package smpp_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/smpp"
)

// kannelMessages is how many messages go each way.
const kannelMessages = 50

// TestKannel speaks with Kannel's drive_smpp, an SMS centre of the years in which
// a transmitter and a receiver were two links. It wants a bearerbox besides, to
// which it connects at the start and says nothing.
func TestKannel(t *testing.T) {
	t.Parallel()
	program := os.Getenv("ESHIK_TEST_DRIVE_SMPP")
	if program == "" {
		t.Fatal("ESHIK_TEST_DRIVE_SMPP is not set: run the tests with `make test`, which installs Kannel's programs")
	}
	address, output := startKannel(t, program)
	receiver := run(t, smpp.Config{Address: address, Mode: smpp.Receiver})
	transmitter := run(t, smpp.Config{Address: address, Mode: smpp.Transmitter})
	for n := range kannelMessages {
		// It accepts without naming what it accepts.
		if _, err := transmitter.Submit(t.Context(), kannelText(n), nil); err != nil {
			t.Fatalf("message %d: %v\n%s", n, err, output)
		}
	}
	for n := range kannelMessages {
		select {
		case <-receiver.got:
		case <-time.After(20 * time.Second):
			t.Fatalf("Kannel's message %d did not come\n%s", n, output)
		}
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	for _, d := range receiver.heard {
		octets, part, err := smpp.Content(d.Message, d.TLVs)
		if err != nil || part != (smpp.Part{}) || len(octets) == 0 {
			t.Errorf("Kannel's message is read as %q, %+v: %v", octets, part, err)
		}
	}
	if len(receiver.faulty)+len(transmitter.faulty) > 0 {
		t.Errorf("faults: %v, %v", receiver.faulty, transmitter.faulty)
	}
}

// kannelText is a message that drive_smpp can print: it takes the octets for a
// C string.
func kannelText(n int) *smpp.Message {
	m := submit("")
	m.Coding, m.Short = smpp.CodingDefault, []byte("message "+strconv.Itoa(n))
	return m
}

// startKannel runs the program until the test ends.
func startKannel(t *testing.T, program string) (address string, output *bytes.Buffer) {
	t.Helper()
	box, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	spare, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := spare.Addr().(*net.TCPAddr).Port
	_ = spare.Close() // Kannel cannot be given a listener, nor choose a port itself
	folder := t.TempDir()
	config := filepath.Join(folder, "kannel.conf")
	text := fmt.Sprintf("group = core\nadmin-port = 13000\nsmsbox-port = %d\nadmin-password = test\n\n"+
		"group = smsbox\nbearerbox-host = 127.0.0.1\n", box.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	output = &bytes.Buffer{}
	kannel := exec.Command(program, "-v", "0", "-p", strconv.Itoa(port), "-m", strconv.Itoa(kannelMessages), "-c", config) // #nosec G204 -- found by the test's runner
	kannel.Dir, kannel.Stdout, kannel.Stderr = folder, output, output
	if err := kannel.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kannel.Process.Kill(); _ = kannel.Wait() })
	return "127.0.0.1:" + strconv.Itoa(port), output
}
