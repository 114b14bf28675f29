package main

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
)

type keysCommand struct {
	List   keysList `cmd:"" help:"List the keys that seal, that sign certificates, documents and access tokens, and how each stands."`
	Rotate struct {
		Tokens       rotateTokens       `cmd:"" help:"Make the next key of access tokens."`
		Certificates rotateCertificates `cmd:"" help:"Make the next key that signs certificates."`
		Documents    rotateDocuments    `cmd:"" help:"Make the next key that signs documents."`
		Data         rotateData         `cmd:"" help:"Make the next key that seals personal data, and seal everything anew by it."`
		Master       rotateMaster       `cmd:"" help:"Wrap the keys that seal by another master key."`
	} `cmd:"" help:"Make the next key of something."`
	Request keysRequest `cmd:"" help:"Print the request (PKCS #10) by which an authority is asked to certify the newest key of documents."`
}

type keysList struct{}

// Run prints the keys, the oldest first.
func (keysList) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		if err := listDataKeys(ctx, a, out); err != nil {
			return err
		}
		if err := listCertificateKeys(ctx, a, out); err != nil {
			return err
		}
		if err := listDocumentKeys(ctx, a, out); err != nil {
			return err
		}
		keys, err := a.Identity.TokenKeys(ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(keys))
		for i, k := range keys {
			rows[i] = []string{k.ID, string(k.State), clock.Second(k.MadeAt), clock.Second(k.SignsFrom), moment(k.Until)}
		}
		return todo{columns: []string{"KEY", "STATE", "MADE", "SIGNS FROM", "UNTIL"}, next: "Everybody finds the public halves at /.well-known/jwks.json."}.list(out, rows)
	})
}

// moment is one that need not be.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return clock.Second(t)
}

type rotateTokens struct {
	Reason   string `help:"Why: a case number or a few words, for the audit log."`
	Revealed bool   `help:"A private key may be in other hands: all keys are revoked, every access token ends now, and apps get others by their refresh tokens. Takes two persons."`
}

// Help is shown by `eshik keys rotate tokens --help`.
func (rotateTokens) Help() string {
	return "The new key is published now and signs an hour later, when everybody who verifies tokens knows it; the former verifies until its tokens are over. " +
		"No request is refused meanwhile, and the servers need no restart. With --revealed nothing waits: each server refuses the tokens of the former " +
		"keys from the next request on, and their private halves are deleted."
}

// Run makes the next key, as an operation of staff.
func (r rotateTokens) Run(ctx context.Context, config *app.Config, log *slog.Logger, in io.Reader, out io.Writer) error {
	operation := "rotate-tokens"
	if r.Revealed {
		operation = "rotate-tokens-revealed"
	}
	return desk{config: config, log: log, in: in, out: out, reason: r.Reason}.perform(ctx, operation, map[string]string{})
}

// listDataKeys prints the keys that seal, and how far each column is sealed anew.
func listDataKeys(ctx context.Context, a *app.App, out io.Writer) error {
	keys, err := a.DataKeys(ctx)
	if err != nil {
		return err
	}
	var rows, columns [][]string
	for i, k := range keys {
		state := "opens"
		switch {
		case !k.Destroyed.IsZero():
			state = "destroyed"
		case time.Now().Before(k.SealsFrom):
			state = "waits"
		case i == len(keys)-1 || time.Now().Before(keys[i+1].SealsFrom):
			state = "seals"
		}
		rows = append(rows, []string{
			strconv.FormatUint(uint64(k.Number), 10), state, k.Master, strconv.FormatInt(k.Values, 10),
			clock.Second(k.MadeAt), clock.Second(k.SealsFrom), moment(k.Destroyed),
		})
		for _, p := range k.Progress {
			done := "no"
			if p.Done {
				done = "yes"
			}
			columns = append(columns, []string{p.Place, strconv.FormatInt(p.Resealed, 10), strconv.FormatInt(p.Failed, 10), done})
		}
	}
	list := todo{columns: []string{"DATA KEY", "STATE", "MASTER KEY", "VALUES", "MADE", "SEALS FROM", "DESTROYED"}}
	if err := list.list(out, rows); err != nil || len(columns) == 0 {
		return err
	}
	return todo{
		columns: []string{"SEALED ANEW", "VALUES", "FAILED", "DONE"},
		next:    "A former key is destroyed when nothing is sealed by it any more, an hour after the next one began to seal at the earliest.\n",
	}.list(out, columns)
}

type rotateData struct {
	Reason string `help:"Why: a case number or a few words, for the audit log."`
}

// Help is shown by `eshik keys rotate data --help`.
func (rotateData) Help() string {
	return "The new key seals half a minute later, when every server knows it. The servers seal anew by it what the former one sealed, in the background; " +
		"no request is refused meanwhile. One that is killed leaves the rest to the others. When nothing is sealed by the former key any more, it is destroyed."
}

// Run makes the next data key, as an operation of staff.
func (r rotateData) Run(ctx context.Context, config *app.Config, log *slog.Logger, in io.Reader, out io.Writer) error {
	return desk{config: config, log: log, in: in, out: out, reason: r.Reason}.perform(ctx, "rotate-data", map[string]string{})
}

