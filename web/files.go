package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// assets are the styles, scripts and pictures of the pages. Nothing in them asks
// another host for anything.
//
//go:embed static
var assets embed.FS

// files serves the assets under /static/, packed once at the start. A page names
// each with a digest of its content, /static/eshik.1f2e3d4c.css, which a browser
// may keep for good; under the plain name it has to ask whether the file is
// still the same.
type files struct {
	served    map[string]packed // by the path under /static/
	addresses map[string]string // of a file's plain name
}

// packed is a body as it was made and as gzip makes it small.
type packed struct {
	name          string // says the type
	plain, zipped []byte // zipped is nil where it would save nothing
	digest        string
	lasting       bool // the address changes with the content
}

func newFiles() (*files, error) {
	f := &files{served: map[string]packed{}, addresses: map[string]string{}}
	err := fs.WalkDir(assets, "static", func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := assets.ReadFile(at)
		if err != nil {
			return err
		}
		return f.add(strings.TrimPrefix(at, "static/"), data)
	})
	if err != nil {
		return nil, fmt.Errorf("pack the static files: %w", err)
	}
	return f, nil
}

func (f *files) add(name string, data []byte) error {
	file, err := pack(name, data)
	if err != nil {
		return err
	}
	f.served[name] = file
	file.lasting = true
	extension := path.Ext(name)
	hashed := strings.TrimSuffix(name, extension) + "." + file.digest + extension
	f.served[hashed] = file
	f.addresses[name] = "/static/" + hashed
	return nil
}

// pack makes a body ready to be sent many times.
func pack(name string, data []byte) (packed, error) {
	sum := sha256.Sum256(data)
	p := packed{name: name, plain: data, digest: hex.EncodeToString(sum[:6])}
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return p, err
	}
	if _, err := zip.Write(data); err != nil {
		return p, err
	}
	if err := zip.Close(); err != nil {
		return p, err
	}
	if out.Len() < len(data) {
		p.zipped = out.Bytes()
	}
	return p, nil
}

// address is where a page finds an asset. A name without a file is a mistake in
// a template: it stops the page.
func (f *files) address(name string) (string, error) {
	address, ok := f.addresses[name]
	if !ok {
		return "", fmt.Errorf("no static file is called %s", name)
	}
	return address, nil
}

// ServeHTTP implements http.Handler.
func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := f.served[strings.TrimPrefix(r.URL.Path, "/static/")]
	switch {
	case !ok:
		http.NotFound(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	default:
		file.ServeHTTP(w, r)
	}
}

// ServeHTTP sends the body, packed where the client takes it so, or says that the
// client's copy is still right.
func (p packed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if p.lasting {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := p.plain, p.digest
	if p.zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Values("Accept-Encoding")) {
			// Another representation has another tag (RFC 9110, section 8.8.3).
			body, tag = p.zipped, p.digest+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, p.name, time.Time{}, bytes.NewReader(body))
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip, x-gzip, or
// anything, where its quality is not 0.
func takesGzip(headers []string) bool {
	best, named := false, false
	for _, part := range strings.Split(strings.Join(headers, ","), ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		wanted := true
		if key, value, ok := strings.Cut(parameters, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			wanted = err == nil && q > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			best, named = wanted, true
		case "*":
			if !named {
				best = wanted
			}
		}
	}
	return best
}
