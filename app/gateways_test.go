package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// smppFile is a file with one link.
func smppFile(rest string) string { return "[[smpp]]\nname = \"one\"\nsystem_id = \"eshik\"\n" + rest }

// gatewayFiles are files with what is wrong with them; nothing where fault is empty.
var gatewayFiles = map[string]struct{ file, fault string }{
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
secret_env = "E2E_SECRET"
[[smpp]]
name = "megacom"
address = "smsc.example:2775"
tls = true
system_id = "eshik"
password_env = "E2E_PASSWORD"
ussd = true
sms = true
from = "1414"
[smpp.operators.MegaCom]
septets = 160
units = 70
[[sms]]
provider = "twilio"
price = 4.5
[[sms]]
provider = "megacom"
prices = {MegaCom = 0.9}
rates = {MegaCom = 20.0}`, ""},
	"link without use":  {smppFile("address = \"a:1\"\npassword_env = \"E2E_PASSWORD\""), "what the link carries"},
	"link's name":       {"[[smpp]]\nname = \"twilio\"", "a link's name"},
	"link's password":   {smppFile("address = \"a:1\"\nussd = true\npassword_env = \"E2E_NONE\""), "E2E_NONE"},
	"link's address":    {smppFile("address = \"a\"\nussd = true\npassword_env = \"E2E_PASSWORD\""), "host:port"},
	"link's number":     {smppFile("address = \"a:1\"\nsms = true\npassword_env = \"E2E_PASSWORD\""), "from is"},
	"USSD one way":      {smppFile("address = \"a:1\"\nussd = true\nmode = \"transmitter\"\npassword_env = \"E2E_PASSWORD\""), "transceiver"},
	"only SMS":          {smppFile("address = \"a:1\"\nsms = true\nfrom = \"1\"\npassword_env = \"E2E_PASSWORD\""), "no [[ussd]]"},
	"unknown provider":  {"[[ussd]]\nformat = \"plain\"\n[[sms]]\nprovider = \"pigeon\"\nprice = 1.0", "pigeon"},
	"no price":          {"[[ussd]]\nformat = \"plain\"\n[[sms]]\nprovider = \"twilio\"", "price"},
	"odd price":         {"[[ussd]]\nformat = \"plain\"\n[[sms]]\nprovider = \"twilio\"\nprice = -1.0", "price"},
	"half an account":   {"[[ussd]]\nformat = \"plain\"\n[[sms]]\nprovider = \"africastalking\"\nprice = 1.0", "username"},
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
}

func TestGatewaysFile(t *testing.T) {
	t.Setenv("E2E_SECRET", "a-secret-of-enough-length")
	t.Setenv("E2E_SHORT", "short")
	t.Setenv("E2E_PASSWORD", "12345678")
	for name, c := range gatewayFiles {
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
		if err != nil || len(got.USSD) != 2 || len(got.SMPP) != 1 || len(got.SMS) != 2 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		config := got.USSD[0].config(false, "*1414#")
		if config.Budgets.Of("Beeline") != (dialog.Budget{Septets: 140, Units: 60}) || config.Lifetime != 2*time.Minute ||
			config.Budgets.Of("O!") != (dialog.Budget{Septets: 160, Units: 70}) || config.AllowLoopback || len(config.HMACKeys) != 1 {
			t.Errorf("%s: %+v", name, config)
		}
	}
}
