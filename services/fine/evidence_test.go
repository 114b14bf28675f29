package fine_test

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestPhotosAreForTheOwner: strongly proved until the photo leaves, recorded, and few an hour.
func TestPhotosAreForTheOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		jpeg := "\xff\xd8\xff\xe0 a photo"
		w.city.photos = map[string][]byte{"101": []byte(jpeg), "102": []byte("<script>")}
		for name, c := range map[string]struct {
			change func(*caller.Caller)
			plate  string
			number string
			key    string
		}{
			"nobody proved":     {func(c *caller.Caller) { c.Subject = "" }, plate, "101", "problem.fine_proof"},
			"weakly proved":     {func(c *caller.Caller) { c.Level = caller.LevelWeak }, plate, "101", "problem.level_strong"},
			"no plate":          {func(*caller.Caller) {}, "???", "101", "problem.fine_plate"},
			"no number":         {func(*caller.Caller) {}, plate, "1 OR 1", "problem.fine_number"},
			"no photo":          {func(*caller.Caller) {}, plate, "103", "problem.fine_photo"},
			"no JPEG":           {func(*caller.Caller) {}, plate, "102", "problem.registry_answer"},
			"another's car":     {func(*caller.Caller) { w.city.sold = true }, plate, "101", "problem.registry_not_owner"},
			"cut off meanwhile": {func(*caller.Caller) { w.proven = false }, plate, "101", "problem.fine_proof"},
		} {
			who := w.ownerOn(aigul)
			c.change(&who)
			if photo, err := w.Photo(t.Context(), who, c.plate, c.number); problem.From(err).Key != c.key || photo != nil {
				t.Errorf("%s: %d bytes, %v", name, len(photo), err)
			}
			w.city.sold = false
		}
		w.Pass(2 * time.Hour)
		recorded := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'fine.evidence'")
		for range 20 {
			photo, err := w.Photo(t.Context(), w.ownerOn(aigul), plate, "101")
			testworld.OK(t, err)
			if string(photo) != jpeg {
				t.Fatalf("a photo of %d bytes", len(photo))
			}
		}
		if _, err := w.Photo(t.Context(), w.ownerOn(aigul), plate, "101"); problem.From(err).Key != "problem.fine_photos" {
			t.Errorf("the twenty-first: %v", err)
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'fine.evidence'") - recorded; n != 20 {
			t.Errorf("%d of 20 looks are recorded", n)
		}
	})
}
