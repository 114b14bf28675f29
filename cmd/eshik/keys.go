package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
)

type keysCommand struct {
	List   keysList `cmd:"" help:"List the keys of access tokens and how each stands."`
	Rotate struct {
		Tokens rotateTokens `cmd:"" help:"Make the next key of access tokens."`
	} `cmd:"" help:"Make the next key of something."`
}

type keysList struct{}

// Run prints the keys, the oldest first.
func (keysList) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
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
	Officer  string `default:"console" env:"ESHIK_OFFICER" help:"Who does it, for the audit log."`
	Revealed bool   `help:"A private key may be in other hands: all keys are revoked, every access token ends now, and apps get others by their refresh tokens."`
}

// Help is shown by `eshik keys rotate tokens --help`.
func (rotateTokens) Help() string {
	return "The new key is published now and signs an hour later, when everybody who verifies tokens knows it; the former verifies until its tokens are over. " +
		"No request is refused meanwhile, and the servers need no restart. With --revealed nothing waits: each server refuses the tokens of the former " +
		"keys from the next request on, and their private halves are deleted."
}

// Run makes the next key.
func (r rotateTokens) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		if r.Revealed {
			key, err := a.Identity.ReplaceTokenKey(ctx, r.Officer)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "Replaced: %s signs from now on. All access tokens have ended; apps get others by their refresh tokens.\n", key.ID)
			return err
		}
		key, made, err := a.Identity.RotateTokenKey(ctx, r.Officer)
		if err != nil {
			return err
		}
		word := "Made"
		if !made {
			word = "Waiting already"
		}
		_, err = fmt.Fprintf(out, "%s: %s is published and signs from %s. Nobody is refused, and nothing has to be restarted.\n", word, key.ID, clock.Second(key.SignsFrom))
		return err
	})
}
