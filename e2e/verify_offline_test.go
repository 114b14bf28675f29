package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// paper is a certificate as somebody holds it.
type paper struct{ number, code, pdf, picture string }

// paperOf gets a certificate's document, and reads its code by an independent reader.
func (d *door) paperOf(number, token string) paper {
	d.t.Helper()
	folder := d.t.TempDir()
	p := paper{number: number, pdf: filepath.Join(folder, "document.pdf"), picture: filepath.Join(folder, "page.png")}
	var pdf []byte
	if status := d.json(http.MethodGet, "/v1/certificates/"+number+"/document", token, nil, &pdf); status != http.StatusOK {
		d.t.Fatalf("the document: %d", status)
	}
	if err := os.WriteFile(p.pdf, pdf, 0o600); err != nil {
		d.t.Fatal(err)
	}
	scan(d, "pdftoppm", "-r", "150", "-png", "-singlefile", p.pdf, strings.TrimSuffix(p.picture, ".png"))
	p.code = strings.TrimSpace(scan(d, "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", p.picture))
	if !strings.HasPrefix(p.code, d.url+"/verify#5925") {
		d.t.Fatalf("the code says %q", p.code)
	}
	return p
}

// away does what is done while there is no server.
func (d *door) away(do func()) {
	d.t.Helper()
	if err := d.process.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
	_ = d.process.Wait() // "signal: killed"
	do()
	d.start(strings.TrimPrefix(d.url, "http://"), strings.TrimPrefix(d.admin, "http://"))
}

// film is what a camera sees that is held over a picture: raw video (YUV4MPEG2), which Chromium
// shows for a camera.
func film(t *testing.T, picture string) string {
	t.Helper()
	data, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	page, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	width, height := 640, 480
	from := image.Pt(40, page.Bounds().Dy()-height-60) // the foot, where the code is
	out := []byte(fmt.Sprintf("YUV4MPEG2 W%d H%d F5:1 Ip A1:1 C420jpeg\n", width, height))
	for range 5 {
		out = append(out, "FRAME\n"...)
		for y := range height {
			for x := range width {
				grey, _ := color.GrayModel.Convert(page.At(from.X+x, from.Y+y)).(color.Gray)
				out = append(out, grey.Y)
			}
		}
		out = append(out, bytes.Repeat([]byte{128}, width*height/2)...)
	}
	file := filepath.Join(t.TempDir(), "camera.y4m")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// found waits for an outcome and a text beside it.
func found(outcome, text string) chromedp.Action[chromedp.Void] {
	return shows(`(({dataset, hidden, textContent}) => hidden ? "" : dataset.outcome + ": " + textContent.replace(/\s+/g, " "))(document.getElementById("found") ?? {hidden: true})`,
		"^"+outcome+": .*"+text)
}

// slowPictures lets a page read pictures later than documents, and say when it did.
const slowPictures = `(() => {
	const own = createImageBitmap;
	window.createImageBitmap = async (file) => {
		await new Promise((resolve) => setTimeout(resolve, 2000));
		window.read = true;
		return own(file);
	};
})()`

// withoutUnpacking makes the pages that are opened next those of an older browser.
func withoutUnpacking(ctx context.Context, tab *chromedp.Target) error {
	_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "delete window.DecompressionStream"})
	return err
}

