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
	heard   atomic.Int64  // when something was read last, in Unix nanoseconds
	leaving atomic.Bool   // the SMS centre unbound: nothing is written any more

	admission sync.Mutex
	closing   bool
	handlers  chan struct{}
	working   sync.WaitGroup
	queues    queues
	inWork    inWork

	delivered uint64 // messages taken from the reader

	once   sync.Once
	broken chan struct{} // closed when the link is of no more use
	err    error         // why; read it after broken
	read   chan struct{} // closed when the reader has ended
}

// afterUnbind is how long responses are read after the SMS centre unbound.
const afterUnbind = 2 * time.Second

func newLink(c *Client, conn net.Conn) *link {
	l := &link{
		Client: c, conn: conn, name: rand.Text(), window: make(chan struct{}, c.cfg.Window),
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
	if l.leaving.Load() {
		return PDU{}, fmt.Errorf("%w: %w", ErrNotSent, errUnbound)
	}
	one := l.asked.add(p.Command)
	p.Sequence = one.sequence
	if err := l.write(p); errors.Is(err, ErrOutcomeUnknown) {
		return PDU{}, l.unanswered(one, errLinkBroke)
	} else if err != nil {
		l.asked.remove(one)
		return PDU{}, err
	}
	timeout := time.NewTimer(l.cfg.Response)
	defer timeout.Stop()
	select {
	case answer := <-one.answered:
		l.asked.remove(one)
		return answer, nil
	case <-l.broken:
	case <-ctx.Done():
		return PDU{}, l.unanswered(one, ctx.Err())
	case <-timeout.C:
		return PDU{}, l.unanswered(one, errNoResponse)
	}
	select {
	case answer := <-one.answered: // it was read just before the end
		l.asked.remove(one)
		return answer, nil
	default:
		return PDU{}, l.unanswered(one, errLinkBroke)
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
		if p.Odd != "" {
			l.Faulty(p.Odd)
		}
		if err != nil {
			err = l.refuse(p, err)
		} else {
			err = l.take(p)
		}
		if err != nil {
			l.fail(err)
			return
		}
		if l.leaving.Load() && !l.asked.areOpen() {
			l.fail(errUnbound)
			return
		}
	}
}

// lost ends a link whose stream cannot be followed any more.
func (l *link) lost(head []byte, err error) {
	if l.leaving.Load() {
		l.fail(errUnbound)
		return
	}
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
	reason := "body"
	if bad.Status == StatusCommandID {
		reason = "command"
	}
	l.Faulty(reason)
	switch {
	case p.Command.IsResponse(): // two that refuse each other's refusals would never end
		return nil
	case bad.Status == StatusCommandID:
		return l.write(PDU{Command: GenericNack, Status: bad.Status, Sequence: p.Sequence})
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
		return l.unbound(p)
	case DeliverSM, DataSM:
		return l.deliver(p)
	}
	l.Faulty("command")
	return l.write(PDU{Command: GenericNack, Status: StatusCommandID, Sequence: p.Sequence})
}

// errUnbound ends a link that the SMS centre unbound.
var errUnbound = errors.New("the SMS centre unbound")

// unbound agrees to the end of the link. Responses that are still under way are read:
// some centres send them before they close.
func (l *link) unbound(p PDU) error {
	l.set(nil)                                                  // whoever comes now waits for another link
	_ = l.write(PDU{Command: UnbindResp, Sequence: p.Sequence}) // the link ends anyway
	if !l.asked.areOpen() {
		return errUnbound
	}
	l.leaving.Store(true)
	return l.conn.SetReadDeadline(time.Now().Add(afterUnbind))
}

// deliver gives a message to the handler, unless too many are in work.
func (l *link) deliver(p PDU) error {
	if l.inWork.isAgain(p) {
		l.Faulty("again") // it is answered with the one that is in work
		return nil
	}
	if status := l.admit(); status != StatusOK {
		return l.respond(p, status)
	}
	var turn *place
	if !IsReceipt(p.Message, p.TLVs) { // receipts tell of messages that have nothing to do with each other
		turn = l.queues.join(sender(p.Message.Source))
	}
	l.delivered++
	go l.handle(p, turn, strings.ToLower(l.name)+":"+strconv.FormatUint(l.delivered, 10))
	return nil
}

// sender names who wrote a message the same in whatever form its address is.
func sender(a Address) string {
	if phone, ok := a.Phone(); ok {
		return phone
	}
	return a.Digits
}

// respond answers a delivery as often as it came meanwhile.
func (l *link) respond(p PDU, status Status) error {
	for range l.inWork.done(p) {
		if err := l.write(PDU{Command: p.Command.Response(), Status: status, Sequence: p.Sequence}); err != nil {
			return err
		}
	}
	return nil
}

// handle works on an admitted message, after its sender's before it. A panic, whose
// text may hold what a citizen wrote, ends the work on it and nothing else.
func (l *link) handle(p PDU, turn *place, id string) {
	defer l.working.Done()
	defer func() { <-l.handlers }()
	defer l.queues.leave(turn)
	ctx, cancel := context.WithTimeout(context.Background(), handleWithin)
	defer cancel()
	turn.wait(ctx)
	defer func() {
		if fault := recover(); fault != nil {
			l.Log.ErrorContext(ctx, "an SMPP message was not worked on", "error", problem.FromPanic(fault))
			l.inWork.done(p) // unanswered: the centre delivers it again
		}
	}()
	status, then := l.Handle(ctx, Delivery{Message: p.Message, TLVs: p.TLVs, ID: id})
	if err := l.respond(p, status); err != nil {
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
