package flowcheck

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestPlantedFaults: a walk reports each kind of fault where it is, and no other.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	c, err := crawlAll(t.Context(), channels[1], locales.RU, planted{services: []dialog.Flow{faulty()}, engine: breaking})
	if err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		"the screen of planted.wide does not fit",
		"planted.long takes 2", "pages, more than 12",
		"nobody came to the screen of planted.island",
		"nobody came to the action planted.idle",
		"no way back from planted.stuck",
		"the screen of planted.deaf asks, and takes no answer",
		"the screen of planted.ended ends the conversation, yet offers to go on",
		"a way to a node ends that does not exist",
		"the conversation goes in circles at \"planted.circle\"",
		"planted.key the key \"planted.none\" is not declared",
		"planted.argument the argument {plate} of \"fine.clean\" is not declared",
		"planted.kind the longest text of the kind \"bridge\" is not declared",
		"what was typed there is kept or shown at planted.tells",
		"planted.grows is another screen still after 60 keys",
		`the node planted.tells asks, and nothing is known to be typed there: add answers, right and wrong, to Rehearsal.Typed["planted.tells"] of the module planted`,
	}
	for _, want := range wanted {
		if !slices.ContainsFunc(c.faults, func(fault string) bool { return strings.Contains(fault, want) }) {
			t.Errorf("nothing says %q", want)
		}
	}
	for _, fault := range c.faults {
		if !slices.ContainsFunc(wanted, func(want string) bool { return strings.Contains(fault, want) }) {
			t.Errorf("not planted: %.300s", fault)
		}
	}
}

// faulty is a service with a node for each fault.
func faulty() dialog.Flow {
	say := func(id string, screen dialog.Screen) dialog.Node {
		return dialog.Node{ID: id, Show: func(context.Context, *dialog.Turn) (dialog.Screen, error) { return screen, nil }}
	}
	body := func(lines ...dialog.Message) dialog.Screen { return dialog.Screen{Body: lines} }
	fine := dialog.Say("payment.code_refused")
	tells := dialog.Node{
		ID: "planted.tells",
		Show: func(context.Context, *dialog.Turn) (dialog.Screen, error) {
			return dialog.Screen{Body: []dialog.Message{fine}, Ask: dialog.AskSecret}, nil
		},
		Answer: func(_ context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
			t.Set("typed", input)
			return dialog.Next{}, nil
		},
	}
	ended := body(fine)
	ended.End, ended.Options = true, []dialog.Option{{Label: dialog.Say("payment.pay"), Next: dialog.Go("planted.menu")}}
	deaf := body(fine)
	deaf.Ask = dialog.AskText
	nodes := []dialog.Node{
		say("planted.stuck", body(dialog.Say("fine.entry"))), say("planted.wide", body(fine)), say("planted.grows", body(fine)),
		say("planted.long", body(slices.Repeat([]dialog.Message{fine}, 40)...)),
		say("planted.deaf", deaf), say("planted.ended", ended), tells,
		say("planted.key", body(dialog.Say("planted.none"))),
		say("planted.argument", body(dialog.Say("fine.clean", "plat", "01KG123ABC"))),
		say("planted.kind", body(dialog.Raw("bridge", "Ак-Көпүрө"))),
		{ID: "planted.circle", Do: func(context.Context, *dialog.Turn) (dialog.Next, error) { return dialog.Go("planted.circle"), nil }},
	}
	var menu dialog.Screen
	for _, node := range append(slices.Clone(nodes), dialog.Node{ID: "planted.nowhere"}) {
		menu.Options = append(menu.Options, dialog.Option{Label: dialog.Say("payment.pay"), Next: dialog.Go(node.ID)})
	}
	idle := func(context.Context, *dialog.Turn) (dialog.Next, error) { return dialog.Done("planted.menu"), nil }
	return dialog.Flow{
		Name: "planted", Entry: dialog.Option{Label: dialog.Say("fine.more"), Next: dialog.Go("planted.menu")},
		Nodes: append(nodes, say("planted.menu", menu), say("planted.island", body(fine)), dialog.Node{ID: "planted.idle", Do: idle}),
	}
}

// breaking is an engine that, on two screens, does what it must never do.
func breaking(next engineNext) engineNext {
	return func(ctx context.Context, c caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error) {
		if st.Node == "planted.stuck" && strings.HasPrefix(in.Text, "0") {
			return dialog.Reply{Text: st.Pages[st.Page].Text}, nil
		}
		pages := len(st.Pages)
		reply, err := next(ctx, c, st, in)
		if st.Node == "planted.grows" && in.Text == "77" { // a wrong key adds a page (B13)
			for len(st.Pages) <= pages {
				st.Pages = append(st.Pages, st.Pages[0])
			}
			st.Page = len(st.Pages) - 1
		}
		if st.Node == "planted.wide" {
			reply.Text += strings.Repeat("ж", in.Budget.Units)
		}
		return reply, err
	}
}

// TestOperatorsScreens: the screens of the gateways' file are walked too, those of
// one size once, and no secret is needed for it.
func TestOperatorsScreens(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "gateways.toml")
		testworld.OK(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	got, err := Channels(write(`[[ussd]]
format = "plain"
secret_env = "NOWHERE_SET"
septets = 160
units = 70
[ussd.operators.Beeline]
septets = 140
units = 60
[[ussd]]
format = "infobip"
[[smpp]]
name = "megacom"
password_env = "NOWHERE_SET"
[smpp.operators.MegaCom]
septets = 140
units = 60`))
	testworld.OK(t, err)
	names := make([]string, len(got))
	for i, d := range got {
		names[i] = d.Name
	}
	want := "ussd 182/80; ussd 160/70, plain; sms; ussd 140/60, megacom MegaCom, plain Beeline"
	if strings.Join(names, "; ") != want || got[3].budget != (dialog.Budget{Septets: 140, Units: 60}) {
		t.Errorf("walked are %q", names)
	}
	for text, fault := range map[string]string{
		"[[ussd]]\nformat = \"plain\"\nseptets = 10\nunits = 5": "a screen holds", "[[ussd]]\nunit = 5": "unit",
	} {
		if _, err := Channels(write(text)); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Channels(filepath.Join(t.TempDir(), "none.toml")); err == nil {
		t.Error("a file that is not there was read")
	}
}
