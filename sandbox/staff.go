package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// Officer is somebody invented who serves: an account, and what it signs in with.
type Officer struct {
	Name     string `json:"name"`
	Person   string `json:"person"` // personnel number
	Role     string `json:"role"`
	Office   string `json:"office,omitempty"`
	Password string `json:"password"`
	Secret   string `json:"totp_secret"`
	URI      string `json:"totp_uri"`
}

// FixedOfficers are the accounts of the sandbox, without what they sign in with. An office
// is called by the first digits of its territory's SOATE code, or by its kindergarten's.
func FixedOfficers() []Officer {
	return []Officer{
		{Name: "operator", Person: "S-1", Role: "operator"}, {Name: "inspector", Person: "S-2", Role: "inspector"},
		{Name: "administrator", Person: "S-3", Role: "administrator"}, {Name: "clerk-bishkek", Person: "S-4", Role: "clerk", Office: "centre/41711"},
		{Name: "kindergarten-k001", Person: "S-5", Role: "clerk", Office: "kindergarten/K001"},
	}
}

// Officers reads the accounts of a folder's sandbox with what they sign in with. At the
// first start equip gives them that, and fresh says so.
func Officers(folder string, equip func(*Officer) error) (list []Officer, fresh bool, err error) {
	path := filepath.Join(folder, "staff.json")
	text, err := os.ReadFile(path) // #nosec G304 -- the operator's own data folder
	if err == nil {
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, false, fmt.Errorf("%s: %w", path, err)
		}
		return list, false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, false, fmt.Errorf("read the sandbox's accounts: %w", err)
	}
	list = FixedOfficers()
	for i := range list {
		if err := equip(&list[i]); err != nil {
			return nil, false, err
		}
	}
	if text, err = json.MarshalIndent(list, "", "  "); err == nil { // #nosec G117 -- invented people's, in the folder of whoever runs the sandbox
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return nil, false, fmt.Errorf("keep the sandbox's accounts: %w", err)
	}
	return list, true, nil
}

// StaffHandler shows this machine the accounts and what they sign in with.
func StaffHandler(list func() []Officer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox/staff", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(list()) // #nosec G117 -- invented people's, shown to this machine; who went away reads nothing
	})
	return loopbackOnly(mux)
}
