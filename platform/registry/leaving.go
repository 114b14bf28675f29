package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// held keeps a request's body back until leaving has said yes. Reading the body
// is the one thing that net/http does only when a connection stands: a call that
// the breaker stops, or that finds nobody at the address, never comes here.
type held struct {
	leaving func(ctx context.Context) error
	ctx     context.Context //nolint:containedctx // a Reader has no parameter for it

	mu    sync.Mutex
	asked bool
	over  bool // the call has ended: nothing may leave any more
	err   error
}

// errOver meets a body that is read after its call gave up.
var errOver = errors.New("the call has ended")

// hold has leaving called before req's body leaves. Without it nothing is held.
func hold(req *http.Request, leaving func(ctx context.Context) error) *held {
	h := &held{leaving: leaving, ctx: req.Context()}
	if leaving == nil {
		return h
	}
	again := req.GetBody
	req.Body = heldBody{h, req.Body}
	// net/http asks for the body anew when a connection that it kept turned out to
	// be closed before a byte was written.
	req.GetBody = func() (io.ReadCloser, error) {
		body, err := again()
		return heldBody{h, body}, err
	}
	return h
}

// ask calls leaving, once however often the body is read.
func (h *held) ask() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked {
		return h.err
	}
	if h.over {
		return errOver
	}
	h.asked, h.err = true, h.leaving(h.ctx)
	return h.err
}

// end says, when the call is over, whether something may have left, and leaving's
// error.
func (h *held) end() (left bool, err error) {
	if h.leaving == nil {
		return true, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	return h.asked && h.err == nil, h.err
}

type heldBody struct {
	*held
	io.ReadCloser
}

// Read implements io.Reader.
func (b heldBody) Read(p []byte) (int, error) {
	if err := b.ask(); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(p)
}
