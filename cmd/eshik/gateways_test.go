package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/dialog"
)

func TestGatewaysFile(t *testing.T) {
	t.Setenv("E2E_SECRET", "a-secret-of-enough-length")
	t.Setenv("E2E_SHORT", "short")
	for name, c := range map[string]struct{ file, fault string }{
		"whole": {`[[ussd]]
format = "plain"
hmac_env = ["E2E_SECRET"]
networks = ["203.0.113.0/24"]
septets = 160
units = 70
lifetime = "2m"
[ussd.operators.Beeline]
septets = 140
units = 60
[[ussd]]
format = "infobip"
secret_env = "E2E_SECRET"`, ""},
		"empty":             {``, "no [[ussd]]"},
		"unknown format":    {"[[ussd]]\nformat = \"smoke\"", "format is"},
		"twice":             {"[[ussd]]\nformat = \"plain\"\n[[ussd]]\nformat = \"plain\"", "twice"},
		"misspelt":          {"[[ussd]]\nformat = \"plain\"\nsekret = \"x\"", "sekret"},
		"short secret":      {"[[ussd]]\nformat = \"plain\"\nsecret_env = \"E2E_SHORT\"", "E2E_SHORT"},
		"missing key":       {"[[ussd]]\nformat = \"plain\"\nhmac_env = [\"E2E_NONE\"]", "E2E_NONE"},
		"too small":         {"[[ussd]]\nformat = \"plain\"\nseptets = 10\nunits = 5", "a screen holds"},
		"half a budget":     {"[[ussd]]\nformat = \"plain\"\nseptets = 160", "a screen holds"},
		"operator too wide": {"[[ussd]]\nformat = \"plain\"\n[ussd.operators.X]\nseptets = 900\nunits = 900", "a screen holds"},
		"operator without":  {"[[ussd]]\nformat = \"plain\"\n[ussd.operators.X]", "no septets"},
		"no network":        {"[[ussd]]\nformat = \"plain\"\nnetworks = [\"everywhere\"]", "everywhere"},
	} {
		path := filepath.Join(t.TempDir(), "gateways.toml")
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readGateways(&Config{Gateways: path})
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v, want %q", name, err, c.fault)
			}
			continue
		}
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		config := got[0].config(false)
		if config.Budgets.Of("Beeline") != (dialog.Budget{Septets: 140, Units: 60}) || config.Lifetime != 2*time.Minute ||
			config.Budgets.Of("O!") != (dialog.Budget{Septets: 160, Units: 70}) || config.AllowLoopback || len(config.HMACKeys) != 1 {
			t.Errorf("%s: %+v", name, config)
		}
	}
}
