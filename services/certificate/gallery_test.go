package certificate_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

var gallery = flag.Bool("gallery", false, "draw the paper of each kind into docs/gallery (make gallery)")

// TestGallery: docs/gallery.md shows the paper of each kind that is issued; with -gallery it is made.
func TestGallery(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.register.members = largeFamily()[:3]
	h.papers.act.Child, h.papers.estates[1].Kind = registry.ActPerson{Surname: "Асанова", Name: "Айгүл", Patronymic: "Бакытовна"}, "house"
	page := "# The papers\n\nEach kind of certificate that is issued, of an invented person, as its PDF is printed: Kyrgyz on the left, Russian on the right. `make gallery` draws them.\n"
	for _, kind := range certificate.Kinds() {
		if !kind.Known() {
			continue
		}
		name := string(kind)
		page += fmt.Sprintf("\n## %s\n\n![%s](gallery/%s.png)\n", h.Texts.Text(locales.EN, kind.TitleKey()), h.Texts.Text(locales.KY, kind.TitleKey()), name)
		if *gallery {
			document := must[[]byte](t)(h.PDF(t.Context(), aigul(""), request(t, h, "g"+name, kind).Number))
			file := filepath.Join(t.TempDir(), "document.pdf")
			testworld.Tool(t, file, document, "pdftoppm", "-r", "80", "-gray", "-png", "-singlefile", file, "../../docs/gallery/"+name)
		}
		if _, err := os.Stat("../../docs/gallery/" + name + ".png"); err != nil {
			t.Errorf("%s has no picture; make gallery: %v", name, err)
		}
	}
	if *gallery {
		h.OK(os.WriteFile("../../docs/gallery.md", []byte(page), 0o600))
	}
	if shown := string(must[[]byte](t)(os.ReadFile("../../docs/gallery.md"))); shown != page {
		t.Errorf("docs/gallery.md is behind, make gallery: it has %d kinds", strings.Count(shown, "\n## "))
	}
}
