package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/eshik-kg/eshik/locales"
)

// WorkerPath is where the script stands that keeps the page of verification for when there is no
// network. A worker's scope lies below its own folder.
const WorkerPath = "/verify-worker.js"

// TrustPath is where the server publishes by what certificates are verified.
const TrustPath = "/.well-known/certificate-trust"

// WorkerPolicy is the Content-Security-Policy of that script.
const WorkerPolicy = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed worker/verify.js
var worker []byte

// reader is the part of the page by which the worker too reads a trust bundle.
const reader = "static/record.js"

// keptFiles are the static files of the page of verification.
var keptFiles = []string{"eshik.css", "verify.css", "eshik.svg", "record.js", "words.js", "scan.js", "verify.js", "jsqr.js"}

// kept is what the worker keeps. The version changes with any of it but the trust bundle.
type kept struct {
	Version string   `json:"version"`
	Pages   []string `json:"pages"`
	Files   []string `json:"files"`
	Trust   string   `json:"trust"`
}

// Worker makes the script. blank is the page in a language before anything was asked.
func (p *Pages) Worker(blank func(loc locales.Locale) VerifyView) (http.Handler, error) {
	all := kept{Pages: []string{string(Verify)}, Trust: TrustPath}
	digest := sha256.New()
	for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.EN} {
		all.Pages = append(all.Pages, p.frame(loc, Verify, "verify").To(Verify))
		if err := p.Verify(digest, loc, blank(loc)); err != nil {
			return nil, err
		}
	}
	for _, name := range keptFiles {
		address, err := p.files.address(name)
		if err != nil {
			return nil, err
		}
		all.Files = append(all.Files, address)
	}
	all.Version = hex.EncodeToString(digest.Sum(nil)[:6])
	head, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("list what the worker keeps: %w", err)
	}
	reads, err := assets.ReadFile(reader)
	if err != nil {
		return nil, fmt.Errorf("read a trust bundle in the worker: %w", err)
	}
	return pack("worker.js", bytes.Join([][]byte{[]byte("const kept = "), head, []byte(";\n"), reads, worker}, nil))
}
