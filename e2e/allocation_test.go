package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/testworld"
)

// proposes is the line by which an allocation is proposed, as the one before it ends with it.
var proposes = regexp.MustCompile(`(?m)^To propose it: eshik staff (allocate --allocation (\d+) --seats (\d+) --waiting (\d+))$`)

// Two persons allocate the free places of the sandbox, as the operators' guide walks through it:
// what was looked at is done, once, and fsck computes it anew.
func TestAllocation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		out := d.staff("allocation")
		found := proposes.FindStringSubmatch(out)
		if found == nil || found[2] != "1" {
			t.Fatalf("looked at: %s", out)
		}
		t.Logf("looked at: %s", out)
		if out, err := d.as("clerk-bishkek", "", "staff", "allocation"); err == nil {
			t.Errorf("a clerk looks: %s", out)
		}
		propose := append([]string{"staff"}, strings.Fields(found[1])...)
		if out, err := d.as("operator", "", "staff", "allocate", "--allocation", "1", "--seats", "1", "--waiting", found[4]); err == nil || !strings.Contains(out, "More seats are free than may be offered") {
			t.Errorf("of fewer seats than are free: %v\n%s", err, out)
		}
		// Somebody withdraws meanwhile: it is computed anew, and what differs is told.
		seats := strings.Fields(strings.SplitN(out, "offered ", 2)[1])
		number := regexp.MustCompile(`^\d{11}$`)
		for _, word := range seats {
			if number.MatchString(word) {
				d.both("operator", "", "staff", "withdraw", "--registration", word)
				break
			}
		}
		out = d.both("operator", "", propose...)
		t.Logf("decided: %s", out)
		if !strings.Contains(out, "Decided: the allocation 1 offers ") || !strings.Contains(out, "its check: no fault") ||
			!strings.Contains(out, fmt.Sprintf("proposed with at most %s seats free and %s children who ask for them, it found", found[3], found[4])) {
			t.Errorf("decided: %s", out)
		}
		testworld.Eventually(t, "all offers", func() bool { // the server makes those after the first hundred
			out = d.staff("allocation")
			return strings.HasPrefix(out, "The allocation 1: offered ") && strings.Contains(out, "to offer still 0") && strings.Contains(out, "The allocation 2, if it were now")
		})
		t.Logf("afterwards: %s", out)
		if out, err := d.as("operator", "", propose...); err == nil || !strings.Contains(out, "is not the next one") {
			t.Errorf("proposed twice: %v\n%s", err, out)
		}
		d.replays()
		d.fsck()
	})
}

// replays: anybody fetches the allocation's file and computes it anew.
func (d *door) replays() {
	d.t.Helper()
	var list []struct {
		Allocation int64
		SHA256     string `json:"sha256"`
	}
	if d.json(http.MethodGet, "/v1/preschool/allocations", "", nil, &list); len(list) != 1 || list[0].Allocation != 1 {
		d.t.Fatalf("the public allocations: %+v", list)
	}
	if status := d.json(http.MethodGet, "/v1/preschool/allocations/2/replay", "", nil, nil); status != http.StatusNotFound {
		d.t.Errorf("the file of an allocation that is to come: %d", status)
	}
	var text []byte
	d.json(http.MethodGet, "/v1/preschool/allocations/1/replay", "", nil, &text)
	file := filepath.Join(d.t.TempDir(), "allocation.jsonl")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		d.t.Fatal(err)
	}
	out, err := d.run("preschool", "replay", file, "--sha256", list[0].SHA256)
	d.t.Logf("computed anew: %s", out)
	if err != nil || strings.Contains(out, "OTHER") || strings.Count(out, "SAME") != 5 {
		d.t.Errorf("computed anew: %v\n%s", err, out)
	}
}
