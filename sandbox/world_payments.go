package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// settlement is a line of the register's payment book. A cancellation is a line
// with Cancelled.
type settlement struct {
	Payment int64 `json:"payment"`
	// Sum is in tyiyn.
	Sum       int64     `json:"sum"`
	At        time.Time `json:"at"`
	Cancelled bool      `json:"cancelled,omitempty"`
}

// payments is which fines were paid, kept in a file of a line per change so
// that a killed sandbox forgets nothing that it had answered.
type payments struct {
	mu   sync.Mutex
	last map[int64]settlement
	file *os.File // nil: in memory only
}

func openPayments(path string) (*payments, error) {
	p := &payments{last: map[int64]settlement{}}
	if path == "" {
		return p, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	written, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := bytes.LastIndexByte(written, '\n') + 1 // a line cut by a kill was never answered
	for i, line := range bytes.Split(written[:whole], []byte{'\n'}) {
		if len(line) == 0 {
			continue
		}
		var s settlement
		if err := json.Unmarshal(line, &s); err != nil {
			return nil, fmt.Errorf("%s line %d: %w", path, i+1, err)
		}
		p.last[s.Payment] = s
	}
	p.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := p.file.Truncate(int64(whole)); err != nil {
		return nil, errors.Join(err, p.file.Close())
	}
	if _, err := p.file.Seek(int64(whole), 0); err != nil {
		return nil, errors.Join(err, p.file.Close())
	}
	return p, nil
}

// change lets decide look at a fine's last settlement and, when it returns one,
// writes it down before anybody hears of it.
func (p *payments) change(payment int64, decide func(last settlement, known bool) *settlement) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.last[payment]
	next := decide(last, known)
	if next == nil {
		return nil
	}
	if p.file != nil {
		line, err := json.Marshal(next)
		if err != nil {
			return err
		}
		if _, err := p.file.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	p.last[payment] = *next
	return nil
}

func (p *payments) of(payment int64) (settlement, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.last[payment]
	return s, ok
}

func (p *payments) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}
