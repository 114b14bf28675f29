package app

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/sandbox"
)

// Config is every setting: flags of the command line (the tags are those of
// github.com/alecthomas/kong), or variables of the environment. See docs/guides/operators.md.
type Config struct {
	Mode   string `enum:"sandbox,production" default:"sandbox" env:"ESHIK_MODE" help:"sandbox (invented people, everything on this machine) or production."`
	Listen string `default:"127.0.0.1:8080" env:"ESHIK_LISTEN" help:"Address of the channels, the API and the pages."`
	Admin  string `default:"127.0.0.1:8081" env:"ESHIK_ADMIN" help:"Address of /healthz, /readyz and /metrics."`
	Data   string `default:"var" env:"ESHIK_DATA" help:"Folder for the SQLite database, the sandbox and its key." type:"path"`

	Database        string   `env:"ESHIK_DATABASE" help:"postgres://… or sqlite:file; a SQLite file in the data folder when absent."`
	Redis           string   `env:"ESHIK_REDIS" help:"redis://… for sessions and rate limits; inside this process when absent."`
	MasterKey       string   `env:"ESHIK_MASTER_KEY" help:"32 bytes in base64 that wrap the keys which seal personal data, file:PATH of them, or unix:SOCKET#LABEL of a key in a security module; made in the data folder by the sandbox."`
	FormerMasterKey string   `name:"master-key-former" env:"ESHIK_MASTER_KEY_FORMER" help:"The former one, while the master key is being replaced."`
	PublicURL       string   `env:"ESHIK_PUBLIC_URL" help:"Our address as citizens and gateways know it: https://…"`
	Proxies         []string `name:"trusted-proxies" env:"ESHIK_TRUSTED_PROXIES" help:"Addresses or networks of our reverse proxies, comma-separated: their X-Forwarded-For, which they must overwrite, tells the client's address."`
	CORSOrigins     []string `name:"cors-origins" env:"ESHIK_CORS_ORIGINS" help:"Origins whose pages may call the API from a browser, comma-separated: https://app.example; none when absent, * for any."`
	ShortCode       string   `default:"*1414#" env:"ESHIK_SHORT_CODE" help:"The code citizens dial."`

	StepTime     time.Duration `default:"3s" env:"ESHIK_STEP_TIME" help:"What a step over USSD may take before its answer is promised by SMS."`
	ResumeWindow time.Duration `default:"15m" env:"ESHIK_RESUME_WINDOW" help:"How long a conversation that broke off can be continued; 0: never."`

	Gateways    string `env:"ESHIK_GATEWAYS" help:"File of the USSD gateways, SMPP links and SMS providers (docs/guides/gateways.md); Africa's Talking with ESHIK_USSD_SECRET, and Twilio, when absent." type:"path"`
	USSDSecret  string `env:"ESHIK_USSD_SECRET" help:"Secret in the callbacks of Africa's Talking, where ESHIK_GATEWAYS names no file."`
	TLSCert     string `name:"tls-cert" env:"ESHIK_TLS_CERT" help:"Certificate chain (PEM) to serve TLS ourselves, which client certificates need; a reverse proxy's work when absent." type:"path"`
	TLSKey      string `name:"tls-key" env:"ESHIK_TLS_KEY" help:"Its private key (PEM)." type:"path"`
	QuietHours  string `env:"ESHIK_QUIET_HOURS" help:"When nothing leaves that can wait, Bishkek time: 21:00-08:00 when absent in production, none in the sandbox."`
	SMSNumber   string `name:"sms-number" env:"ESHIK_SMS_NUMBER" help:"The number that citizens text, and that our messages through Twilio come from."`
	TwilioSID   string `env:"ESHIK_TWILIO_SID" help:"Twilio account."`
	TwilioToken string `env:"ESHIK_TWILIO_TOKEN" help:"Twilio token; it also signs their callbacks."`
	TwilioURL   string `env:"ESHIK_TWILIO_URL" help:"Another address that speaks Twilio's API; Twilio's own when absent."`

	XRoadURL    string `name:"xroad-url" env:"ESHIK_XROAD_URL" help:"Our X-Road security server."`
	XRoadClient string `name:"xroad-client" default:"central-server/GOV/70000099/eshik" env:"ESHIK_XROAD_CLIENT" help:"Our X-Road identity: INSTANCE/CLASS/MEMBER/SUBSYSTEM."`
	// The registries' own names; platform/registry has what they are when absent.
	// All but that of the kindergartens are known from public sources.
	XRoadSafeCity string `name:"xroad-safe-city" env:"ESHIK_XROAD_SAFE_CITY" help:"X-Road service of the traffic fines; central-server/GOV/70000005/smartcity-service when absent."`
	XRoadAimak    string `name:"xroad-aimak" env:"ESHIK_XROAD_AIMAK" help:"X-Road service of residence and family; central-server/GOV/70000050/sanaripaymak-service when absent."`
	XRoadPassport string `name:"xroad-passport" env:"ESHIK_XROAD_PASSPORT" help:"X-Road service of identity documents; central-server/GOV/70000005/passport-service when absent."`
	XRoadCivil    string `name:"xroad-civil" env:"ESHIK_XROAD_CIVIL" help:"X-Road service of civil status; central-server/GOV/70000005/zags-service when absent."`

	PassportClient string `env:"ESHIK_PASSPORT_CLIENT" help:"Who we are to the service of identity documents."`
	PassportSecret string `env:"ESHIK_PASSPORT_SECRET" help:"Our secret there."`

	XRoadKindergartens string `name:"xroad-kindergartens" env:"ESHIK_XROAD_KINDERGARTENS" help:"X-Road service that lists kindergartens (unverified); central-server/GOV/70000060/balabakcha-service/kindergartens when absent."`

	XRoadSIM string `name:"xroad-sim" env:"ESHIK_XROAD_SIM" help:"X-Road service that says whose a phone number is (unverified): INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE; not asked when absent."`

	XRoadVehicles string `name:"xroad-vehicles" env:"ESHIK_XROAD_VEHICLES" help:"X-Road service of vehicles; central-server/GOV/70000005/vehicles-service when absent."`
	XRoadFund     string `name:"xroad-fund" env:"ESHIK_XROAD_FUND" help:"X-Road service of the Social Fund; central-server/GOV/70000018/sfrkr-service when absent."`
	XRoadTaxes    string `name:"xroad-taxes" env:"ESHIK_XROAD_TAXES" help:"X-Road service of tax debts (unverified): INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE; not asked when absent."`
	XRoadLand     string `name:"xroad-land" env:"ESHIK_XROAD_LAND" help:"X-Road service of immovable property by the owner's number (unverified), with its service code; not asked when absent."`
	XRoadSchools  string `name:"xroad-schools" env:"ESHIK_XROAD_SCHOOLS" help:"X-Road service that says who learns where (unverified), with its service code; not asked when absent."`

	DocumentCertificates string `env:"ESHIK_DOCUMENT_CERTIFICATES" help:"File (PEM) of the certificates by which the state's authority certifies the keys that sign documents, and of those between (docs/guides/operators.md); each key's own when absent." type:"path"`

	ELQR string `name:"elqr" env:"ESHIK_ELQR" help:"Who ELQR codes pay: provider,service,recipient,name as the scheme's provider gave them; none are shown when absent, in the sandbox invented ones."`

	ESIIssuer string   `name:"esi-issuer" env:"ESHIK_ESI_ISSUER" help:"Issuer of the national sign-in (ЕСИ, OpenID Connect): https://…; not offered when absent."`
	ESIClient string   `name:"esi-client" env:"ESHIK_ESI_CLIENT" help:"Who we are there (client_id)."`
	ESISecret string   `name:"esi-secret" env:"ESHIK_ESI_SECRET" help:"Our secret there."`
	ESIACR    []string `name:"esi-acr" env:"ESHIK_ESI_ACR" help:"Authentication contexts (acr) that are asked for and taken there, comma-separated; any when absent."`

	Checkpoints string `env:"ESHIK_CHECKPOINTS" help:"Folder for signed checkpoints of the audit log; checkpoints in the data folder when absent." type:"path"`
	AuditOrigin string `env:"ESHIK_AUDIT_ORIGIN" help:"What the audit log is called in its checkpoints, for good: eshik.example/audit; our address when absent."`
	Witness     string `env:"ESHIK_WITNESS" help:"Address of a service that cosigns the audit log's checkpoints (c2sp.org/tlog-witness); none when absent."`
	WitnessKey  string `env:"ESHIK_WITNESS_KEY" help:"Its verifier key: name+hash+key."`

	gateways gatewaysFile
	sendOnly bool // a worker: nothing comes in
}

