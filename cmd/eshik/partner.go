package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/staff"
)

type partnerCommand struct {
	Reason string `help:"Why: a case number or a few words, for the audit log; no personal number."`

	Create  createPartner  `cmd:"" help:"Make a payment partner and print its secrets, once."`
	List    listPartners   `cmd:"" help:"List the partners, or the credentials of one."`
	Set     setPartner     `cmd:"" help:"Change what a partner may do, from where and how often."`
	Rotate  rotatePartner  `cmd:"" help:"Make a partner's next secret; the former is good for a while more."`
	Disable disablePartner `cmd:"" help:"Refuse a partner, or one credential, from the next request on."`
	Enable  enablePartner  `cmd:"" help:"Take disable back."`
	Revoke  revokePartner  `cmd:"" help:"End a credential, and the access tokens that it got, for good."`
	Check   checkPartner   `cmd:"" help:"Try a server of the partner interface from outside, and say what holds."`
	Webhook webhookCommand `cmd:"" help:"Look after where a partner's events are sent."`
}

// Help is shown by `eshik partner --help`.
func (partnerCommand) Help() string {
	return "A partner is a wallet, a bank or a terminal. It has credentials of three kinds: osmp, the password of the OSMP protocol; oauth, the client " +
		"secret that gets access tokens for REST; and tls, a certificate that gets them instead, where Eshik ends TLS itself (ESHIK_TLS_CERT). A credential is named by the partner, a point and a number: demo-wallet.2. Secrets are shown once and kept nowhere. " +
		"An administrator who is signed in (eshik staff sign-in) does it, with --reason. Each change holds from the partner's next request on, needs no restart and is in the audit log.\n\n" +
		"A secret in wrong hands: `eshik partner rotate demo-wallet --kind=osmp --overlap=0s`, give the partner the new one; `eshik partner list demo-wallet` shows what is still good."
}

// forPartners does something about partners as whoever is signed in, who must be an
// administrator.
func (c *cli) forPartners(ctx context.Context, log *slog.Logger, out io.Writer, do func(context.Context, *app.App, string) error) error {
	d := desk{config: &c.Config, log: log, out: out, reason: c.Partner.Reason}
	return d.look(ctx, "partners", func(ctx context.Context, a *app.App, o staff.Officer) error { return do(ctx, a, o.Login) })
}

// termFlags are what a partner may do. Those that are not given stay as they are.
type termFlags struct {
	Scopes    *string `placeholder:"LIST" help:"What it may do: payments.check, payments.quote, payments.pay, payments.read, events.read, webhooks.manage, separated by spaces; the first three also of one service, as payments.pay:fine. All of them at first."`
	Networks  *string `placeholder:"LIST" help:"Where its requests come from: addresses and networks, as 192.0.2.7,198.51.100.0/24; empty: anywhere, as at first."`
	PerMinute *int    `placeholder:"N" help:"Requests in a minute of the clock; 0: no limit, as at first. Who makes more gets 429, with Retry-After."`
	PerDay    *int    `placeholder:"N" help:"Requests in a day of Bishkek; the same."`
}

func (f termFlags) apply(terms *partners.Terms) (err error) {
	if f.Scopes != nil {
		if terms.Scopes, err = partners.ParseScopes(*f.Scopes); err != nil {
			return err
		}
	}
	if f.Networks != nil {
		if terms.Networks, err = partners.ParseNetworks(*f.Networks); err != nil {
			return err
		}
	}
	if f.PerMinute != nil {
		terms.PerMinute = *f.PerMinute
	}
	if f.PerDay != nil {
		terms.PerDay = *f.PerDay
	}
	return nil
}

type createPartner struct {
	termFlags `embed:""`

	ID   string   `arg:"" help:"The partner's id: 3 to 40 of a-z, 0-9 and -."`
	Kind []string `default:"osmp" enum:"osmp,oauth" help:"Which credentials it gets: osmp, oauth or both, comma-separated."`
}

// Run makes a partner.
func (c createPartner) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	terms := partners.Terms{Scopes: partners.Operations}
	if err := c.apply(&terms); err != nil {
		return app.UsageError{Err: err}
	}
	kinds := make([]partners.Kind, 0, len(c.Kind))
	for _, kind := range slices.Compact(c.Kind) {
		kinds = append(kinds, partners.Kind(kind))
	}
	return all.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		secrets, err := a.Partners.Create(ctx, officer, c.ID, terms, kinds...)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "partner    %s\n", c.ID) // the last line says what went wrong
		for _, secret := range secrets {
			show(out, a, secret)
		}
		_, err = fmt.Fprintln(out, "guide      docs/guides/partners.md\nThe secret is kept nowhere: note it now.")
		return err
	})
}

// show prints a new secret and where it is used.
func show(out io.Writer, a *app.App, secret partners.Secret) {
	_, _ = fmt.Fprintf(out, "credential %s (%s)\nsecret     %s\naddress    %s\n", secret.Credential, secret.Kind, secret.Text, a.PartnerAddress(secret.Kind))
}

type listPartners struct {
	ID string `arg:"" optional:"" help:"The partner whose credentials are listed."`
}

