package smpp

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

// link is one bound connection.
type link struct {
	*Client
	conn net.Conn
	name string

	writing sync.Mutex
	window  chan struct{} // one token for each submit_sm without a response
	asked   *requests
	heard   atomic.Int64 // when something was read last, in Unix nanoseconds

	admission sync.Mutex
	closing   bool
	handlers  chan struct{}
	working   sync.WaitGroup
	lines     lines

	once   sync.Once
	broken chan struct{} // closed when the link is of no more use
	err    error         // why; read it after broken
	read   chan struct{} // closed when the reader has ended
}

func newLink(c *Client, conn net.Conn) *link {
	l := &link{
		Client: c, conn: conn, name: rand.Text(), window: make(chan struct{}, c.cfg.Window), asked: newRequests(),
		handlers: make(chan struct{}, handlers), broken: make(chan struct{}), read: make(chan struct{}),
	}
	l.heard.Store(time.Now().UnixNano())
	go l.reader()
	return l
}

// fail makes the link unusable; everybody who waits for a response is told.
func (l *link) fail(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.broken)
		_ = l.conn.Close() // the error that counts is known
	})
}

// end waits until nothing of the link runs any more.
func (l *link) end() {
	l.fail(net.ErrClosed)
	<-l.read
	l.working.Wait()
}

// bind presents the account.
func (l *link) bind(ctx context.Context) error {
	answer, err := l.ask(ctx, PDU{Command: binds[l.cfg.Mode], Bind: l.cfg.bind()})
	if err != nil {
		return err
	}
	if answer.Status != StatusOK {
		return &StatusError{Status: answer.Status}
	}
	return nil
}

// ask sends a request and waits for its response.
func (l *link) ask(ctx context.Context, p PDU) (PDU, error) {
	if p.Command == SubmitSM {
		select {
		case l.window <- struct{}{}:
			defer func() { <-l.window }()
		case <-l.broken:
			return PDU{}, fmt.Errorf("%w: the link broke", ErrNotSent)
		case <-ctx.Done():
			return PDU{}, fmt.Errorf("%w: the window is full: %w", ErrNotSent, ctx.Err())
		}
	}
	sequence, answered := l.asked.add()
	defer l.asked.remove(sequence)
	p.Sequence = sequence
	if err := l.write(p); err != nil {
		return PDU{}, err
	}
	timeout := time.NewTimer(l.cfg.Response)
	defer timeout.Stop()
	select {
	case answer := <-answered:
		return answer, nil
	case <-l.broken:
	case <-ctx.Done():
		return PDU{}, fmt.Errorf("%w: %w", ErrOutcomeUnknown, ctx.Err())
	case <-timeout.C:
		return PDU{}, fmt.Errorf("%w: no response in time", ErrOutcomeUnknown)
	}
	select {
	case answer := <-answered: // it was read just before the end
		return answer, nil
	default:
		return PDU{}, fmt.Errorf("%w: the link broke", ErrOutcomeUnknown)
	}
}

// write sends a PDU. An error means that the link is broken, unless the PDU was
// impossible.
func (l *link) write(p PDU) error {
	raw, err := p.Encode()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	select {
	case <-l.broken:
		return fmt.Errorf("%w: the link broke", ErrNotSent)
	default:
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.cfg.Response)); err != nil {
		l.fail(err)
		return fmt.Errorf("%w: the link broke", ErrNotSent)
	}
	if _, err := l.conn.Write(raw); err != nil {
		l.fail(fmt.Errorf("write: %w", err))
		return fmt.Errorf("%w: the link broke", ErrOutcomeUnknown)
	}
	return nil
}

// watch asks a silent link whether it lives.
func (l *link) watch(ctx context.Context) {
	for {
		silent := time.Since(time.Unix(0, l.heard.Load()))
		select {
		case <-l.broken:
			return
		case <-ctx.Done():
			return
		case <-time.After(l.cfg.Idle - silent):
		}
		if time.Since(time.Unix(0, l.heard.Load())) < l.cfg.Idle {
			continue
		}
		if _, err := l.ask(ctx, PDU{Command: EnquireLink}); err != nil && ctx.Err() == nil {
			l.fail(fmt.Errorf("enquire_link: %w", err))
			return
		}
	}
}

// finish lets the work in hand end, then unbinds.
func (l *link) finish() {
	l.admission.Lock()
	l.closing = true
	l.admission.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), l.cfg.Response)
	defer cancel()
	idle := make(chan struct{})
	go func() { l.working.Wait(); l.asked.wait(ctx); close(idle) }()
	select {
	case <-idle:
	case <-l.broken:
		return
	case <-ctx.Done():
	}
	l.set(nil) // whoever comes now waits for another link
	if _, err := l.ask(ctx, PDU{Command: Unbind}); err != nil {
		l.Log.InfoContext(ctx, "an SMPP link closed without unbinding", "error", err)
	}
}

