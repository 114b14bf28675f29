//go:build cgo

package main

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/miekg/pkcs11"

	"github.com/eshik-kg/eshik/platform/seal/hsm"
)

const (
	nonceSize = 12  // bytes, of AES-GCM
	tagBits   = 128 // of AES-GCM
)

// token is a session with a token of a security module, opened anew when it was lost. A session
// does one thing at a time, so that one mutex holds all of it.
type token struct {
	access
	module *pkcs11.Ctx
	slot   uint

	mu      sync.Mutex
	session pkcs11.SessionHandle
	labels  []string                       // of the keys that may be asked for
	keys    map[string]pkcs11.ObjectHandle // those that were found in this session
	barred  error                          // why it is logged in to no more
}

var _ hsm.Token = (*token)(nil)

// openToken loads the library, finds the token by its label and logs in once.
func openToken(a access) (*token, error) {
	t := &token{access: a, module: pkcs11.New(a.module)}
	if t.module == nil {
		return nil, wrong{fmt.Errorf("%s cannot be loaded as a PKCS #11 library", a.module)}
	}
	if err := t.module.Initialize(); err != nil {
		t.module.Destroy()
		return nil, fmt.Errorf("initialize the library: %w", err)
	}
	err := t.find()
	if err == nil {
		err = t.open()
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *token) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.module.Finalize() // closes the sessions; the process ends
	t.module.Destroy()
}

// find finds the slot of the token.
func (t *token) find() error {
	slots, err := t.module.GetSlotList(true)
	if err != nil {
		return fmt.Errorf("list the tokens: %w", err)
	}
	var found []uint
	for _, slot := range slots {
		info, err := t.module.GetTokenInfo(slot)
		if err == nil && info.Label == t.name {
			found = append(found, slot)
		}
	}
	switch len(found) {
	case 0: // it may come: a module on the network is there later than this machine
		return fmt.Errorf("no token has the label %q", t.name)
	case 1:
		t.slot = found[0]
		return nil
	}
	return wrong{fmt.Errorf("%d tokens have the label %q, one should", len(found), t.name)}
}

// open begins a session and logs in. A wrong PIN is tried once, also one that was right until
// somebody changed it: tokens count them and lock.
func (t *token) open() error {
	if t.barred != nil {
		return t.barred
	}
	info, err := t.module.GetTokenInfo(t.slot)
	if err != nil {
		return fmt.Errorf("the token %s does not answer: %w", t.name, err)
	}
	if info.Flags&(pkcs11.CKF_USER_PIN_LOCKED|pkcs11.CKF_USER_PIN_FINAL_TRY) != 0 {
		return wrong{fmt.Errorf("the PIN of the token %s is locked, or one wrong one more locks it: not tried; log in with its vendor's tool first", t.name)}
	}
	session, err := t.module.OpenSession(t.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return fmt.Errorf("begin a session with the token %s: %w", t.name, err)
	}
	err = t.module.Login(session, pkcs11.CKU_USER, t.pin)
	switch code(err) {
	case pkcs11.CKR_OK, pkcs11.CKR_USER_ALREADY_LOGGED_IN:
		t.session, t.keys = session, map[string]pkcs11.ObjectHandle{}
		return nil
	}
	_ = t.module.CloseSession(session) // nothing can be done in it
	switch code(err) {
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_USER_PIN_NOT_INITIALIZED:
		t.barred = wrong{fmt.Errorf("the token %s does not take the PIN of "+setting+", which was tried once: %w", t.name, err)}
		return t.barred
	}
	return fmt.Errorf("log in to the token %s: %w", t.name, err)
}

// code is the number of an error of the library.
func code(err error) pkcs11.Error {
	if err == nil {
		return pkcs11.CKR_OK
	}
	if code := pkcs11.Error(0); errors.As(err, &code) {
		return code
	}
	return pkcs11.CKR_GENERAL_ERROR
}

// serves sets which keys may be asked for; each must be there, and as it should. A token that
// does not answer is no wrong setting.
func (t *token) serves(labels []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.labels = labels
	for _, label := range labels {
		_, err := t.key(label)
		if device := pkcs11.Error(0); errors.As(err, &device) {
			return err
		}
		if err != nil {
			return wrong{err}
		}
	}
	return nil
}

// make makes a key that is used in the token and never read out of it.
func (t *token) make(label string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := t.look(label)
	switch {
	case err == nil:
		return wrong{fmt.Errorf("there is a key %s in the token %s already", label, t.name)}
	case !errors.Is(err, hsm.ErrUnknown):
		return err
	}
	_, err = t.module.GenerateKey(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, true),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, true),
		pkcs11.NewAttribute(pkcs11.CKA_WRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false),
	})
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return nil
}

// key is the handle of a key that may be asked for.
func (t *token) key(label string) (pkcs11.ObjectHandle, error) {
	if !slices.Contains(t.labels, label) {
		return 0, fmt.Errorf("%w: %s is not in ESHIK_HSM_KEYS", hsm.ErrUnknown, label)
	}
	if key, ok := t.keys[label]; ok {
		return key, nil
	}
	key, err := t.look(label)
	if err == nil {
		err = t.stays(key, label)
	}
	if err != nil {
		return 0, err
	}
	t.keys[label] = key
	return key, nil
}

