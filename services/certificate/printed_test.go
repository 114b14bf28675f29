package certificate_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// TestPrintedCodesAreRead: what a printer of 150 dpi makes of a certificate is read back by three
// readers, as it is, under noise, turned, and a little out of focus: a code of one person, the
// largest that holds a family whole, and one that holds a digest.
func TestPrintedCodesAreRead(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	folder := t.ArtifactDir()
	var pictures []string
	want := map[string]string{}
	for name, members := range map[string][]certificate.Member{"one": nil, "family": largeFamily()[:3], "digest": largeFamily()} {
		h.register.members = members
		kind := certificate.Family
		if members == nil {
			kind = certificate.Residential
		}
		h.Clock.Pass(time.Hour) // what was ordered a moment ago would be given again
		asks := aigul(name)
		asks.Now = h.Clock.Now()
		issued := must[certificate.Certificate](t)(h.Request(t.Context(), asks, kind))
		code := certificate.Payload(t, h.Service, issued.Number)
		document := must[[]byte](t)(h.PDF(t.Context(), aigul(""), issued.Number))
		for seen, picture := range photographed(printed(t, document)) {
			if name != "family" && seen != "plain" && seen != "noise" { // it has the most modules
				continue
			}
			file := filepath.Join(folder, name+"-"+seen+".png")
			var out bytes.Buffer
			h.OK(png.Encode(&out, picture))
			h.OK(os.WriteFile(file, out.Bytes(), 0o600))
			h.OK(os.WriteFile(file+".rgba", append([]byte(fmt.Sprintf("%d %d\n", picture.Rect.Dx(), picture.Rect.Dy())), rgba(picture)...), 0o600))
			pictures, want[file] = append(pictures, file), code
			if got, err := certificate.CodeOfFile(out.Bytes()); err != nil || got != code {
				t.Errorf("gozxing reads of %s %q, %v", filepath.Base(file), got, err)
			}
		}
	}
	for i, got := range node(t, "read.js", pictures) {
		if got != want[pictures[i]] {
			t.Errorf("jsQR reads of %s %q", filepath.Base(pictures[i]), got)
		}
	}
	for _, file := range pictures {
		// QR alone: in the noise of one in 300 codes zbarimg finds a linear code too.
		got, err := exec.CommandContext(t.Context(), "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
		if err != nil || strings.TrimSpace(string(got)) != want[file] {
			t.Errorf("zbarimg reads of %s %q, %v", filepath.Base(file), got, err)
		}
	}
}

// printed is the foot of a document's last page at 150 dpi, in shades of grey.
func printed(t *testing.T, document []byte) *image.Gray {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.pdf")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "pdftoppm", "-r", "150", "-gray", "-png", file, file) // #nosec G204 -- our own file
	_ = must[[]byte](t)(command.Output())
	pages := must[[]string](t)(filepath.Glob(file + "-*.png"))
	page := must[image.Image](t)(png.Decode(bytes.NewReader(must[[]byte](t)(os.ReadFile(pages[len(pages)-1])))))
	whole := page.Bounds()
	foot := image.NewGray(image.Rect(0, 0, whole.Dx()*3/5, whole.Dy()*2/5))
	draw.Draw(foot, foot.Rect, page, image.Pt(0, whole.Dy()-foot.Rect.Dy()), draw.Src)
	return foot
}

// photographed is a picture as cameras make it, by what befell it.
func photographed(print *image.Gray) map[string]*image.Gray {
	dust := rand.New(rand.NewPCG(14, 1)) // #nosec G404 -- noise that is the same each time
	noise := func(_, _ float64, at float64) float64 { return at*0.8 + 25 + dust.NormFloat64()*18 }
	same := func(x, y float64) (float64, float64) { return x, y }
	return map[string]*image.Gray{
		"plain":  print,
		"noise":  taken(print, same, noise),
		"turned": taken(print, turned(print, 8), func(_, _, at float64) float64 { return at }),
		"upside": taken(print, turned(print, 173), func(_, _, at float64) float64 { return at*0.8 + 25 + dust.NormFloat64()*8 }),
		"blurred": taken(blurred(print), same, func(x, _, at float64) float64 {
			return at*(0.6+0.4*x/float64(print.Rect.Dx())) + 10 // a shadow falls from the left
		}),
	}
}

// turned gives where a point of a picture that was turned by degrees was before.
func turned(print *image.Gray, degrees float64) func(x, y float64) (float64, float64) {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	middleX, middleY := float64(print.Rect.Dx())/2, float64(print.Rect.Dy())/2
	return func(x, y float64) (float64, float64) {
		x, y = x-middleX, y-middleY
		return x*cos + y*sin + middleX, y*cos - x*sin + middleY
	}
}

// taken draws a picture from where each point was, in between the points there, and what became of its shade.
func taken(print *image.Gray, from func(x, y float64) (float64, float64), shade func(x, y, at float64) float64) *image.Gray {
	out := image.NewGray(print.Rect)
	at := func(x, y int) float64 {
		if !image.Pt(x, y).In(print.Rect) {
			return 255 // the desk
		}
		return float64(print.GrayAt(x, y).Y)
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			fx, fy := from(float64(x), float64(y))
			ix, iy := math.Floor(fx), math.Floor(fy)
			dx, dy, left, top := fx-ix, fy-iy, int(ix), int(iy)
			light := (at(left, top)*(1-dx)+at(left+1, top)*dx)*(1-dy) + (at(left, top+1)*(1-dx)+at(left+1, top+1)*dx)*dy
			out.SetGray(x, y, color.Gray{Y: uint8(max(0, min(255, shade(float64(x), float64(y), light))))})
		}
	}
	return out
}

// blurred is a picture of which each point has a little of those around it.
func blurred(print *image.Gray) *image.Gray {
	out := image.NewGray(print.Rect)
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			sum, weight := 0, 0
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					w := (4 - 3*dx*dx) * (4 - 3*dy*dy)
					if image.Pt(x+dx, y+dy).In(print.Rect) {
						sum, weight = sum+w*int(print.GrayAt(x+dx, y+dy).Y), weight+w
					}
				}
			}
			out.SetGray(x, y, color.Gray{Y: uint8(sum / weight)}) // #nosec G115 -- a mean of bytes
		}
	}
	return out
}

// rgba are the points of a picture as a canvas has them.
func rgba(picture *image.Gray) []byte {
	out := image.NewRGBA(picture.Rect)
	draw.Draw(out, out.Rect, picture, image.Point{}, draw.Src)
	return out.Pix
}