// The sandbox's settings where none are given; production refuses them.
const (
	sandboxTwilioSID   = "ACsandbox"
	sandboxTwilioToken = "sandboxtoken" // #nosec G101 -- refused in production
	sandboxSMSNumber   = "1414"
)

// UsageError is a mistake of whoever started the program: it is told in one line, and
// the exit code is 2.
type UsageError struct{ Err error }

// Error implements error.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap gives the mistake.
func (e UsageError) Unwrap() error { return e.Err }

func (c *Config) production() bool { return c.Mode == "production" }

// ready makes the data folder and, in the sandbox, what was not given.
func (c *Config) ready() error {
	if err := c.check(); err != nil || c.production() {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return UsageError{fmt.Errorf("cannot make the data folder %s: %w", c.Data, err)}
	}
	if c.MasterKey == "" {
		key, err := sandboxSecret(filepath.Join(c.Data, "master.key"))
		if err != nil {
			return UsageError{fmt.Errorf("the data folder %s cannot be used: %w", c.Data, err)}
		}
		c.MasterKey = key
	}
	c.TwilioSID = cmp.Or(c.TwilioSID, sandboxTwilioSID)
	c.TwilioToken = cmp.Or(c.TwilioToken, sandboxTwilioToken)
	c.SMSNumber = cmp.Or(c.SMSNumber, sandboxSMSNumber)
	c.XRoadSIM = cmp.Or(c.XRoadSIM, sandbox.SIMService)
	c.XRoadTaxes = cmp.Or(c.XRoadTaxes, sandbox.TaxService)
	c.XRoadLand = cmp.Or(c.XRoadLand, sandbox.LandService)
	c.XRoadSchools = cmp.Or(c.XRoadSchools, sandbox.SchoolService)
	return nil
}

// sandboxSecret reads 32 random bytes in base64 from a file that only its owner
// can read, and makes it the first time.
func sandboxSecret(path string) (string, error) {
	data, err := os.ReadFile(path) // #nosec G304 -- the operator's own data folder
	if err == nil {
		return strings.TrimSpace(string(data)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return "", err
	}
	text := base64.StdEncoding.EncodeToString(key)
	return text, os.WriteFile(path, []byte(text+"\n"), 0o600)
}
