package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/tools/partnercheck"
)

type checkPartner struct {
	URL        string `required:"" placeholder:"URL" help:"The server's address, as http://127.0.0.1:8080."`
	ID         string `default:"demo-wallet" help:"The client id."`
	SecretFile string `default:"var/sandbox/wallet-oauth.secret" help:"The file with the client secret."`
	Owing      string `default:"01KG123ABC" help:"A plate with a bill that can be paid."`
	Clean      string `default:"01KG777AAA" help:"A plate without bills."`
	Pay        bool   `help:"Have one bill paid. Without it nothing is."`
}

// Help is shown by `eshik partner check --help`.
func (checkPartner) Help() string {
	return "Tries what the partners' guide promises over REST, one by one, and ends with 1 where something does not hold. It needs no database, no sign-in and no network but " +
		"the address: try our server, the sandbox, or a double that you built to develop against. It looks for bills, makes a quote and takes it back, and uses up some numbers of " +
		"transactions; it pays only with --pay."
}

// Run tries.
func (c checkPartner) Run(ctx context.Context, out io.Writer) error {
	secret, err := os.ReadFile(c.SecretFile)
	if err != nil {
		return fmt.Errorf("read the client secret: %w", err)
	}
	target := partnercheck.Target{
		Address: strings.TrimRight(c.URL, "/"), ID: c.ID, Secret: strings.TrimSpace(string(secret)), Owing: c.Owing, Clean: c.Clean, Pay: c.Pay,
	}
	return partnercheck.Run(ctx, target, partnercheck.NewRun(time.Now()), func(r partnercheck.Result) { partnercheck.Tell(out, r) })
}
