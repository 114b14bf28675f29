package app

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/seal/hsm"
	"github.com/eshik-kg/eshik/sandbox"
)

// check refuses settings that cannot work, each with a line.
func (c *Config) check() error {
	var faults []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, "eshik.db")
	}
	c.checkAddresses(refuse)
	c.checkNumbers(refuse)
	for _, key := range []struct{ name, value string }{{"ESHIK_MASTER_KEY", c.MasterKey}, {"ESHIK_MASTER_KEY_FORMER", c.FormerMasterKey}} {
		if key.value != "" {
			_, err := master(key.value)
			refuse(err != nil, "%s: %w", key.name, err)
		}
	}
	same := c.FormerMasterKey != "" && c.FormerMasterKey == c.MasterKey
	refuse(same, "ESHIK_MASTER_KEY_FORMER is ESHIK_MASTER_KEY: leave it out")
	refuse(!same && sameLabel(c.MasterKey, c.FormerMasterKey), "ESHIK_MASTER_KEY and ESHIK_MASTER_KEY_FORMER name keys of one label: give the next one another, as rows of the database say only the label")
	var err error
	c.gateways, err = readGateways(c)
	refuse(err != nil, "ESHIK_GATEWAYS: %w", err)
	refuse((c.TLSCert == "") != (c.TLSKey == ""), "ESHIK_TLS_CERT and ESHIK_TLS_KEY go together")
	refuse((c.ESIIssuer == "") != (c.ESIClient == "") || (c.ESIClient == "") != (c.ESISecret == ""), "ESHIK_ESI_ISSUER, ESHIK_ESI_CLIENT and ESHIK_ESI_SECRET go together")
	refuse((c.Witness == "") != (c.WitnessKey == ""), "ESHIK_WITNESS and ESHIK_WITNESS_KEY go together")
	refuse(strings.ContainsAny(c.AuditOrigin, "+ \t\n"), "ESHIK_AUDIT_ORIGIN: %q is no name of a log: write an address without its scheme, as eshik.example/audit", c.AuditOrigin)
	if c.production() {
		c.QuietHours = cmp.Or(c.QuietHours, "21:00-08:00")
		faults = append(faults, c.checkProduction()...)
	}
	if err := errors.Join(faults...); err != nil {
		return UsageError{err}
	}
	return nil
}

// refusal notes a fault where bad is true.
type refusal func(bad bool, format string, args ...any)

// checkAddresses refuses addresses that nobody could listen on, reach or trust.
func (c *Config) checkAddresses(refuse refusal) {
	for _, listener := range []struct{ flag, address string }{{"--listen", c.Listen}, {"--admin", c.Admin}} {
		_, port, err := net.SplitHostPort(listener.address)
		_, notNumber := strconv.ParseUint(port, 10, 16)
		refuse(err != nil || notNumber != nil,
			"%s: %q is no address to listen on: write host:port, as 127.0.0.1:8080", listener.flag, listener.address)
	}
	for _, setting := range []struct{ name, value, example string }{
		{"ESHIK_PUBLIC_URL", c.PublicURL, "https://eshik.example"},
		{"ESHIK_XROAD_URL", c.XRoadURL, "https://security-server.example"},
		{"ESHIK_ESI_ISSUER", c.ESIIssuer, "https://esi.example"},
		{"ESHIK_TWILIO_URL", c.TwilioURL, "https://api.twilio.com"},
	} {
		u, err := url.Parse(setting.value)
		refuse(setting.value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https"),
			"%s must look like %s", setting.name, setting.example)
	}
	for _, origin := range c.CORSOrigins {
		u, err := url.Parse(origin)
		whole := err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && origin == u.Scheme+"://"+u.Host
		refuse(origin != "*" && !whole || strings.Contains(origin, "*") && len(origin) > 1,
			"ESHIK_CORS_ORIGINS: %q is no origin: write https://app.example, without a path", origin)
		refuse(origin == "*" && len(c.CORSOrigins) > 1, "ESHIK_CORS_ORIGINS: * stands alone")
	}
	for _, proxy := range c.Proxies {
		_, notOne := netip.ParseAddr(proxy)
		_, noNetwork := netip.ParsePrefix(proxy)
		refuse(notOne != nil && noNetwork != nil, "--trusted-proxies: %q is neither an address nor a network: write 10.0.0.7 or 10.0.0.0/24", proxy)
	}
}

