package app

import (
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog/transcript"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
)

var record = flag.Bool("record", false, "write the recorded conversations anew instead of holding them")

// TestConversationsOfPeople replays testdata/conversations, each in Kyrgyz and in Russian: a family
// phone of two, a card that is tried on a stranger's phone, a number that got another holder, a
// step up in the middle of a certificate, a code by which an office sees one, and an appeal of a fine. "> *1414#" dials, "! word" is a text; what others do is
// one of acts.
func TestConversationsOfPeople(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/conversations/*.txt")
	if err != nil || len(files) != 12 {
		t.Fatalf("%d conversations, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			l := &line{T: t, app: openSandbox(t, ""), phone: testworld.Aigul, loc: locales.KY}
			if strings.HasSuffix(file, "_ru.txt") {
				l.loc = locales.RU
			}
			l.replay(file)
		})
	}
}

// The people of the conversations: Айгүл, whose phone it is, and Бакыт, who shares it. A stranger
// has another.
const (
	strangersPhone = "+996770000003"
	herSecret      = "580294"
	hisSecret      = "730196"
)

// line is who speaks with an app, from one phone after another.
type line struct {
	*testing.T
	app    *App
	phone  string
	loc    locales.Locale
	turns  int
	calls  int
	texts  bool   // by SMS
	screen string // that stands
	code   string // that a clerk gave last
	shared string // the screen with a number and a code for an office
}

// undoWord is what undoes a phone, clockTime the hour until which something holds, and shortDay when a fine was made: others each time.
var (
	undoWord          = regexp.MustCompile(`(БЛОК|БӨГӨТ) \d{4}`)
	certificateNumber = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)
	clockTime         = regexp.MustCompile(`\b\d\d:\d\d\b`)
	shortDay          = regexp.MustCompile(`\b\d\d\.\d\d: `)
)

func (l *line) replay(path string) {
	l.Helper()
	conversation, err := transcript.ReadFile(path)
	testworld.OK(l, err)
	for i, turn := range conversation {
		shown := undoWord.ReplaceAllString(clockTime.ReplaceAllString(shortDay.ReplaceAllString(l.play(turn), "00.00: "), "00:00"), "$1 0000")
		if *record {
			if conversation[i].Shown = nil; shown != "" {
				conversation[i].Shown = []string{transcript.Masked(shown)}
			}
			continue
		}
		if !transcript.Same(turn.Screen(), shown) {
			l.Fatalf("%s, turn %d, after %q:\n%s\nrecorded:\n%s", path, i+1, turn.Input, shown, turn.Screen())
		}
	}
	if *record {
		testworld.OK(l, transcript.WriteFile(path, conversation))
	}
}

// play does what a turn says and gives what comes.
func (l *line) play(turn transcript.Turn) string {
	l.Helper()
	switch {
	case turn.Mark == transcript.Others:
		return l.act(turn.Input)
	case turn.Mark == transcript.Texted:
		l.texts = true
		return l.send(l.now(turn.Input), true)
	case strings.HasPrefix(turn.Input, "*"):
		l.calls++
		l.texts = false
		return l.send("", true)
	}
	typed, err := transcript.Choice(turn.Input, l.screen)
	testworld.OK(l, err)
	return l.send(l.now(typed), false)
}

// act is what somebody else does.
func (l *line) act(what string) string {
	l.Helper()
	ctx, id, act := l.Context(), l.app.Identity, staff.Act{Actor: "staff:recorded"}
	switch what {
	case "her phone":
		l.phone = testworld.Aigul
	case "a stranger's phone":
		l.phone = strangersPhone
	case "both set a secret":
		l.secret(testworld.AigulPIN, testworld.AigulDocument, herSecret)
		l.secret(testworld.BakytPIN, testworld.BakytDocument, hisSecret)
	case "a clerk sees her":
		made, err := id.Enrol(ctx, act, l.phone, testworld.AigulPIN, testworld.AigulDocument)
		testworld.OK(l, err)
		l.code = made.Code
	case "she was proved":
		l.secret(testworld.AigulPIN, testworld.AigulDocument, "")
	case "the number has another holder":
		testworld.OK(l, id.Release(ctx, act, l.phone))
	case "an office opens it":
		return l.open()
	case "SMS":
		return l.newest(func(string) bool { return true })
	default:
		l.Fatalf("nobody does %q", what)
	}
	return ""
}

// secret has a clerk's code prove somebody on the phone, who sets a secret, unless empty; and the
// phone forgets them.
func (l *line) secret(pin, document, secret string) {
	l.Helper()
	ctx, id, c := l.Context(), l.app.Identity, caller.Caller{Phone: l.phone, Channel: caller.USSD, Locale: l.loc, Session: "before", Now: time.Now()}
	made, err := id.Enrol(ctx, staff.Act{Actor: "staff:recorded"}, l.phone, pin, document)
	testworld.OK(l, err)
	_, err = id.ProveByCode(ctx, c, made.Code)
	testworld.OK(l, err)
	if secret != "" {
		testworld.OK(l, id.SetSecret(ctx, c, "", secret))
	}
	testworld.OK(l, id.Forget(ctx, c))
}

// open has an office see a certificate by what the phone showed last, and gives the name that it sees.
func (l *line) open() string {
	l.Helper()
	if number := certificateNumber.FindString(l.screen); number != "" {
		l.shared = l.screen
	}
	in := certificate.Opening{Number: certificateNumber.FindString(l.shared), Code: sixDigits.FindString(l.shared), Office: "okmotu"}
	signed, err := module.Of[*certificate.Service](l.app.Modules).OpenShared(l.Context(), caller.Caller{Channel: caller.Web, Now: time.Now()}, in)
	if err != nil {
		p := problem.From(err)
		return l.app.Texts.Text(l.loc, p.Key, p.Args...)
	}
	return signed.Record.Holder.Name
}

// now is what to type where a transcript names it.
func (l *line) now(typed string) string {
	l.Helper()
	switch typed {
	case "{secret}":
		return sixDigits.FindString(l.newest(sixDigits.MatchString))
	case "{clerk}":
		return l.code
	case "{hers}":
		return herSecret
	case "{his}":
		return hisSecret
	case "{personal_number}":
		return testworld.AigulPIN
	case "{document_number}":
		return testworld.AigulDocument
	case "{undo}":
		return undoWord.FindString(l.newest(undoWord.MatchString))
	}
	return typed
}

// newest is the last message to the phone that is one of those.
func (l *line) newest(of func(string) bool) string {
	l.Helper()
	list, err := l.app.Outbox.List(l.Context(), l.phone)
	testworld.OK(l, err)
	for _, m := range list {
		if of(m.Text) {
			return m.Text
		}
	}
	l.Fatal("no such message reached the phone")
	return ""
}

// send takes a turn and gives the answer.
func (l *line) send(text string, start bool) string {
	l.Helper()
	l.turns++
	turn := session.Turn{
		Session: fmt.Sprint("recorded/", l.calls), Phone: l.phone, Channel: caller.USSD, Gateway: "recorded", Text: text, ID: fmt.Sprint(l.turns),
		Start: start, Budget: ussd.DefaultBudget, Lifetime: ussd.DefaultLifetime, Now: time.Now(),
	}
	if l.texts {
		turn.Channel, turn.Session, turn.Start, turn.Budget, turn.Lifetime = caller.SMS, "sms", false, sms.Budget, sms.Lifetime
	}
	answer, err := l.app.Conversations.Turn(l.Context(), turn)
	testworld.OK(l, err)
	l.screen = answer.Text
	return answer.Text
}
