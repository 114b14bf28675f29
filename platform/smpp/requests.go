package smpp

import (
	"context"
	"sync"
	"time"
)

const (
	// lastSequence is the highest sequence number (section 5.1.4).
	lastSequence = 0x7FFFFFFF
	// rememberLate is how long a response to a submit_sm is still of use: no message is
	// kept longer. maxLate bounds those that are waited for, the oldest go first.
	rememberLate = 7 * 24 * time.Hour
	maxLate      = 20_000
)

// requests are those of a Client that wait for their responses, by sequence number.
// The numbers go on from one link to the next: a response that comes after a link was
// made anew is that of its request and of no other.
type requests struct {
	mu      sync.Mutex
	waiting map[uint32]*request
	late    map[uint32]*request // nobody waits in Submit any more
	order   []*request          // the late ones, the oldest first
	last    uint32
	none    *sync.Cond // no request waits
}

// request is one that was or will be written.
type request struct {
	sequence uint32
	command  Command
	answered chan PDU
	late     *Late
	at       time.Time // since when it is late
}

func newRequests() *requests {
	r := &requests{waiting: map[uint32]*request{}, late: map[uint32]*request{}}
	r.none = sync.NewCond(&r.mu)
	return r
}

// add gives a request the next sequence number.
func (r *requests) add(command Command) *request {
	r.mu.Lock()
	defer r.mu.Unlock()
	for taken := true; taken; {
		if r.last++; r.last > lastSequence {
			r.last = 1
		}
		_, waits := r.waiting[r.last]
		_, late := r.late[r.last]
		taken = waits || late
	}
	one := &request{sequence: r.last, command: command, answered: make(chan PDU, 1)}
	r.waiting[r.last] = one
	return one
}

func (r *requests) remove(one *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(one)
}

// drop is remove with the lock held.
func (r *requests) drop(one *request) {
	delete(r.waiting, one.sequence)
	if len(r.waiting) == 0 {
		r.none.Broadcast()
	}
}

// delay notes that nobody waits for a request's response any more: it is given to the
// Late that is returned.
func (r *requests) delay(one *request) *Late {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(one)
	one.late, one.at = &Late{}, time.Now()
	select {
	case answer := <-one.answered: // just now
		one.late.come(answer)
		return one.late
	default:
	}
	r.late[one.sequence] = one
	r.order = append(r.order, one)
	for len(r.order) > 0 && (r.isOver(r.order[0]) || len(r.order) > maxLate) {
		if first := r.order[0]; r.late[first.sequence] == first {
			delete(r.late, first.sequence)
		}
		r.order = r.order[1:]
	}
	return one.late
}

// isOver reports a late request that needs no place any more.
func (r *requests) isOver(one *request) bool {
	return r.late[one.sequence] != one || time.Since(one.at) > rememberLate
}

// answer hands a response to who waits for it; false when nobody does, or somebody got
// one already, or it answers something else.
func (r *requests) answer(p PDU) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one, late := r.late[p.Sequence]; late && one.isAnsweredBy(p) {
		delete(r.late, p.Sequence)
		one.late.come(p)
		return true
	}
	one, waits := r.waiting[p.Sequence]
	if !waits || !one.isAnsweredBy(p) {
		return false
	}
	select {
	case one.answered <- p:
		return true
	default:
		return false
	}
}

func (one *request) isAnsweredBy(p PDU) bool {
	return p.Command == one.command.Response() || p.Command == GenericNack
}

// areOpen reports that a response is still to come.
func (r *requests) areOpen() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.waiting {
		if len(one.answered) == 0 {
			return true
		}
	}
	return false
}

// wait returns when no request waits, or ctx ends.
func (r *requests) wait(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.none.Broadcast()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) > 0 && ctx.Err() == nil {
		r.none.Wait()
	}
}