var (
	// A service code is dialled: digits, parted by *, between * and #.
	shortCode = regexp.MustCompile(`^\*[0-9]{1,8}(\*[0-9]{1,8}){0,3}#$`)
	// Citizens text it and messages come from it: a short code or a whole number.
	smsNumber = regexp.MustCompile(`^(\+?[0-9]{3,15})$`)
)

// longestStep is under what every gateway waits for a screen (Africa's Talking: 10 s).
const longestStep = 9 * time.Second

// checkNumbers refuses codes that cannot be dialled and times that cannot pass.
func (c *Config) checkNumbers(refuse refusal) {
	refuse(!shortCode.MatchString(c.ShortCode), "--short-code: %q cannot be dialled: write it as *1414#", c.ShortCode)
	refuse(c.SMSNumber != "" && !smsNumber.MatchString(c.SMSNumber),
		"--sms-number: %q cannot be texted: write a short code, as 1414, or a whole number, as +996312000000", c.SMSNumber)
	refuse(c.StepTime <= 0 || c.StepTime > longestStep,
		"--step-time: %s is not over 0 and up to %s, before which every gateway gives up", c.StepTime, longestStep)
	refuse(c.ResumeWindow < 0, "--resume-window: %s is before the conversation; 0 means never", c.ResumeWindow)
}

// checkProduction refuses what belongs to the sandbox.
func (c *Config) checkProduction() []error {
	var faults []error
	need := func(ok bool, sentence string) {
		if !ok {
			faults = append(faults, errors.New("production: "+sentence))
		}
	}
	need(!strings.HasPrefix(c.Database, "sqlite:"), "SQLite is for one machine's trial; set ESHIK_DATABASE to a postgres:// address")
	need(c.Redis != "", "sessions must outlive this process; set ESHIK_REDIS")
	need(c.MasterKey != "", "ESHIK_MASTER_KEY is missing; make one with: openssl rand -base64 32")
	key, _ := masterKey(c.MasterKey) // none of a key in a security module, which is made there
	need(c.MasterKey == "" || !weak(key), "ESHIK_MASTER_KEY is a default or made of one repeated byte; make one with: openssl rand -base64 32")
	need(strings.HasPrefix(c.PublicURL, "https://"), "ESHIK_PUBLIC_URL must begin with https://")
	need(c.Gateways != "" || len(c.USSDSecret) >= 16, "ESHIK_USSD_SECRET is missing or shorter than 16 characters")
	usesTwilio := c.gateways.has(twilio)
	need(!usesTwilio || c.TwilioSID != "" && c.TwilioSID != sandboxTwilioSID, "ESHIK_TWILIO_SID is missing or the sandbox's")
	need(!usesTwilio || c.TwilioToken != "" && c.TwilioToken != sandboxTwilioToken, "ESHIK_TWILIO_TOKEN is missing or the sandbox's")
	need(c.SMSNumber != "", "ESHIK_SMS_NUMBER is missing")
	need(c.XRoadURL != "", "ESHIK_XROAD_URL is missing: the sandbox's registries are not for production")
	need(c.PassportClient != "" && c.PassportSecret != "" && c.PassportSecret != sandbox.PassportSecret,
		"ESHIK_PASSPORT_CLIENT or ESHIK_PASSPORT_SECRET is missing or the sandbox's")
	need(c.ESIIssuer == "" || strings.HasPrefix(c.ESIIssuer, "https://") && c.ESISecret != sandbox.ESISecret,
		"ESHIK_ESI_ISSUER must begin with https://, and ESHIK_ESI_SECRET not be the sandbox's")
	return faults
}

func weak(key []byte) bool {
	return len(key) > 0 && strings.Count(string(key), string(key[:1])) == len(key)
}

// sameLabel says whether two settings name keys in security modules that look alike in the database.
func sameLabel(one, other string) bool {
	first, err := hsm.Parse(one)
	if err != nil {
		return false
	}
	second, err := hsm.Parse(other)
	return err == nil && first.ID() == second.ID()
}
