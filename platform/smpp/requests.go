package smpp

import (
	"context"
	"sync"
)

// requests are those that wait for their responses, by sequence number.
type requests struct {
	mu      sync.Mutex
	waiting map[uint32]chan PDU
	last    uint32
	none    *sync.Cond // no request waits
}

// lastSequence is the highest sequence number (section 5.1.4).
const lastSequence = 0x7FFFFFFF

func newRequests() *requests {
	r := &requests{waiting: map[uint32]chan PDU{}}
	r.none = sync.NewCond(&r.mu)
	return r
}

// add gives the next sequence number and where the response will come.
func (r *requests) add() (sequence uint32, answered <-chan PDU) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for taken := true; taken; {
		if r.last++; r.last > lastSequence {
			r.last = 1
		}
		_, taken = r.waiting[r.last]
	}
	channel := make(chan PDU, 1)
	r.waiting[r.last] = channel
	return r.last, channel
}

func (r *requests) remove(sequence uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, sequence)
	if len(r.waiting) == 0 {
		r.none.Broadcast()
	}
}

// answer hands a response to who waits for it; false when nobody does, or
// somebody got one already.
func (r *requests) answer(p PDU) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	channel, waits := r.waiting[p.Sequence]
	if !waits {
		return false
	}
	select {
	case channel <- p:
		return true
	default:
		return false
	}
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
