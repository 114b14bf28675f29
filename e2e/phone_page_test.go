package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// choose sets the phone's number as a person does who picks it from the list.
func choose(number string) chromedp.Action[chromedp.Void] {
	return run(`(() => { const n = document.getElementById("number"); n.value = "` + number + `"; n.dispatchEvent(new Event("change")); })()`)
}

// scripts turns the page's scripts on and off.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// visible is shows of whether an element is on the screen.
func visible(selector, pattern string) chromedp.Action[chromedp.Void] {
	return shows("String(document.querySelector('"+selector+"').checkVisibility())", pattern)
}

// dialled opens the main menu of a number that chose its language before.
func dialled(language string) steps {
	return steps{
		chromedp.Focus(chromedp.CSS("#entry")), chromedp.KeyEvent(kb.Enter), says("screen", "Тил / Язык"),
		chromedp.KeyEvent(language), chromedp.KeyEvent(kb.Enter), says("screen", "1 "),
	}
}

// TestPhonePageHolds: what the page keeps, and what it must not.
func TestPhonePageHolds(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	ctx, wrong := browser(t, d.url)
	small, wide := chromedp.EmulateViewport(360, 800), chromedp.EmulateViewport(1280, 900)
	for _, c := range []struct {
		name string
		do   []steps
	}{
		{"another language, the same session", []steps{{small, chromedp.Navigate(d.url + "/phone?lang=ky"), choose(bakyt)}, dialled("1"), {
			says("screen", "^Эшик"), run(`document.getElementById("code").value = "12"`),
			chromedp.Click(chromedp.CSS(".languages a[lang=ru]")), shows("document.documentElement?.lang ?? ''", "^ru$"),
			says("screen", "^Эшик"), says("count", `^[1-9]\d* / 80$`), shows(`document.getElementById("number").value`, `\`+bakyt),
			shows(`document.getElementById("code").value`, "^12$"),
			chromedp.SendKeys(chromedp.CSS("#entry"), "1"+kb.Enter), says("screen", "01KG123ABC"),
			chromedp.Click(chromedp.CSS(".try [data-put='01KG777AAA'] button")), shows(`document.getElementById("entry").value`, "^01KG777AAA$"),
			chromedp.KeyEvent(kb.Enter), says("screen", "(?i)айып"),
			// Loaded anew by itself it begins anew.
			chromedp.Navigate("about:blank"), chromedp.Navigate(d.url + "/phone?lang=ru"), says("screen", "Позвонить"),
		}}},
		{"another number, an empty screen", []steps{{small, chromedp.Navigate("about:blank"), chromedp.Navigate(d.url + "/phone?lang=ky"), choose(elena)}, dialled("2"), {
			says("screen", "Штраф"), chromedp.Click(chromedp.CSS(".try [data-number='" + aigul + "'] button")),
			says("screen", "Чалуу"), says("count", "^0 / "), says("encoding", "^$"), shows(`document.getElementById("number").value`, `\`+aigul),
			shows(`document.getElementById("entry").value`, `^\*1414#$`), visible("#note", "false"),
			// A value is not dialled.
			chromedp.Click(chromedp.CSS(".try [data-put='B1234AB'] button")), shows(`document.getElementById("entry").value`, `^\*1414#$`), visible("#note", "true"),
		}}},
		{"an answer that is late for another number", []steps{{small, chromedp.Navigate("about:blank"), chromedp.Navigate(d.url + "/phone?lang=ky"), choose(elena),
			run(`document.getElementById("delay").value = "2000"`), chromedp.Focus(chromedp.CSS("#entry")), chromedp.KeyEvent(kb.Enter),
			run(`document.getElementById("delay").value = "0"`), choose(aigul), visible("#note", "false"),
			// The dial, and the hanging up of what it opened.
			shows(`performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/sandbox/ussd") && e.responseEnd).length + ""`, "^2$"),
			says("screen", "Чалуу"), shows(`String(document.getElementById("send").disabled)`, "false"),
		}}},
		{"the wallet's old result goes", []steps{{small, chromedp.Navigate("about:blank"), chromedp.Navigate(d.url + "/phone?lang=ky#wallet"),
			chromedp.SendKeys(chromedp.CSS("#code"), "0000000000"+kb.Enter), visible("#outcome", "true"), says("out-result", `\d`),
			chromedp.SendKeys(chromedp.CSS("#code"), "x"+kb.Enter), says("pay-note", "сандардан"), visible("#outcome", "false"), says("out-txn", "^$"),
		}}},
		{"messages beside the phone", []steps{{wide, chromedp.Navigate("about:blank"), chromedp.Navigate(d.url + "/phone?lang=ru#sms"),
			visible("#panel-ussd", "true"), visible("#panel-sms", "true"), visible("#tab-sms", "false"), visible("#panel-wallet", "false"),
			chromedp.Focus(chromedp.CSS("#tab-ussd")), chromedp.KeyEvent(kb.ArrowRight), visible("#panel-wallet", "true"), visible("#panel-ussd", "false"), visible("#panel-sms", "true"),
			small, visible("#panel-sms", "false"), visible("#tab-sms", "true"), visible("#panel-wallet", "true"),
		}}},
		{"no script", []steps{{small, scripts(false), chromedp.Navigate("about:blank"), chromedp.Navigate(d.url + "/phone?lang=ru"),
			visible(".phone", "false"), visible("noscript p", "true"), shows(`String(document.querySelectorAll("main button").length > 0 && [...document.querySelectorAll("main button")].some((b) => b.checkVisibility()))`, "false"),
			scripts(true),
		}}},
	} {
		for _, s := range c.do {
			if err := chromedp.Do(ctx, s...); err != nil {
				t.Errorf("%s: %v", c.name, err)
				break
			}
		}
	}
	for _, w := range wrong() {
		t.Error(w)
	}
}
