package web

import (
	"embed"
	"fmt"
	"io/fs"
)

// assets are the files every page shares; pages hold the templates.
//
//go:embed static
var assets embed.FS

// Static is what the server gives under /static/: styles, scripts, and the
// vendored reference page. Nothing in it asks another host for anything.
func Static() (fs.FS, error) {
	sub, err := fs.Sub(assets, "static")
	if err != nil {
		return nil, fmt.Errorf("open the embedded static files: %w", err)
	}
	return sub, nil
}
