package hsm_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/seal/hsm"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// module is a token in memory: one key, which can be taken away.
type module struct {
	gcm  cipher.AEAD
	mu   sync.Mutex
	away error
}

func newModule(t *testing.T) *module {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	testworld.OK(t, err)
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	testworld.OK(t, err)
	return &module{gcm: gcm}
}

// Ready implements hsm.Token.
func (m *module) Ready(label string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if label != "master" {
		return fmt.Errorf("%w: %s", hsm.ErrUnknown, label)
	}
	return m.away
}

// Wrap implements hsm.Token.
func (m *module) Wrap(label, place string, key []byte) ([]byte, error) {
	return m.gcm.Seal(nil, nil, key, []byte(place)), m.Ready(label)
}

// Unwrap implements hsm.Token.
func (m *module) Unwrap(label, place string, wrapped []byte) ([]byte, error) {
	if err := m.Ready(label); err != nil {
		return nil, err
	}
	key, err := m.gcm.Open(nil, nil, wrapped, []byte(place))
	if err != nil {
		return nil, hsm.ErrRefused
	}
	return key, nil
}

// socket is a path that is short enough for one.
func socket(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "hsm") //nolint:usetesting // short, as it is in the address of a socket
	testworld.OK(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return filepath.Join(folder, "s")
}

