package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// grantDevice is the grant of RFC 8628, section 3.4.
const grantDevice = "urn:ietf:params:oauth:grant-type:device_code"

// Forgery is what is wrong with the ID tokens that the sandbox's national sign-in gives.
type Forgery string

// The forgeries. The zero value gives good ones.
const (
	ForgeNonce    Forgery = "nonce"
	ForgeAudience Forgery = "audience" // another client's token
	ForgeParty    Forgery = "party"    // ours beside another client, who it was given to
	ForgeIssuer   Forgery = "issuer"
	ForgeNone     Forgery = "none"  // alg none
	ForgeHS256    Forgery = "hs256" // the public key taken for a secret
	ForgeKey      Forgery = "key"   // signed by a stranger's key under our key's id
	ForgeExpired  Forgery = "expired"
	ForgeFuture   Forgery = "future"
	ForgeOld      Forgery = "old"     // from before the sign-in
	ForgeReplay   Forgery = "replay"  // the token that was given before
	ForgeSubject  Forgery = "subject" // what is told apart is of another user
	ForgeSession  Forgery = "session" // its user signed in yesterday
)

// Forge has every ID token be forged so from now on; empty: none.
func (e *ESI) Forge(how Forgery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forged = how
}

func (e *ESI) token(r *http.Request) (int, any) {
	if !e.client(r) {
		return http.StatusUnauthorized, esiError("invalid_client")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		return e.exchange(r)
	case grantDevice:
		return e.askDevice(r)
	}
	return http.StatusBadRequest, esiError("unsupported_grant_type")
}

// exchange takes a code, once.
func (e *ESI) exchange(r *http.Request) (int, any) {
	code := r.PostFormValue("code")
	grant := e.codes[code]
	delete(e.codes, code)
	digest := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if grant == nil || e.world.now().After(grant.until) || grant.redirect != r.PostFormValue("redirect_uri") ||
		grant.challenge != base64.RawURLEncoding.EncodeToString(digest[:]) {
		return http.StatusBadRequest, esiError("invalid_grant")
	}
	return e.grant(grant.user, grant.nonce)
}

// askDevice answers a device, which must not ask too often.
func (e *ESI) askDevice(r *http.Request) (int, any) {
	d, now := e.devices[r.PostFormValue("device_code")], e.world.now()
	if d == nil || d.used {
		return http.StatusBadRequest, esiError("invalid_grant")
	}
	early := !d.asked.IsZero() && now.Sub(d.asked) < d.interval
	d.asked = now
	switch {
	case now.After(d.until):
		return http.StatusBadRequest, esiError("expired_token")
	case d.denied:
		return http.StatusBadRequest, esiError("access_denied")
	case early:
		d.interval += esiInterval
		return http.StatusBadRequest, esiError("slow_down")
	case d.user == nil:
		return http.StatusBadRequest, esiError("authorization_pending")
	}
	d.used = true
	return e.grant(*d.user, "")
}

// grant gives the tokens of a user.
func (e *ESI) grant(user esiUser, nonce string) (int, any) {
	if len(e.tokens) >= esiKept {
		clear(e.tokens)
	}
	access := random()
	e.tokens[access] = user
	token, err := e.idToken(user, nonce, access)
	if err != nil {
		return http.StatusInternalServerError, esiError("server_error")
	}
	return http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(esiTokenLasts.Seconds()), "id_token": token, "scope": "openid profile phone",
	}
}

// idToken signs who a user is, unless it is to be forged.
func (e *ESI) idToken(user esiUser, nonce, access string) (string, error) {
	now := e.world.now()
	digest := sha256.Sum256([]byte(access))
	said := jwt.MapClaims{
		"iss": e.cfg.Issuer(), "sub": subject(user.pin), "aud": e.cfg.ClientID, "iat": now.Unix(), "exp": now.Add(esiTokenLasts).Unix(),
		"auth_time": user.at.Unix(), "acr": "sandbox", "at_hash": base64.RawURLEncoding.EncodeToString(digest[:len(digest)/2]),
	}
	if nonce != "" {
		said["nonce"] = nonce
	}
	if e.forged == ForgeReplay && e.last != "" {
		return e.last, nil
	}
	token, err := e.signed(forgedClaims(e.forged, said, now))
	e.last = token
	return token, err
}

func forgedClaims(how Forgery, said jwt.MapClaims, now time.Time) jwt.MapClaims {
	switch how {
	case ForgeNonce:
		said["nonce"] = "another"
	case ForgeAudience:
		said["aud"] = "another"
	case ForgeParty:
		said["aud"], said["azp"] = []string{said["aud"].(string), "another"}, "another" //nolint:forcetypeassert // idToken wrote a text
	case ForgeIssuer:
		said["iss"] = "https://another.example"
	case ForgeExpired:
		said["exp"] = now.Add(-2 * time.Minute).Unix()
	case ForgeFuture:
		said["iat"] = now.Add(5 * time.Minute).Unix()
	case ForgeOld:
		said["iat"] = now.Add(-24 * time.Hour).Unix()
	case ForgeSession:
		said["auth_time"] = now.Add(-24 * time.Hour).Unix()
	}
	return said
}

func (e *ESI) signed(said jwt.MapClaims) (string, error) {
	sign := func(method jwt.SigningMethod, key any) (string, error) {
		token := jwt.NewWithClaims(method, said)
		token.Header["kid"] = e.kid
		return token.SignedString(key)
	}
	switch e.forged {
	case ForgeNone:
		return sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType)
	case ForgeHS256:
		public, err := e.key.PublicKey.Bytes()
		if err != nil {
			return "", err
		}
		return sign(jwt.SigningMethodHS256, public)
	case ForgeKey:
		stranger, err := newKey()
		if err != nil {
			return "", err
		}
		return sign(jwt.SigningMethodES256, stranger)
	}
	return sign(jwt.SigningMethodES256, e.key)
}

// userCodeLetters have no vowel, that no word comes of them, and none that looks like another.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ" // RFC 8628, section 6.1

func (e *ESI) beginDevice(r *http.Request) (int, any) {
	if !e.client(r) {
		return http.StatusUnauthorized, esiError("invalid_client")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.devices) >= esiKept {
		clear(e.devices)
	}
	var typed strings.Builder
	for i := range 8 {
		if i == 4 {
			typed.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(userCodeLetters))))
		if err != nil {
			return http.StatusInternalServerError, esiError("server_error")
		}
		typed.WriteByte(userCodeLetters[n.Int64()])
	}
	code := random()
	e.devices[code] = &esiDevice{userCode: typed.String(), until: e.world.now().Add(esiDeviceLasts), interval: e.cfg.Interval}
	return http.StatusOK, map[string]any{
		"device_code": code, "user_code": typed.String(), "verification_uri": e.cfg.Pages() + "/device",
		"expires_in": int(esiDeviceLasts.Seconds()), "interval": int(e.cfg.Interval.Seconds()),
	}
}

// device finds a device's sign-in by what its user types: case and hyphens do not matter.
func (e *ESI) device(typed string) *esiDevice {
	fold := func(code string) string {
		return strings.Map(func(r rune) rune {
			if r == '-' || r == ' ' {
				return -1
			}
			return r
		}, strings.ToUpper(code))
	}
	for _, d := range e.devices {
		if fold(d.userCode) == fold(typed) && !d.denied && d.user == nil && e.world.now().Before(d.until) {
			return d
		}
	}
	return nil
}
