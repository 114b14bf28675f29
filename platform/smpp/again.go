package smpp

import (
	"bytes"
	"sync"
)

// inWork are the deliveries that are not answered yet, by sequence number. One that
// comes once more while it is, the same to the octet, is a repeat: its centre did not
// want to wait. A number alone tells nothing, as some centres use one again and some
// always write 0; and what comes after the answer was said anew.
type inWork struct {
	mu  sync.Mutex
	all map[uint32]*delivery
}

type delivery struct {
	octets []byte
	times  int
}

// isAgain notes a delivery; true when the same one is in work.
func (w *inWork) isAgain(p PDU) bool {
	if p.Sequence == 0 { // not numbered: it may have been typed twice
		return false
	}
	octets, err := p.Encode()
	if err != nil { // longer than we would write it, so that nothing is compared
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[p.Sequence]; one != nil {
		if !bytes.Equal(one.octets, octets) {
			return false
		}
		one.times++
		return true
	}
	if w.all == nil {
		w.all = map[uint32]*delivery{}
	}
	w.all[p.Sequence] = &delivery{octets: octets, times: 1}
	return false
}

// done forgets a delivery that gets its answer now, and says how often it came.
func (w *inWork) done(p PDU) (times int) {
	if p.Sequence == 0 {
		return 1
	}
	octets, _ := p.Encode() // as in isAgain
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.all[p.Sequence]
	if one == nil || !bytes.Equal(one.octets, octets) {
		return 1
	}
	delete(w.all, p.Sequence)
	return one.times
}
