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
)

// keptPay is a line of wallet.jsonl: a pay that was begun, or that ended. A pay
// begun and not ended is taken up again after a restart with the same txn_id,
// since the provider may have taken the money.
type keptPay struct {
	TxnID string `json:"txn_id"`
	Code  string `json:"code"`
	Sum   string `json:"sum"`
	// Date is the pay's txn_date, the same over retries.
	Date  string `json:"date"`
	State string `json:"state"`
}

// payFile keeps the wallet's pays; without a folder it keeps nothing.
type payFile struct {
	mu   sync.Mutex
	file *os.File
}

// openPayFile opens the file anew with only the pays that have not ended, and
// gives them.
func openPayFile(dir string) (*payFile, []keptPay, error) {
	if dir == "" {
		return &payFile{}, nil, nil
	}
	path := filepath.Join(dir, "wallet.jsonl")
	kept, err := os.ReadFile(path) // #nosec G304 -- the operator's own data folder
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read the wallet's pays: %w", err)
	}
	begun := unended(kept)
	var left bytes.Buffer
	for _, pay := range begun {
		if err := json.NewEncoder(&left).Encode(pay); err != nil {
			return nil, nil, fmt.Errorf("write the wallet's pays: %w", err)
		}
	}
	if err := os.WriteFile(path+".new", left.Bytes(), 0o600); err != nil {
		return nil, nil, fmt.Errorf("write the wallet's pays: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, nil, fmt.Errorf("replace the wallet's pays: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600) // #nosec G304 -- the operator's own data folder
	if err != nil {
		return nil, nil, fmt.Errorf("open the wallet's pays: %w", err)
	}
	return &payFile{file: file}, begun, nil
}

// unended gives the pays whose last line says that they go on.
func unended(lines []byte) (begun []keptPay) {
	last := map[string]keptPay{}
	var order []string
	for line := range bytes.Lines(lines) {
		var pay keptPay
		if json.Unmarshal(line, &pay) != nil {
			continue // cut short by a kill: its pay was not sent
		}
		if _, seen := last[pay.TxnID]; !seen {
			order = append(order, pay.TxnID)
		}
		last[pay.TxnID] = pay
	}
	for _, id := range order {
		if last[id].State == walletGoing {
			begun = append(begun, last[id])
		}
	}
	return begun
}

// keep writes a pay down.
func (f *payFile) keep(pay keptPay) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	line, err := json.Marshal(pay)
	if err != nil {
		return fmt.Errorf("write a pay down: %w", err)
	}
	if _, err := f.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write a pay down: %w", err)
	}
	return nil
}

func (f *payFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
