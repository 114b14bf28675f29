package certificate_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// node runs a program of testdata with the packages of tools/node and gives its lines.
func node(t *testing.T, program string, input any) []string {
	t.Helper()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	text := must[[]byte](t)(json.Marshal(input))
	command := exec.CommandContext(t.Context(), "node", "testdata/"+program) // #nosec G204 -- our own program
	command.Env, command.Stdin, command.Stderr = append(os.Environ(), "NODE_PATH="+modules), strings.NewReader(string(text)), os.Stderr
	return strings.Split(strings.TrimSpace(string(must[[]byte](t)(command.Output()))), "\n")
}

// TestOthersVerifyACertificate: a COSE library of others reads a certificate's code by the
// published keys alone, those of before among them, and refuses it with any byte changed and a
// code of a stranger under our key's id.
func TestOthersVerifyACertificate(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	var codes, want []string
	for _, kind := range certificate.Kinds() {
		issued := request(t, h, string(kind), kind)
		codes = append(codes, certificate.Payload(t, h.Service, issued.Number))
		want = append(want, "KG-ESHIK "+issued.Number)
		_ = must[string](t)(h.signer.Rotate(t.Context(), staff.Act{Actor: "staff:officer"}))
	}
	good := must[[]byte](t)(certificate.Unpack(codes[0]))
	for i := 0; i < len(good); i += 7 {
		changed := slices.Clone(good)
		changed[i] ^= 1
		codes, want = append(codes, sign.EncodeBase45(changed)), append(want, "refused")
	}
	stranger := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	codes = append(codes, certificate.Payload(t, stranger.Service, request(t, stranger, "t", certificate.Residential).Number))
	want = append(want, "refused")
	keys := hex.EncodeToString(must[[]byte](t)(h.KeySet(t.Context())))
	if got := node(t, "cose.js", map[string]any{"keys": keys, "codes": codes}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