// Run lists.
func (l listPartners) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		if l.ID != "" {
			return listCredentials(ctx, a, l.ID, out)
		}
		list, err := a.Partners.List(ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(list))
		for i, p := range list {
			state := "valid"
			if !p.DisabledAt.IsZero() {
				state = "disabled " + clock.Second(p.DisabledAt)
			}
			networks := make([]string, len(p.Networks))
			for n, network := range p.Networks {
				networks[n] = network.String()
			}
			rows[i] = []string{p.ID, state, p.Scopes.String(), dash(strings.Join(networks, ",")), limited(p.PerMinute), limited(p.PerDay)}
		}
		return todo{
			none: "There is no partner. `eshik partner create` makes one.", columns: []string{"PARTNER", "STATE", "SCOPES", "NETWORKS", "A MINUTE", "A DAY"},
			next: "`eshik partner list <id>` shows the credentials of one.",
		}.list(out, rows)
	})
}

func listCredentials(ctx context.Context, a *app.App, id string, out io.Writer) error {
	list, err := a.Partners.Credentials(ctx, id)
	if err != nil {
		return err
	}
	rows := make([][]string, len(list))
	for i, c := range list {
		rows[i] = []string{c.ID, string(c.Kind), string(c.State), clock.Second(c.MadeAt), moment(c.NotAfter), dash(c.UsedOn), dash(c.Thumbprint)}
	}
	return todo{
		none: "It has no credential. `eshik partner rotate` makes one.", columns: []string{"CREDENTIAL", "KIND", "STATE", "MADE", "NOT AFTER", "LAST USED", "CERTIFICATE"},
		next: "`eshik partner rotate` makes the next one, `revoke` ends one.",
	}.list(out, rows)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func limited(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

type setPartner struct {
	termFlags `embed:""`

	ID string `arg:"" help:"The partner."`
}

// Run changes the terms.
func (s setPartner) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	if s.termFlags == (termFlags{}) {
		return app.UsageError{Err: errors.New("say what changes: --scopes, --networks, --per-minute or --per-day")}
	}
	return all.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		if _, err := a.Partners.Set(ctx, officer, s.ID, s.apply); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "Changed: it holds from the next request on.")
		return err
	})
}

type rotatePartner struct {
	ID          string        `arg:"" help:"The partner."`
	Kind        string        `required:"" enum:"osmp,oauth,tls" help:"Which credential: osmp, oauth or tls. Also makes the first one of a kind."`
	Certificate string        `placeholder:"FILE" help:"Of tls: the partner's certificate, in PEM. It is good until its own end at most."`
	Overlap     time.Duration `default:"24h" help:"How long the former one is good beside the new one: up to 720h. 0s ends it now."`
}

// Run makes the next credential.
func (r rotatePartner) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	if (r.Kind == string(partners.TLS)) != (r.Certificate != "") {
		return app.UsageError{Err: errors.New("--certificate goes with --kind=tls, and only with it")}
	}
	if r.Certificate != "" {
		return r.pin(ctx, all, log, out)
	}
	return all.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		secret, err := a.Partners.Rotate(ctx, officer, r.ID, partners.Kind(r.Kind), r.Overlap)
		if err != nil {
			return err
		}
		show(out, a, secret)
		_, err = fmt.Fprintf(out, "The secret is kept nowhere: note it now. A former one is good for %s more.\n", r.Overlap)
		return err
	})
}

// pin takes the partner's certificate as its next credential.
func (r rotatePartner) pin(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	text, err := os.ReadFile(r.Certificate)
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("the certificate: %w", err)}
	}
	certificate, err := partners.ReadCertificate(text)
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("%s: %w", r.Certificate, err)}
	}
	return all.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		credential, err := a.Partners.Pin(ctx, officer, r.ID, certificate, r.Overlap)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "credential %s (%s)\nthumbprint %s\nnot after  %s\naddress    %s\nHave the partner confirm the thumbprint by another way. A former certificate is good for %s more.\n",
			credential, partners.TLS, partners.Thumbprint(certificate.Raw), clock.Second(certificate.NotAfter), a.PartnerAddress(partners.TLS), r.Overlap)
		return err
	})
}

// either does something to a partner or, where the name has a point, to a credential.
func either(
	ctx context.Context, all *cli, log *slog.Logger, out io.Writer, name, done string,
	partner, credential func(*partners.Service) func(ctx context.Context, officer, id string) error,
) error {
	return all.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		do := partner
		if strings.Contains(name, ".") {
			do = credential
		}
		if err := do(a.Partners)(ctx, officer, name); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, done)
		return err
	})
}

type disablePartner struct {
	Name string `arg:"" help:"A partner, as demo-wallet, or a credential, as demo-wallet.2."`
}

// Run disables.
func (d disablePartner) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return either(ctx, all, log, out, d.Name, "Disabled: refused from the next request on. `eshik partner enable` takes it back.",
		func(s *partners.Service) func(context.Context, string, string) error { return s.Disable },
		func(s *partners.Service) func(context.Context, string, string) error { return s.DisableCredential })
}

type enablePartner struct {
	Name string `arg:"" help:"A partner or a credential that is disabled."`
}

// Run enables.
func (e enablePartner) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return either(ctx, all, log, out, e.Name, "Enabled.",
		func(s *partners.Service) func(context.Context, string, string) error { return s.Enable },
		func(s *partners.Service) func(context.Context, string, string) error { return s.EnableCredential })
}

type revokePartner struct {
	Credential string `arg:"" help:"The credential, as demo-wallet.2."`
}

// Run revokes.
func (r revokePartner) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		if err := a.Partners.Revoke(ctx, officer, r.Credential); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "Revoked: it and its access tokens are refused from the next request on, for good.")
		return err
	})
}
