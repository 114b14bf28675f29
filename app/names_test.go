package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/ussd"
)

// mayName are the files beside its own that may name a provider or a gateway, by the
// start of their path: the two tables, the world in a box, and what measures and tries.
var mayName = []string{"sms/kinds.go", "ussd/formats.go", "sandbox/", "tools/bench/"}

// mayNameToo are those that may name one more: its account is in settings of its own.
var mayNameToo = map[string][]string{
	twilio: {"app/routes.go", "app/config.go", "app/config_check.go", "app/outside.go", "app/open.go", "app/gateways.go", "cmd/sandbox/"},
}

// TestAProviderIsOneFile: a provider of SMS, or a USSD gateway's wire format, is its own
// file and a line of its table. Nothing else in the program knows its name.
func TestAProviderIsOneFile(t *testing.T) {
	t.Parallel()
	names := append(providerNames(), ussd.Formats()...)
	slices.Sort(names)
	names = slices.Compact(names)
	found := map[string]bool{}
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		for _, name := range namesIn(t, file, text, names) {
			found[name] = true
			if !isAllowed(file, name) {
				t.Errorf("%s knows %s: only its own file and the table may", file, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !found[name] {
			t.Errorf("%s was met nowhere: this test sees nothing", name)
		}
	}
}

func isAllowed(file, name string) bool {
	own := strings.HasPrefix(path.Base(file), name) && (strings.HasPrefix(file, "sms/") || strings.HasPrefix(file, "ussd/"))
	begins := func(start string) bool { return strings.HasPrefix(file, start) }
	return own || slices.ContainsFunc(mayName, begins) || slices.ContainsFunc(mayNameToo[name], begins)
}

// commonWord is a name that is also a word: only a literal of it is meant.
const commonWord = "plain"

// namesIn are the names that a file's code knows; comments may explain by example.
func namesIn(t *testing.T, file string, text []byte, names []string) (met []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		word := regexp.MustCompile(`\b` + name + `\b`)
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if name != commonWord && strings.Contains(strings.ToLower(n.Name), name) {
					met = append(met, name)
				}
			case *ast.BasicLit:
				said, _ := strconv.Unquote(n.Value)
				if name == commonWord && (said == name || strings.Contains(said, "/"+name)) || name != commonWord && word.MatchString(strings.ToLower(said)) {
					met = append(met, name)
				}
			}
			return true
		})
	}
	slices.Sort(met)
	return slices.Compact(met)
}

// TestNamesAreSeen: the test above finds what it looks for.
func TestNamesAreSeen(t *testing.T) {
	t.Parallel()
	code := []byte("package a\n// hubtel in a comment\nvar x, plainText = New(\"smspro\"), ussd.NewInfobip\nconst at = \"/ussd/plain\"\n")
	if got := namesIn(t, "a.go", code, append(providerNames(), ussd.Formats()...)); strings.Join(got, " ") != "infobip plain smspro" {
		t.Errorf("saw %v", got)
	}
	for file, allowed := range map[string]bool{
		"sms/smspro.go": true, "sms/smspro_ask.go": true, "sms/kinds.go": true, "sandbox/phone_smspro.go": true,
		"app/routes.go": false, "sms/route.go": false, "platform/smspro.go": false,
	} {
		if isAllowed(file, "smspro") != allowed {
			t.Errorf("%s: allowed is not %v", file, allowed)
		}
	}
}
