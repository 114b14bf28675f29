package transparency

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// ErrWitness says that a witness knows another history of the log than ours: a longer
// one (the database is an earlier copy), or one that ours does not continue.
var ErrWitness = errors.New("the witness saw another history of this log")

// errUnwitnessed is an answer of a witness that is no cosignature.
var errUnwitnessed = errors.New("the witness did not cosign")

// How long a witness may take to answer, and how long its answer may be.
const (
	witnessTime  = 20 * time.Second
	witnessBytes = 64 << 10
)

// Witness is a service of somebody else that remembers the newest checkpoint of a log
// and cosigns only what continues it (c2sp.org/tlog-witness). It is safe for concurrent
// use.
type Witness struct {
	url  string // the submission prefix
	key  note.Verifier
	http *http.Client
	size atomic.Int64 // of what it cosigned last, as far as we know
}

// NewWitness makes a witness of its submission prefix and its verifier key, of Ed25519
// ("name+hash+key").
func NewWitness(url, verifierKey string) (*Witness, error) {
	key, err := formats.NewVerifierForCosignatureV1(verifierKey)
	if err != nil {
		return nil, fmt.Errorf("read the witness's verifier key: %w", err)
	}
	client := &http.Client{Timeout: witnessTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Witness{url: strings.TrimSuffix(url, "/"), key: key, http: client}, nil
}

// Name is the name in the witness's key.
func (w *Witness) Name() string { return w.key.Name() }

// Cosign has the witness cosign a checkpoint of a tree and gives the checkpoint with the
// cosignature. The error wraps [ErrWitness] where the witness saw another history.
func (w *Witness) Cosign(ctx context.Context, tree *Tree, c Checkpoint) (Checkpoint, error) {
	old := min(w.size.Load(), c.Size)
	for asked := 0; ; asked++ {
		lines, newest, err := w.submit(ctx, tree, c, old)
		switch {
		case err != nil:
			return c, err
		case lines != nil:
			w.size.Store(c.Size)
			return w.added(c, lines)
		case newest > c.Size:
			return c, fmt.Errorf("it cosigned %d records, this log has %d: %w", newest, c.Size, ErrWitness)
		case newest == old || asked > 2:
			return c, fmt.Errorf("at %d records: %w", newest, ErrWitness)
		}
		old = newest
	}
}

// submit posts a checkpoint that continues the one of a size. Without lines and error
// the witness cosigned newest leaves last.
func (w *Witness) submit(ctx context.Context, tree *Tree, c Checkpoint, old int64) (lines []byte, newest int64, err error) {
	proof, err := tree.Consistency(ctx, old, c.Size)
	if err != nil {
		return nil, 0, err
	}
	body := bytes.NewBufferString("old " + strconv.FormatInt(old, 10) + "\n")
	for _, hash := range proof {
		body.WriteString(base64.StdEncoding.EncodeToString(hash[:]) + "\n")
	}
	body.WriteString("\n")
	body.Write(c.Note)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/add-checkpoint", body)
	if err != nil {
		return nil, 0, fmt.Errorf("ask the witness: %w", err)
	}
	response, err := w.http.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("ask the witness: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, witnessBytes))
	if err != nil {
		return nil, 0, fmt.Errorf("read the witness's answer: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return answer, 0, nil
	case http.StatusConflict:
		newest, err := strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64)
		if err != nil || newest < 0 {
			return nil, 0, fmt.Errorf("at %d records: %w", c.Size, ErrWitness) // the same size, another root
		}
		return nil, newest, nil
	case http.StatusUnprocessableEntity:
		return nil, 0, fmt.Errorf("it does not continue its %d records: %w", old, ErrWitness)
	default:
		return nil, 0, fmt.Errorf("it answered %d: %w", response.StatusCode, errUnwitnessed)
	}
}

// added is a checkpoint with the witness's signature, if that is one.
func (w *Witness) added(c Checkpoint, lines []byte) (Checkpoint, error) {
	opened, err := note.Open(append(bytes.Clone(c.Note), lines...), note.VerifierList(w.key))
	if err != nil {
		return c, fmt.Errorf("%w: %w", err, errUnwitnessed)
	}
	for _, signature := range opened.Sigs {
		c.Note = append(bytes.Clone(c.Note), "— "+signature.Name+" "+signature.Base64+"\n"...)
	}
	return c, nil
}

// Cosigned reports whether a checkpoint bears the witness's signature.
func (w *Witness) Cosigned(c Checkpoint) bool {
	_, err := note.Open(c.Note, note.VerifierList(w.key))
	return err == nil
}
