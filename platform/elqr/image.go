package elqr

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

const (
	// quietZone is the margin in modules (ISO/IEC 18004, section 5.3.8).
	quietZone = 4
	// pngModule is a module's side in pixels.
	pngModule = 8
)

// Images are the QR code of a payload's link: SVG of any size, and PNG of 8 pixels a module.
func Images(payload string) (svg string, png []byte, err error) {
	code, err := qr.Encode(Link(payload), qr.M)
	if err != nil {
		return "", nil, fmt.Errorf("make an ELQR code: %w", err)
	}
	code.Scale = pngModule
	return vector(code), code.PNG(), nil
}

// vector draws the dark modules, a row's neighbours as one.
func vector(code *qr.Code) string {
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quietZone, y+quietZone, x-from, x-from)
			}
		}
	}
	side := code.Size + 2*quietZone
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img"><title>ELQR</title>`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, side, side, side, side, path.String())
}
