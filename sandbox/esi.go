package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What the national sign-in gives who asks it, unless ESIConfig says other.
const (
	ESIClient = "eshik"
	ESISecret = "sandbox-esi"
)

// Where the national sign-in is: its issuer and its pages, each below a server's address, and
// where the application takes browsers back.
const (
	ESIPath     = "/esi"
	ESIPages    = "/sandbox/esi"
	ESIRedirect = "/national-sign-in"
)

// How long what the sandbox's national sign-in gives is good for.
const (
	esiCodeLasts   = time.Minute
	esiDeviceLasts = 10 * time.Minute
	esiTokenLasts  = 5 * time.Minute
	esiInterval    = 5 * time.Second
	esiKept        = 10_000 // sign-ins; then it begins anew
)

// ESIConfig says where the national sign-in is and who may ask it. The addresses are
// functions because an embedding process learns its ports late.
type ESIConfig struct {
	// Issuer is where the application reaches it, Pages where people's browsers do.
	Issuer, Pages func() string
	// Redirect is where a browser may be sent back to.
	Redirect func() string
	// ClientID and ClientSecret are the application's; empty: ESIClient and ESISecret.
	ClientID, ClientSecret string
	// Interval is how often a device may ask; zero: 5 s.
	Interval time.Duration
}

// ESI is the national sign-in (ЕСИ) in a box: an OpenID Connect provider with the
// authorization code flow (PKCE, S256 only) and the device flow (RFC 8628). Whoever opens its
// pages chooses which of the guides' people they are.
type ESI struct {
	world *World
	cfg   ESIConfig

	mu      sync.Mutex
	key     *ecdsa.PrivateKey
	kid     string
	forged  Forgery
	last    string // the ID token that was given last
	codes   map[string]*esiGrant
	devices map[string]*esiDevice
	tokens  map[string]esiUser // by access token
}

// esiUser is who signed in, and what is told of their phone.
type esiUser struct {
	citizen
	phone    string
	verified bool
	at       time.Time
}

// esiGrant is what an authorization code is good for.
type esiGrant struct {
	redirect, challenge, nonce string
	user                       esiUser
	until                      time.Time
}

// esiDevice is a device's sign-in under way.
type esiDevice struct {
	userCode     string
	user         *esiUser
	denied, used bool
	until, asked time.Time
	interval     time.Duration
}

// NewESI makes the provider of the world's people.
func (w *World) NewESI(cfg ESIConfig) (*ESI, error) {
	if cfg.ClientID == "" {
		cfg.ClientID, cfg.ClientSecret = ESIClient, ESISecret
	}
	if cfg.Interval == 0 {
		cfg.Interval = esiInterval
	}
	e := &ESI{world: w, cfg: cfg, codes: map[string]*esiGrant{}, devices: map[string]*esiDevice{}, tokens: map[string]esiUser{}}
	return e, e.Rotate()
}

// Rotate signs with a new key from now on; the one before is published no more.
func (e *ESI) Rotate() error {
	key, err := newKey()
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.key, e.kid = key, random()
	return nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the national sign-in's key: %w", err)
	}
	return key, nil
}

// Handler serves what the application asks, below ESIPath.
func (e *ESI) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(*http.Request) (int, any){
		"GET /.well-known/openid-configuration":      e.discovery,
		"GET /.well-known/openid-configuration/jwks": e.jwks,
		"POST /connect/token":                        e.token,
		"GET /connect/userinfo":                      e.userinfo,
		"POST /connect/deviceauthorization":          e.beginDevice,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, longestRequest)
			down := func() reply { return esiReply(http.StatusBadGateway, esiError("server_error")) }
			wrong := func(reply) []byte { return []byte(`["another shape"]`) }
			e.world.underFaults(w, r, SystemESI, func() reply { return esiReply(do(r)) }, down, wrong)
		})
	}
	return http.StripPrefix(ESIPath, mux)
}

func esiReply(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: status, header: map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}, body: body}
}

func (e *ESI) discovery(*http.Request) (int, any) {
	issuer, pages := e.cfg.Issuer(), e.cfg.Pages()
	return http.StatusOK, map[string]any{
		"issuer": issuer, "jwks_uri": issuer + "/.well-known/openid-configuration/jwks",
		"authorization_endpoint": pages + "/authorize", "token_endpoint": issuer + "/connect/token",
		"userinfo_endpoint":             issuer + "/connect/userinfo",
		"device_authorization_endpoint": issuer + "/connect/deviceauthorization",
		"scopes_supported":              []string{"openid", "profile", "phone"},
		"response_types_supported":      []string{"code"}, "subject_types_supported": []string{"public"},
		"grant_types_supported":                          []string{"authorization_code", grantDevice},
		"id_token_signing_alg_values_supported":          []string{"ES256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
}

func (e *ESI) jwks(*http.Request) (int, any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	public, err := e.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return http.StatusInternalServerError, nil
	}
	half := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	return http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": e.kid, "x": half(public[1:33]), "y": half(public[33:]),
	}}}
}

// client reports the application that we know, by its secret in the header or in the form.
func (e *ESI) client(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	return id == e.cfg.ClientID && secret == e.cfg.ClientSecret
}

func (e *ESI) userinfo(r *http.Request) (int, any) {
	e.mu.Lock()
	user, ok := e.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	forged := e.forged
	e.mu.Unlock()
	if !ok {
		return http.StatusUnauthorized, esiError("invalid_token")
	}
	gender := "male"
	if user.pin[0] == '1' {
		gender = "female"
	}
	said := map[string]any{
		"sub": subject(user.pin), "pin": user.pin, "citizenship": "KGZ", "name": user.name + " " + user.surname, "given_name": user.name,
		"family_name": user.surname, "middle_name": user.patronymic, "gender": gender, "birthdate": user.born.Format(time.DateOnly),
	}
	if forged == ForgeSubject {
		said["sub"] = "another"
	}
	if user.phone != "" {
		said["phone_number"], said["phone_number_verified"] = user.phone, user.verified
	}
	return http.StatusOK, said
}

// subject is what the provider calls a person to its clients.
func subject(pin string) string { return fmt.Sprintf("%016x", mixed(uint64(len(pin))+digits(pin))) }

func digits(pin string) (n uint64) {
	for _, d := range pin {
		n = n*10 + uint64(d-'0')
	}
	return n
}

func esiError(code string) map[string]string { return map[string]string{"error": code} }

// random is a text that nobody guesses.
func random() string { return rand.Text() }