// TestThePageVerifiesWithoutNetwork: opened once, the page says of certificates whether they are
// genuine with no server there, from the address in the code, the document, a picture, the camera
// and a pasted code. What the code held stays in no address.
func TestThePageVerifiesWithoutNetwork(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	number, token := d.residence()
	whole := d.paperOf(number, token)
	var made struct{ Number string }
	if status := d.json(http.MethodPost, "/v1/certificates", token, map[string]string{"kind": "FAMILY_COMPOSITION"}, &made, "Idempotency-Key", "family-1"); status != http.StatusCreated {
		t.Fatalf("a certificate: %d", status)
	}
	gone := d.paperOf(made.Number, token)
	if out := d.both("operator", "", "staff", "revoke-certificate", "--number", gone.number); !strings.Contains(out, "Revoked: ") {
		t.Fatalf("revoked: %s", out)
	}
	ctx, wrong := browser(t, d.url, chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", film(t, whole.picture)))
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("the first visit", chromedp.EmulateViewport(360, 800), chromedp.Navigate(d.url+"/verify?lang=ru"), shows(`navigator.serviceWorker?.controller ? "kept" : ""`, "kept"), fits(), shot("verify-device-ru"))
	for _, w := range wrong() {
		t.Error(w)
	}
	nothing := chromedp.Navigate("about:blank")
	d.away(func() {
		do("the address in the code", nothing, chromedp.Navigate(whole.code), found("genuine", "Асанова.*"), says("outcome", "Genuine.*As of "), says("signed", "(?s)Дареги.*Адрес"),
			shows("location.href", "^"+d.url+"/verify$"), fits(), shot("verify-offline-en"))
		do("another, of the same page", run(fmt.Sprintf("location.href = %q", gone.code)), found("revoked", "was revoked"), shows("location.href", "^"+d.url+"/verify$"))
		do("a short code, where a genuine one was", nothing, chromedp.Navigate(whole.code), found("genuine", "Асанова"), run("location.hash = 'ESHIK2:ABCDEF'"), found("altered", "again"), shows("location.href", "^"+d.url+"/verify$"))
		do("and a place of the page is no code", nothing, chromedp.Navigate(whole.code), found("genuine", "Асанова"), run("location.hash = 'main'"), chromedp.Sleep(300*time.Millisecond), found("genuine", "Асанова"),
			run("location.hash = ''"), shows(`String(document.getElementById("found").hidden)`, "true"))
		do("the document", nothing, chromedp.Navigate(d.url+"/verify?lang=ru"), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{whole.pdf}), found("genuine", "Подлинная.*Асанова"), fits())
		do("a picture", nothing, chromedp.Navigate(d.url+"/verify?lang=ru"), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{gone.picture}), found("revoked", "Недействительна.*Асанова"), shot("verify-offline-revoked-ru"))
		do("the camera", nothing, chromedp.Navigate(d.url+"/verify?lang=en"), chromedp.Click(chromedp.CSS("#camera")), found("genuine", "Genuine.*Асанова"), shows(`String(document.getElementById("view").hidden)`, "true"))
		do("another language", chromedp.Click(chromedp.CSS(".languages a[lang=ru]")), shows("document.documentElement?.lang ?? ''", "^ru$"), found("genuine", "Подлинная.*Асанова"), shows(`String(sessionStorage.length)`, "^0$"))
		for pasted, want := range map[string]string{
			whole.code[:len(whole.code)-17] + "00000000000000000": "altered", "https://example.kg/ticket/14": "foreign",
		} {
			do(want, nothing, chromedp.Navigate(d.url+"/verify?lang=ru"), run(fmt.Sprintf(`document.getElementById("qr").value = %q; document.getElementById("qr").form.requestSubmit()`, pasted)), found(want, "не принимайте"))
		}
		do("two papers, the first of them read slowly", nothing, chromedp.Navigate(d.url+"/verify?lang=ru"), run(slowPictures), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{gone.picture}),
			chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{whole.pdf}), found("genuine", "Подлинная"), shows(`String(window.read)`, "true"), chromedp.Sleep(2*time.Second), found("genuine", "Подлинная"))
		do("a file without a code", chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{"verify_offline_test.go"}), says("device-problem", "нет кода справки"), fits(), shot("verify-nocode-ru"))
		do("nothing is said of the paper before", shows(`String(document.getElementById("found").hidden)`, "true"), shows("document.title", "^Проверка справки"))
	})
	_ = wrong() // the browser remarks on what it could not ask
	do("the server is asked", nothing, chromedp.Navigate(whole.code), found("genuine", "Асанова"), chromedp.Click(chromedp.CSS("#ask")), says("verdict", "✓"))
	do("nor of what the server answered", chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{"verify_offline_test.go"}), says("device-problem", `\S`), shows(`String(document.querySelector(".server"))`, "null"), shows("document.title", "^[^✓]*$"))
	do("a browser that cannot check", chromedp.Func(withoutUnpacking), nothing, chromedp.Navigate(whole.code), says("unable", "the server checks it"), shows(`String(document.getElementById("unable").hidden)`, "false"),
		shows("location.href", "^"+d.url+"/verify$"), run(`document.getElementById("qr").form.requestSubmit()`), says("verdict", "✓"))
	for _, w := range wrong() {
		t.Error(w)
	}
}
