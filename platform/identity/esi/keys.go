package esi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// algorithms are those that an ID token may be signed by: of two keys, and nothing that a
// public key could be taken for the secret of (RFC 8725, section 3.1).
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256}
}

// keys are the provider's, as it publishes them. They are asked for again when an hour is
// over, and when a token names one that is not among them, though not again at once: a
// provider that rotates is followed, and who invents key ids makes nobody ask.
type keys struct {
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex
	url   string
	set   jose.JSONWebKeySet
	asked time.Time
}

// of says where the keys are published.
func (k *keys) of(url string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.url != url {
		k.url, k.set, k.asked = url, jose.JSONWebKeySet{}, time.Time{}
	}
}

// VerifySignature implements oidc.KeySet.
func (k *keys) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(raw, algorithms())
	if err != nil || len(signed.Signatures) != 1 {
		return nil, errors.New("it is not signed as agreed")
	}
	head := signed.Signatures[0].Protected
	key, err := k.find(ctx, head.KeyID, head.Algorithm)
	if err != nil {
		return nil, err
	}
	return signed.Verify(key)
}

// find gives the key that a token names.
func (k *keys) find(ctx context.Context, id, algorithm string) (*jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := k.now().Sub(k.asked)
	old := k.asked.IsZero() || age >= described
	if key := k.known(id, algorithm); key != nil && !old {
		return key, nil
	}
	if old || age >= describeAgain {
		if err := k.ask(ctx); err != nil {
			return nil, fmt.Errorf("%w: ask for its keys: %w", ErrDown, err)
		}
	}
	if key := k.known(id, algorithm); key != nil {
		return key, nil
	}
	return nil, errors.New("no key of the provider signed it")
}

// known is a public key of ours for signatures, by its id and algorithm.
func (k *keys) known(id, algorithm string) *jose.JSONWebKey {
	for i, key := range k.set.Keys {
		if key.KeyID == id && key.IsPublic() && (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == algorithm) {
			return &k.set.Keys[i]
		}
	}
	return nil
}

// ask takes the keys that are published now in place of those of before.
func (k *keys) ask(ctx context.Context) error {
	k.asked = k.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to the end
	var set jose.JSONWebKeySet
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %d", resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return fmt.Errorf("read them: %w", err)
	}
	k.set = set
	return nil
}