// serve answers at the path until the returned function is called, or the test ends.
func serve(t *testing.T, path string, token hsm.Token) (stop func()) {
	t.Helper()
	at, err := net.Listen("unix", path)
	testworld.OK(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hsm.Serve(ctx, at, token, slog.New(slog.DiscardHandler)) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func master(t *testing.T, path, label string) *hsm.Master {
	t.Helper()
	m, err := hsm.Parse(hsm.Scheme + path + "#" + label)
	testworld.OK(t, err)
	return m
}

// away fails unless the error says that the module cannot be asked, and these words.
func away(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	var gone seal.Away
	if !errors.As(err, &gone) {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %q is not said in: %v", what, word, err)
		}
	}
}

// TestSettings: what names a key in a module, and what does not.
func TestSettings(t *testing.T) {
	t.Parallel()
	m, err := hsm.Parse("unix:/run/eshik-hsm/socket#master-2026.1")
	if err != nil || m.ID() != "hsm:master-2026.1" {
		t.Errorf("%v, %v", m, err)
	}
	for _, bad := range []string{"", "unix:", "unix:/run/s", "unix:/run/s#", "unix:run/s#a", "unix:#a", "/run/s#a", "unix:/run/s#a b", "unix:/run/s#a#b", "unix:/run/s#" + strings.Repeat("a", 65)} {
		if m, err := hsm.Parse(bad); err == nil {
			t.Errorf("%q is %v", bad, m)
		}
	}
}

// TestWrapped: a key comes back at its place only, by its key only, and unchanged only.
func TestWrapped(t *testing.T) {
	t.Parallel()
	path := socket(t)
	serve(t, path, newModule(t))
	m := master(t, path, "master")
	testworld.OK(t, m.Ready())
	key := bytes.Repeat([]byte{3}, 32)
	wrapped, err := m.Wrap(key, "eshik key 1")
	testworld.OK(t, err)
	if got, err := m.Unwrap(wrapped, "eshik key 1"); err != nil || !bytes.Equal(got, key) {
		t.Errorf("opened as %x, %v", got, err)
	}
	if _, err := m.Unwrap(wrapped, "eshik key 2"); !errors.Is(err, hsm.ErrRefused) {
		t.Errorf("at another place: %v", err)
	}
	wrapped[20] ^= 1
	if _, err := m.Unwrap(wrapped, "eshik key 1"); !errors.Is(err, hsm.ErrRefused) {
		t.Errorf("changed: %v", err)
	}
	_, err = master(t, path, "other").Wrap(key, "eshik key 1")
	away(t, "another key", err, "no such key is served")
	_, err = m.Wrap(key[:31], "eshik key 1")
	away(t, "no key", err, "32 bytes")
	_, err = m.Wrap(key, "a letter")
	away(t, "a cipher for anything", err, "seal_keys")
	_, err = m.Unwrap(make([]byte, 257), "eshik key 1")
	away(t, "too long", err)
	_, err = m.Unwrap(make([]byte, 4000), "eshik key 1")
	away(t, "longer than a line", err)
}

// TestBadPeers: what does not speak as it should ends by itself and stops nobody else.
func TestBadPeers(t *testing.T) {
	t.Parallel()
	path := socket(t)
	serve(t, path, newModule(t))
	for range 20 { // more than are answered at once; they say nothing
		silent, err := net.Dial("unix", path)
		testworld.OK(t, err)
		t.Cleanup(func() { _ = silent.Close() })
	}
	until := time.Now().Add(15 * time.Second)
	for master(t, path, "master").Ready() != nil {
		if time.Now().After(until) {
			t.Fatal("who says nothing keeps others out")
		}
	}
	for _, said := range []string{"\n", "{}\n", "[]\n", "{\"op\":\"read\",\"key\":\"master\",\"place\":\"eshik key 1\"}\n", "\x00\xff\n"} {
		c, err := net.Dial("unix", path)
		testworld.OK(t, err)
		_, err = io.WriteString(c, said)
		testworld.OK(t, err)
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Contains(got, []byte(`"fault":"asked"`)) {
			t.Errorf("%q: %q, %v", said, got, err)
		}
	}
}

// TestBadModules: an answer that is late, cut, too long, no answer or no key is none; whoever
// asked is told within seconds.
func TestBadModules(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]string{
		"silent": "", "cut": `{"data":"`, "another program": "HTTP/1.1 400 Bad Request\n", "long": strings.Repeat("a", 5000) + "\n",
		"short key": `{"data":"` + base64.StdEncoding.EncodeToString([]byte("short")) + "\"}\n", "nothing": "{}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := socket(t)
			at, err := net.Listen("unix", path)
			testworld.OK(t, err)
			t.Cleanup(func() { _ = at.Close() })
			go func() {
				c, err := at.Accept()
				if err != nil {
					return
				}
				_, _ = io.ReadFull(c, make([]byte, 10))
				_, _ = io.WriteString(c, say)
				time.Sleep(5 * time.Second)
				_ = c.Close()
			}()
			begun := time.Now()
			_, err = master(t, path, "master").Unwrap(make([]byte, 60), "eshik key 1")
			away(t, "unwrapped", err, "eshik-hsm at "+path)
			if took := time.Since(begun); took > 4500*time.Millisecond {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func open(db *store.DB, now func() time.Time, masters ...seal.Master) (*seal.Keys, error) {
	return seal.Open(context.Background(), seal.Deps{DB: db, Masters: masters, Now: now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
}

// TestTheModuleGoesAndComes: without the module nothing starts, and the error says what is
// missing and not that a row was changed; who runs goes on, and takes up a key that was made
// meanwhile as soon as the module is there again.
func TestTheModuleGoesAndComes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		path := socket(t)
		m := newModule(t)
		stop := serve(t, path, m)
		clock := time.Now()
		now := func() time.Time { return clock }
		first, err := open(db, now, master(t, path, "master"))
		testworld.OK(t, err)
		second, err := open(db, now, master(t, path, "master"))
		testworld.OK(t, err)
		value, err := first.Sealer().Seal([]byte("a"), "place")
		testworld.OK(t, err)

		testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error {
			_, _, err := first.Add(t.Context(), tx)
			return err
		}))
		testworld.OK(t, first.Refresh(t.Context()))
		stop()
		clock = clock.Add(time.Minute)
		testworld.OK(t, first.Refresh(t.Context()))
		_, err = open(db, now, master(t, path, "master"))
		away(t, "started without the module", err, "hsm:master", path)
		if strings.Contains(fmt.Sprint(err), "backup") {
			t.Errorf("a backup helps nothing: %v", err)
		}
		if got, err := second.Sealer().Open(value, "place"); err != nil || string(got) != "a" {
			t.Errorf("who runs: %q, %v", got, err)
		}
		newer, err := first.Sealer().Seal([]byte("b"), "place")
		testworld.OK(t, err)
		if _, err := second.Sealer().Open(newer, "place"); err == nil {
			t.Error("opened by a key that was never unwrapped")
		}
		m.mu.Lock()
		m.away = errors.New("the token was drawn")
		m.mu.Unlock()
		serve(t, path, m)
		_, err = open(db, now, master(t, path, "master"))
		away(t, "started without the token", err, "the token was drawn")
		m.mu.Lock()
		m.away = nil
		m.mu.Unlock()
		testworld.OK(t, second.Refresh(t.Context()))
		if got, err := second.Sealer().Open(newer, "place"); err != nil || string(got) != "b" {
			t.Errorf("when it is there again: %q, %v", got, err)
		}
		_, err = open(db, now, master(t, path, "master"))
		testworld.OK(t, err)
	})
}

// TestAnotherKeyOfTheLabel: a module whose key was made anew opens nothing, and the error says
// what else it can be than a row that was changed.
func TestAnotherKeyOfTheLabel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		path, other := socket(t), socket(t)
		serve(t, path, newModule(t))
		serve(t, other, newModule(t))
		_, err := open(db, time.Now, master(t, path, "master"))
		testworld.OK(t, err)
		_, err = open(db, time.Now, master(t, other, "master"))
		var wrong *seal.WrongMaster
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "another one than wrapped it") {
			t.Errorf("another key of the label: %v", err)
		}
	})
}
