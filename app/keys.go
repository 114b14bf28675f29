package app

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/reseal"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/seal/hsm"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
)

// keyFile begins a setting that names a file which holds the key.
const keyFile = "file:"

// master gives the master key of a setting: one whose bytes are given, or one in a security
// module, of which nobody is asked yet.
func master(setting string) (seal.Master, error) {
	if strings.HasPrefix(setting, hsm.Scheme) {
		return hsm.Parse(setting)
	}
	key, err := masterKey(setting)
	if err != nil {
		return nil, err
	}
	return seal.NewLocalMaster(key)
}

// masterKey reads a master key: 32 bytes in base64, or where the file is that holds them.
func masterKey(setting string) ([]byte, error) {
	if path, ok := strings.CutPrefix(setting, keyFile); ok {
		text, err := os.ReadFile(path) // #nosec G304 -- the operator's own file
		if err != nil {
			return nil, fmt.Errorf("the file of the master key cannot be read: %w", err)
		}
		setting = strings.TrimSpace(string(text))
	}
	key, err := base64.StdEncoding.DecodeString(setting)
	if err != nil || len(key) != seal.MasterKeySize {
		return nil, errors.New("must be 32 bytes in base64 (openssl rand -base64 32), file:PATH of them, or unix:SOCKET#LABEL of a security module")
	}
	return key, nil
}

// masters are the given master keys, the one that wraps first.
func (c *Config) masters() (list []seal.Master, err error) {
	for _, setting := range []string{c.MasterKey, c.FormerMasterKey} {
		if setting == "" {
			continue
		}
		m, err := master(setting)
		if err != nil {
			return nil, fmt.Errorf("a master key: %w", err)
		}
		list = append(list, m)
	}
	return list, nil
}

// openKeys opens the keys of the database by the master keys.
func (a *App) openKeys(ctx context.Context) error {
	masters, err := a.config.masters()
	if err != nil {
		return UsageError{err}
	}
	a.dataKeys, err = seal.Open(ctx, seal.Deps{DB: a.DB, Masters: masters, Now: a.Clock, Random: a.Random, Log: a.Log})
	if wrong := (*seal.WrongMaster)(nil); errors.As(err, &wrong) {
		return UsageError{err}
	}
	if err != nil {
		return err
	}
	a.Sealer = a.dataKeys.Sealer()
	return nil
}

// askModule asks whether a security module still answers: whoever runs holds the keys and goes
// on without it, and would learn only at the next start that it does not.
func (a *App) askModule(context.Context) (err error) {
	for _, m := range a.dataKeys.Masters {
		if m, ok := m.(*hsm.Master); ok {
			err = errors.Join(err, m.Ready())
		}
	}
	return err
}

// keepKeys wraps the keys of a database of before: everything was opened by them just now.
func (a *App) keepKeys(ctx context.Context) error { return a.dataKeys.Keep(ctx) }

// DataKeys are the keys that seal, the oldest first, and how many values each one sealed.
func (a *App) DataKeys(ctx context.Context) ([]reseal.Status, error) { return a.reseal.List(ctx) }

func rotateData(ctx context.Context, a *App, act staff.Act, _ map[string]string) (staff.Done, error) {
	key, made, err := a.reseal.Rotate(ctx, act)
	if err != nil {
		return staff.Done{}, err
	}
	if !made {
		return staff.Done{Said: fmt.Sprintf("Under way already: what former keys sealed is being sealed anew by data key %d; eshik keys list shows how far.", key.Number)}, nil
	}
	return staff.Done{Said: fmt.Sprintf("Made: data key %d seals from %s. What the former one sealed is sealed anew by the servers meanwhile, which go on; eshik keys list shows how far.",
		key.Number, clock.Second(key.SealsFrom))}, nil
}

func rotateMaster(ctx context.Context, a *App, act staff.Act, _ map[string]string) (staff.Done, error) {
	if a.config.FormerMasterKey == "" {
		return staff.Done{}, UsageError{errors.New("set ESHIK_MASTER_KEY to the new master key and ESHIK_MASTER_KEY_FORMER to the former one, here and for every server, first")}
	}
	n, err := a.reseal.RotateMaster(ctx, act)
	if err != nil {
		return staff.Done{}, err
	}
	if n == 0 {
		return staff.Done{Said: "Done already: ESHIK_MASTER_KEY wraps all keys."}, nil
	}
	return staff.Done{Said: fmt.Sprintf("Rewrapped: ESHIK_MASTER_KEY wraps all %d keys. Start every server without ESHIK_MASTER_KEY_FORMER; keep the former key as long as backups of before.", n)}, nil
}

func rotateCertificates(ctx context.Context, a *App, act staff.Act, _ map[string]string) (staff.Done, error) {
	kid, err := a.Keys.Rotate(ctx, act)
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Made: %s signs certificates from now on. Every earlier certificate still verifies, and nothing has to be restarted.", kid)}, nil
}

// openDocuments opens the keys of documents, with an authority's certificates where they are given.
func (a *App) openDocuments(ctx context.Context) (err error) {
	var given []*x509.Certificate
	if a.config.DocumentCertificates != "" {
		text, err := os.ReadFile(a.config.DocumentCertificates)
		if err == nil {
			given, err = sign.ParseCertificates(text)
		}
		if err != nil {
			return UsageError{fmt.Errorf("ESHIK_DOCUMENT_CERTIFICATES: %w", err)}
		}
	}
	a.Documents, err = sign.OpenDocuments(ctx, sign.Deps{DB: a.DB, Sealer: a.Sealer, Trail: a.Trail, Now: a.Clock, Log: a.Log}, given)
	if errors.Is(err, sign.ErrUncertified) {
		return UsageError{fmt.Errorf("ESHIK_DOCUMENT_CERTIFICATES: %w; eshik keys list names the keys, eshik keys request asks for a certificate", err)}
	}
	return err
}

func rotateDocuments(ctx context.Context, a *App, act staff.Act, _ map[string]string) (staff.Done, error) {
	kid, err := a.Documents.Rotate(ctx, act)
	if err != nil {
		return staff.Done{}, err
	}
	said := fmt.Sprintf("Made: %s signs documents from now on, with a certificate by itself.", kid)
	if a.config.DocumentCertificates != "" {
		said = fmt.Sprintf("Made: %s. It signs documents when the authority's certificate of it is in ESHIK_DOCUMENT_CERTIFICATES: eshik keys request asks for it. Until then the former one signs.", kid)
	}
	return staff.Done{Said: said}, nil
}

// certificateKeyFacts is which key signs: a proposal to replace it is of that one.
func certificateKeyFacts(ctx context.Context, a *App, _ map[string]string) (string, error) {
	keys, err := a.Keys.Public(ctx)
	if err != nil || len(keys) == 0 {
		return "", err
	}
	return "the key " + keys[len(keys)-1].KID + " signs certificates", nil
}

func revealCertificates(ctx context.Context, a *App, act staff.Act, _ map[string]string) (staff.Done, error) {
	kid, err := a.Keys.Reveal(ctx, act)
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("Replaced: %s signs certificates from now on. Earlier ones still verify here, where the record itself is kept; "+
		"who verifies without asking us is told that the former keys prove nothing any more.", kid)}, nil
}
