package registry

import (
	"encoding/json"
	"testing"
)

// TestThatSomebodyHasNoneIsSaid: none is null, or a list that is empty; an answer of another shape, which
// lacks the part or its list, says nothing.
func TestThatSomebodyHasNoneIsSaid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"part": null}`: true, `{"part": {"list": null}}`: true, `{"part": {"list": []}}`: true, `{"part": {"list": {"x": 1}}}`: true,
		`{}`: false, `{"part": {}}`: false, `{"parts": null}`: false, `{"part": {"lists": []}}`: false,
	} {
		var out struct {
			Part part[struct {
				List several[struct{ X int }] `json:"list"`
			}] `json:"part"`
		}
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatal(err)
		}
		if got := out.Part.says(out.Part.Of.List != nil); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}