// look finds the one AES key of a label.
func (t *token) look(label string) (pkcs11.ObjectHandle, error) {
	err := t.module.FindObjectsInit(t.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	})
	if err != nil {
		return 0, fmt.Errorf("look for the key %s: %w", label, err)
	}
	found, _, err := t.module.FindObjects(t.session, 2)
	if err = errors.Join(err, t.module.FindObjectsFinal(t.session)); err != nil {
		return 0, fmt.Errorf("look for the key %s: %w", label, err)
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%w: the token %s has no AES key %s; make one with: eshik-hsm make %s", hsm.ErrUnknown, t.name, label, label)
	case 1:
		return found[0], nil
	}
	return 0, fmt.Errorf("the token %s has more than one AES key %s", t.name, label)
}

// stays refuses a key that can be read out of the token.
func (t *token) stays(key pkcs11.ObjectHandle, label string) error {
	attributes, err := t.module.GetAttributeValue(t.session, key, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, nil), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, nil),
	})
	if err != nil {
		return fmt.Errorf("look at the key %s: %w", label, err)
	}
	isTrue := func(a *pkcs11.Attribute) bool { return len(a.Value) > 0 && a.Value[0] != 0 }
	if !isTrue(attributes[0]) || isTrue(attributes[1]) {
		return fmt.Errorf("the key %s can be read out of the token: make another one with: eshik-hsm make", label)
	}
	return nil
}

// Wrap implements hsm.Token: a nonce, then what AES-GCM made. It is opened again before it is
// given out, so that a module which does something else of its own never costs a key.
func (t *token) Wrap(label, place string, key []byte) (wrapped []byte, err error) {
	err = t.do(label, func(by pkcs11.ObjectHandle) (err error) {
		if wrapped, err = t.encrypt(by, place, key); err != nil {
			return err
		}
		again, err := t.decrypt(by, place, wrapped)
		if err == nil && subtle.ConstantTimeCompare(again, key) != 1 {
			err = errors.New("the token does not open what it wrapped")
		}
		return err
	})
	return wrapped, err
}

func (t *token) encrypt(by pkcs11.ObjectHandle, place string, key []byte) ([]byte, error) {
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails
	params := pkcs11.NewGCMParams(nonce, []byte(place), tagBits)
	defer params.Free()
	if err := t.module.EncryptInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, by); err != nil {
		return nil, err
	}
	sealed, err := t.module.Encrypt(t.session, key)
	if err != nil {
		return nil, err
	}
	used := params.IV() // some modules draw their own
	if len(used) != nonceSize {
		return nil, fmt.Errorf("the token uses a nonce of %d bytes", len(used))
	}
	return append(used, sealed...), nil
}

func (t *token) decrypt(by pkcs11.ObjectHandle, place string, wrapped []byte) ([]byte, error) {
	params := pkcs11.NewGCMParams(wrapped[:nonceSize], []byte(place), tagBits)
	defer params.Free()
	if err := t.module.DecryptInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, by); err != nil {
		return nil, err
	}
	return t.module.Decrypt(t.session, wrapped[nonceSize:])
}

// Unwrap implements hsm.Token. Modules name a value that was changed by different numbers, some by
// those of a device that fails: a value is refused where the key opens another one.
func (t *token) Unwrap(label, place string, wrapped []byte) (key []byte, err error) {
	err = t.do(label, func(by pkcs11.ObjectHandle) (err error) {
		key, err = t.decrypt(by, place, wrapped)
		if err != nil && t.opens(by, place) {
			if key, err = t.decrypt(by, place, wrapped); err != nil { // again, as the failure may have passed
				err = fmt.Errorf("%w: %w", hsm.ErrRefused, err)
			}
		}
		return err
	})
	return key, err
}

// opens says whether a key opens what it sealed now.
func (t *token) opens(by pkcs11.ObjectHandle, place string) bool {
	value := make([]byte, 32)
	_, _ = rand.Read(value) // never fails
	sealed, err := t.encrypt(by, place, value)
	if err != nil {
		return false
	}
	opened, err := t.decrypt(by, place, sealed)
	return err == nil && subtle.ConstantTimeCompare(opened, value) == 1
}

// Ready implements hsm.Token.
func (t *token) Ready(label string) error {
	return t.do(label, func(pkcs11.ObjectHandle) error {
		if !t.stands() {
			return errors.New("the session with the token was lost")
		}
		return nil
	})
}

// do does something by a key, and where the token failed, once more in a new session.
func (t *token) do(label string, what func(by pkcs11.ObjectHandle) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.by(label, what)
	if err == nil || errors.Is(err, hsm.ErrUnknown) || errors.Is(err, hsm.ErrRefused) {
		return err
	}
	_ = t.module.CloseSession(t.session) // it may be lost already
	if err := t.open(); err != nil {
		return err
	}
	return t.by(label, what)
}

func (t *token) by(label string, what func(by pkcs11.ObjectHandle) error) error {
	key, err := t.key(label)
	if err != nil {
		return err
	}
	return what(key)
}

// stands says whether the session is there and logged in.
func (t *token) stands() bool {
	info, err := t.module.GetSessionInfo(t.session)
	return err == nil && info.State == pkcs11.CKS_RW_USER_FUNCTIONS
}
