//go:build cgo

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/eshik-kg/eshik/platform/seal/hsm"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// The tests of this file run one after the other: a process loads the library once, and a login
// is the whole process's.

const place = "eshik key 1"

// library is SoftHSM's, with a token "eshik" in a folder of the test.
func library(t *testing.T) string {
	t.Helper()
	path := os.Getenv("ESHIK_TEST_SOFTHSM")
	if path == "" {
		t.Fatal("ESHIK_TEST_SOFTHSM is not set: run the tests with `make test`")
	}
	folder := t.TempDir()
	conf := filepath.Join(folder, "softhsm2.conf")
	testworld.OK(t, os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\n", folder), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "eshik", "--pin", "1414", "--so-pin", "141414").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func opened(t *testing.T, library string) *token {
	t.Helper()
	x, err := openToken(access{module: library, name: "eshik", pin: "1414"})
	testworld.OK(t, err)
	t.Cleanup(x.close)
	return x
}

// TestToken: a key that is made in the token wraps and opens, each place for itself, also after
// the session was lost; others, and one that can be read out, are not used.
func TestToken(t *testing.T) {
	x := opened(t, library(t))
	testworld.OK(t, x.make("master"))
	if err := x.make("master"); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("made twice: %v", err)
	}
	testworld.OK(t, x.make("hidden"))
	testworld.OK(t, x.serves([]string{"master"}))
	key := bytes.Repeat([]byte{3}, 32)
	wrapped, err := x.Wrap("master", place, key)
	testworld.OK(t, err)
	other, err := x.Wrap("master", place, key)
	testworld.OK(t, err)
	if bytes.Equal(wrapped, other) || bytes.Contains(wrapped, key[:8]) {
		t.Error("not encrypted by a nonce of its own")
	}
	opens := func(when string) {
		t.Helper()
		if got, err := x.Unwrap("master", place, wrapped); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s: %x, %v", when, got, err)
		}
	}
	opens("opened")
	for name, change := range map[string]func(w []byte) (string, []byte){
		"another place":    func(w []byte) (string, []byte) { return "eshik key 2", w },
		"a changed nonce":  func(w []byte) (string, []byte) { w[0] ^= 1; return place, w },
		"a changed key":    func(w []byte) (string, []byte) { w[20] ^= 1; return place, w },
		"a changed tag":    func(w []byte) (string, []byte) { w[len(w)-1] ^= 1; return place, w },
		"one byte less":    func(w []byte) (string, []byte) { return place, w[:len(w)-1] },
		"some other bytes": func(w []byte) (string, []byte) { return place, w[:40] },
	} {
		at, changed := change(bytes.Clone(wrapped))
		if _, err := x.Unwrap("master", at, changed); !errors.Is(err, hsm.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, label := range []string{"hidden", "absent"} {
		if _, err := x.Wrap(label, place, key); !errors.Is(err, hsm.ErrUnknown) {
			t.Errorf("%s: %v", label, err)
		}
	}
	opens("after what was refused")
	testworld.OK(t, x.module.CloseAllSessions(x.slot))
	if x.stands() {
		t.Fatal("the session was not lost")
	}
	opens("in a new session")
	testworld.OK(t, x.module.CloseAllSessions(x.slot))
	testworld.OK(t, x.Ready("master"))

	_, err = x.module.GenerateKey(x.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32), pkcs11.NewAttribute(pkcs11.CKA_LABEL, "open"), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true), pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, true),
	})
	testworld.OK(t, err)
	if err := x.serves([]string{"master", "open"}); err == nil || !strings.Contains(err.Error(), "read out") {
		t.Errorf("a key that can be read out: %v", err)
	}
}

// TestATokenThatFails: what fails with the token is not said of what was asked: neither that a
// value was changed nor that there is a key already.
func TestATokenThatFails(t *testing.T) {
	x := opened(t, library(t))
	testworld.OK(t, x.make("master"))
	testworld.OK(t, x.serves([]string{"master"}))
	wrapped, err := x.Wrap("master", place, bytes.Repeat([]byte{3}, 32))
	testworld.OK(t, err)
	testworld.OK(t, x.module.DestroyObject(x.session, x.keys["master"]))
	if _, err := x.Unwrap("master", place, wrapped); !errors.Is(err, hsm.ErrUnknown) {
		t.Errorf("by a key that was there: %v", err)
	}
	testworld.OK(t, x.module.CloseAllSessions(x.slot))
	for what, err := range map[string]error{"made": x.make("master"), "served": x.serves([]string{"master"})} {
		if err == nil || errors.As(err, &wrong{}) || strings.Contains(err.Error(), "already") {
			t.Errorf("%s without a session: %v", what, err)
		}
	}
}

// TestThePINIsChanged: after the session was lost, a PIN that is right no more is tried once,
// however often a key is asked for.
func TestThePINIsChanged(t *testing.T) {
	x := opened(t, library(t))
	testworld.OK(t, x.make("master"))
	testworld.OK(t, x.serves([]string{"master"}))
	testworld.OK(t, x.module.SetPIN(x.session, "1414", "4141"))
	testworld.OK(t, x.Ready("master"))
	testworld.OK(t, x.module.CloseAllSessions(x.slot))
	for range 2 {
		if err := x.Ready("master"); err == nil || !strings.Contains(err.Error(), "tried once") {
			t.Errorf("with a PIN that was changed: %v", err)
		}
		x.pin = "4141" // which would be taken
	}
}

// TestWrongAccess: each that does not fit is named and is not worth another try, and a PIN is
// tried once.
func TestWrongAccess(t *testing.T) {
	path := library(t)
	for _, bad := range []struct {
		access
		says string
	}{
		{access{module: path, name: "eshik", pin: "4141"}, "does not take the PIN of ESHIK_HSM_PIN, which was tried once"},
		{access{module: path + ".absent", name: "eshik", pin: "1414"}, "cannot be loaded"},
	} {
		x, err := openToken(bad.access)
		if !errors.As(err, &wrong{}) || !strings.Contains(fmt.Sprint(err), bad.says) || strings.Contains(fmt.Sprint(err), bad.pin) {
			t.Errorf("%+v: %v", bad.access, err)
		}
		if err == nil {
			x.close()
		}
	}
	x, err := openToken(access{module: path, name: "another", pin: "1414"})
	if err == nil || errors.As(err, &wrong{}) || !strings.Contains(err.Error(), `no token has the label "another"`) {
		t.Errorf("a token that may come: %v", err)
	}
	if err == nil {
		x.close()
	}
	x = opened(t, path)
	if err := x.serves([]string{"master"}); !errors.As(err, &wrong{}) || !strings.Contains(err.Error(), "eshik-hsm make master") {
		t.Errorf("a key that is not there: %v", err)
	}
}
