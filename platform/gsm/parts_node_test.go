package gsm_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/gsm"
)

// calculator is the other implementation: the one behind Twilio's own message
// segment page. Its size of a message is in bits, without the headers.
const calculator = `
const {SegmentedMessage} = require('sms-segments-calculator');
const texts = JSON.parse(require('fs').readFileSync(0));
process.stdout.write(JSON.stringify(texts.map(t => {
  const m = new SegmentedMessage(t);
  const gsm = m.encodingName === 'GSM-7';
  return {Encoding: m.encodingName, Parts: m.segmentsCount, Units: m.messageSize / (gsm ? 7 : 16)};
})));`

// TestMeasureIndependently compares encoding, parts and units of 10 000 texts.
//
// The calculator moves a cluster of several code points (a letter with a
// combining mark, a joined emoji, CR LF) to the next part as one. The
// specification asks that only of escape and surrogate pairs, as Split does; the
// alphabets below have no such cluster.
func TestMeasureIndependently(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	texts := randomTexts(10_000)
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "-e", calculator)
	node.Env = append(os.Environ(), "NODE_PATH="+modules)
	node.Stdin = bytes.NewReader(input)
	output, err := node.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs []gsm.Estimate
	if err := json.Unmarshal(output, &theirs); err != nil || len(theirs) != len(texts) {
		t.Fatalf("%d answers, %v", len(theirs), err)
	}
	for i, text := range texts {
		if ours := gsm.Measure(text); ours != theirs[i] {
			t.Errorf("%q: ours %+v, theirs %+v", text, ours, theirs[i])
		}
	}
}

// alphabets are mixed in a text: the GSM basic set, its extension, Cyrillic with
// the Kyrgyz letters, Latin outside GSM, and pairs of surrogates.
var alphabets = []string{
	"abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 .,:;!?@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\n",
	"^{}\\[~]|€", "абвгдежзийклмнңоөпрстуүфхцчшщъыьэюяАҢӨҮ№«»", "çşğı`–…’", "😀🏠🚗🎓𝒳",
}

// randomTexts are of lengths around the borders of one to four parts.
func randomTexts(n int) []string {
	random := rand.New(rand.NewPCG(4, 2))
	borders := []int{0, 35, 70, 67 * 2, 80, 67 * 3, 160, 153 * 2, 67 * 4, 153 * 3}
	texts := make([]string, n)
	for i := range texts {
		chosen := []rune(alphabets[0])
		for _, alphabet := range alphabets[1:] {
			if random.IntN(4) == 0 {
				chosen = append(chosen, []rune(alphabet)...)
			}
		}
		if random.IntN(3) == 0 {
			chosen = []rune(alphabets[random.IntN(len(alphabets))])
		}
		var text strings.Builder
		for range max(0, borders[random.IntN(len(borders))]+random.IntN(7)-3) {
			text.WriteRune(chosen[random.IntN(len(chosen))])
		}
		texts[i] = text.String()
	}
	return texts
}
