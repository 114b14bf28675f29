package sandbox

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Witness cosigns the checkpoints of one log as an independent service does
// (c2sp.org/tlog-witness). It is an [http.Handler] for its submission prefix.
type Witness struct {
	log    note.Verifier
	signer *formats.Signer

	mu     sync.Mutex
	newest tlog.Tree // what it cosigned last
}

// NewWitness makes a witness of a log's verifier key and the witness's own signer key,
// both as package note writes them.
func NewWitness(logKey, signerKey string) (*Witness, error) {
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return nil, fmt.Errorf("read the log's key: %w", err)
	}
	signer, err := formats.NewSignerForCosignatureV1(signerKey)
	if err != nil {
		return nil, fmt.Errorf("read the witness's key: %w", err)
	}
	return &Witness{log: log, signer: signer}, nil
}

// Newest is how many leaves the witness cosigned last.
func (w *Witness) Newest() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newest.N
}

func (w *Witness) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/add-checkpoint" {
		http.NotFound(to, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(to, r.Body, 64<<10))
	if err != nil {
		http.Error(to, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	status, answer := w.add(string(body))
	if status == http.StatusConflict {
		to.Header().Set("Content-Type", "text/x.tlog.size")
	}
	to.WriteHeader(status)
	_, _ = io.WriteString(to, answer)
}

// errRequest is a request that is not of the protocol.
var errRequest = errors.New("not of the protocol")

func (w *Witness) add(body string) (status int, answer string) {
	old, proof, signed, err := readRequest(body)
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	origin, _, _ := strings.Cut(signed, "\n")
	if origin != w.log.Name() {
		return http.StatusNotFound, "unknown log"
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(w.log))
	if err != nil {
		return http.StatusForbidden, "not signed by the log"
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return http.StatusBadRequest, "no checkpoint"
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := tlog.ParseHash(lines[2])
	if errors.Join(err, err2) != nil || old > size {
		return http.StatusBadRequest, "no checkpoint"
	}
	switch {
	case old != w.newest.N:
		return http.StatusConflict, fmt.Sprintln(w.newest.N)
	case old == size && old > 0 && root != w.newest.Hash:
		return http.StatusConflict, ""
	case old > 0 && old < size && tlog.CheckTree(proof, size, root, old, w.newest.Hash) != nil:
		return http.StatusUnprocessableEntity, "not consistent"
	}
	cosigned, err := note.Sign(&note.Note{Text: opened.Text}, w.signer)
	if err != nil {
		return http.StatusInternalServerError, ""
	}
	w.newest = tlog.Tree{N: size, Hash: root}
	return http.StatusOK, strings.TrimPrefix(string(cosigned), opened.Text+"\n")
}

// readRequest reads "old <size>", the proof's lines, an empty line, and the checkpoint.
func readRequest(body string) (old int64, proof tlog.TreeProof, signed string, err error) {
	head, signed, found := strings.Cut(body, "\n\n")
	lines := strings.Split(head, "\n")
	size, isOld := strings.CutPrefix(lines[0], "old ")
	if old, err = strconv.ParseInt(size, 10, 64); err != nil || !found || !isOld || old < 0 || len(lines) > 64 {
		return 0, nil, "", errRequest
	}
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return 0, nil, "", errRequest
		}
		proof = append(proof, tlog.Hash(hash))
	}
	return old, proof, signed, nil
}