type rotateMaster struct {
	Reason string `help:"Why: a case number or a few words, for the audit log."`
}

// Help is shown by `eshik keys rotate master --help`.
func (rotateMaster) Help() string {
	return "First set ESHIK_MASTER_KEY to the new master key and ESHIK_MASTER_KEY_FORMER to the former one, and restart the servers one after another: each opens " +
		"what either wraps. Then run this with the same two settings. Then restart the servers without ESHIK_MASTER_KEY_FORMER. What is sealed stays as it is: " +
		"if the former key was seen by somebody, rotate the data key too."
}

// Run wraps the keys anew, as an operation of staff.
func (r rotateMaster) Run(ctx context.Context, config *app.Config, log *slog.Logger, in io.Reader, out io.Writer) error {
	return desk{config: config, log: log, in: in, out: out, reason: r.Reason}.perform(ctx, "rotate-master", map[string]string{})
}

// listCertificateKeys prints the keys that sign certificates.
func listCertificateKeys(ctx context.Context, a *app.App, out io.Writer) error {
	keys, err := a.Keys.Public(ctx)
	if err != nil {
		return err
	}
	rows := make([][]string, len(keys))
	for i, k := range keys {
		state := "signs"
		switch {
		case !k.RevealedAt.IsZero():
			state = "revealed"
		case !k.RetiredAt.IsZero():
			state = "verifies"
		}
		rows[i] = []string{k.KID, state, clock.Second(k.MadeAt), moment(k.RetiredAt), moment(k.RevealedAt)}
	}
	return todo{
		columns: []string{"CERTIFICATE KEY", "STATE", "SIGNS FROM", "UNTIL", "REVEALED"},
		next:    "Everybody finds the public halves at /.well-known/certificate-keys.json and /.well-known/certificate-keys.cbor.\n",
	}.list(out, rows)
}

type rotateCertificates struct {
	Reason   string `help:"Why: a case number or a few words, for the audit log."`
	Revealed bool   `help:"A private key may be in other hands: who verifies without network takes signatures of the former keys as no proof any more. Takes two persons."`
}

// Help is shown by `eshik keys rotate certificates --help`.
func (rotateCertificates) Help() string {
	return "The new key signs at once, on every server, and is published at once. What former keys signed goes on verifying for ever. With --revealed it does so only here, " +
		"where the signed record is kept and compared: the published keys and the trust bundle say of the former keys that their signature alone proves nothing."
}

// Run makes the next key, as an operation of staff.
func (r rotateCertificates) Run(ctx context.Context, config *app.Config, log *slog.Logger, in io.Reader, out io.Writer) error {
	operation := "rotate-certificates"
	if r.Revealed {
		operation = "rotate-certificates-revealed"
	}
	return desk{config: config, log: log, in: in, out: out, reason: r.Reason}.perform(ctx, operation, map[string]string{})
}

// listDocumentKeys prints the keys that sign documents.
func listDocumentKeys(ctx context.Context, a *app.App, out io.Writer) error {
	keys, err := a.Documents.Keys(ctx)
	if err != nil {
		return err
	}
	signs, err := a.Documents.Current(ctx)
	if err != nil {
		return err
	}
	rows := make([][]string, len(keys))
	for i, k := range keys {
		state, by := "former", "itself"
		switch {
		case k.KID == signs.KID:
			state = "signs"
		case k.MadeAt.After(signs.MadeAt):
			state = "waits"
		}
		if k.Certified {
			by = k.Chain[0].Issuer.CommonName
		}
		rows[i] = []string{k.KID, state, clock.Second(k.MadeAt), by, clock.Second(k.Chain[0].NotAfter)}
	}
	return todo{
		columns: []string{"DOCUMENT KEY", "STATE", "MADE", "CERTIFIED BY", "UNTIL"},
		next:    "Certificates of an authority are read from ESHIK_DOCUMENT_CERTIFICATES; eshik keys request asks for one.\n",
	}.list(out, rows)
}

type keysRequest struct{}

// Run prints the request.
func (keysRequest) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		keys, err := a.Documents.Keys(ctx)
		if err != nil {
			return err
		}
		request, err := keys[len(keys)-1].Request()
		if err != nil {
			return err
		}
		_, err = out.Write(request)
		return err
	})
}

type rotateDocuments struct {
	Reason string `help:"Why: a case number or a few words, for the audit log."`
}

// Help is shown by `eshik keys rotate documents --help`.
func (rotateDocuments) Help() string {
	return "The new key signs at once, on every server, with a certificate by itself; where ESHIK_DOCUMENT_CERTIFICATES is set, it signs when the authority's certificate of it is there. " +
		"What former keys signed stays as it is. If a private key may be in other hands, have the authority revoke its certificate, too."
}

// Run makes the next key, as an operation of staff.
func (r rotateDocuments) Run(ctx context.Context, config *app.Config, log *slog.Logger, in io.Reader, out io.Writer) error {
	return desk{config: config, log: log, in: in, out: out, reason: r.Reason}.perform(ctx, "rotate-documents", map[string]string{})
}