// reader reads until the link breaks.
func (l *link) reader() {
	defer close(l.read)
	buffered := bufio.NewReader(l.conn)
	for {
		frame, err := ReadFrame(buffered)
		if err != nil {
			l.lost(frame, err)
			return
		}
		l.heard.Store(time.Now().UnixNano())
		p, err := Decode(frame)
		if err != nil {
			err = l.refuse(p, err)
		} else {
			err = l.take(p)
		}
		if err != nil {
			l.fail(err)
			return
		}
	}
}

// lost ends a link whose stream cannot be followed any more.
func (l *link) lost(head []byte, err error) {
	var bad *MalformedError
	if errors.As(err, &bad) {
		l.Faulty("length")
		sequence := uint32(head[12])<<24 | uint32(head[13])<<16 | uint32(head[14])<<8 | uint32(head[15])
		_ = l.write(PDU{Command: GenericNack, Status: bad.Status, Sequence: sequence}) // the link ends anyway
	}
	l.fail(fmt.Errorf("read: %w", err))
}

// refuse answers a PDU that cannot be read; its length is right, and the link
// goes on (section 4.3). A response that cannot be read is as good as none.
func (l *link) refuse(p PDU, err error) error {
	var bad *MalformedError
	if !errors.As(err, &bad) {
		return err
	}
	if bad.Status == StatusCommandID {
		l.Faulty("command")
		return l.write(PDU{Command: GenericNack, Status: bad.Status, Sequence: p.Sequence})
	}
	l.Faulty("body")
	if p.Command.IsResponse() {
		return nil
	}
	return l.write(PDU{Command: p.Command.Response(), Status: bad.Status, Sequence: p.Sequence})
}

// take works on one PDU.
func (l *link) take(p PDU) error {
	if p.Command.IsResponse() {
		if !l.asked.answer(p) {
			l.Faulty("unasked")
		}
		return nil
	}
	switch p.Command {
	case EnquireLink:
		return l.write(PDU{Command: EnquireLinkResp, Sequence: p.Sequence})
	case Unbind:
		_ = l.write(PDU{Command: UnbindResp, Sequence: p.Sequence}) // the link ends anyway
		return errors.New("the SMS centre unbound")
	case DeliverSM, DataSM:
		return l.deliver(p)
	}
	l.Faulty("command")
	return l.write(PDU{Command: GenericNack, Status: StatusCommandID, Sequence: p.Sequence})
}

// deliver gives a message to the handler, unless too many are in work.
func (l *link) deliver(p PDU) error {
	if status := l.admit(); status != StatusOK {
		return l.write(PDU{Command: p.Command.Response(), Status: status, Sequence: p.Sequence})
	}
	var turn *place
	if !IsReceipt(p.Message) { // receipts tell of messages that have nothing to do with each other
		turn = l.lines.join(p.Message.Source.Digits)
	}
	go l.handle(p, turn)
	return nil
}

// handle works on an admitted message, after its sender's before it. A panic, whose
// text may hold what a citizen wrote, ends the work on it and nothing else.
func (l *link) handle(p PDU, turn *place) {
	defer l.working.Done()
	defer func() { <-l.handlers }()
	defer l.lines.leave(turn)
	ctx, cancel := context.WithTimeout(context.Background(), handleWithin)
	defer cancel()
	turn.wait(ctx)
	defer func() {
		if fault := recover(); fault != nil {
			l.Log.ErrorContext(ctx, "an SMPP message was not worked on", "error", problem.FromPanic(fault))
		}
	}()
	id := strings.ToLower(l.name) + ":" + strconv.FormatUint(uint64(p.Sequence), 10)
	status, then := l.Handle(ctx, Delivery{Message: p.Message, TLVs: p.TLVs, ID: id})
	if err := l.write(PDU{Command: p.Command.Response(), Status: status, Sequence: p.Sequence}); err != nil {
		l.Log.WarnContext(ctx, "an SMPP message was taken and its response not sent", "error", err)
		return // it is delivered again
	}
	if then != nil {
		then(ctx)
	}
}

func (l *link) admit() Status {
	l.admission.Lock()
	defer l.admission.Unlock()
	if l.closing {
		return StatusTemporary
	}
	select {
	case l.handlers <- struct{}{}:
		l.working.Add(1)
		return StatusOK
	default:
		return StatusQueueFull
	}
}
