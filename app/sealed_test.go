package app

import (
	"slices"
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestEverySealedColumnIsListed: a column of bytes is sealed by the data keys and rotated, or it is
// said why it is not; what is listed is there.
func TestEverySealedColumnIsListed(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewPostgres(t))
	if db.Engine() != store.PostgreSQL {
		t.Fatal("SQLite does not tell which columns are of bytes")
	}
	rows, err := db.Reader().QueryContext(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND (data_type = 'bytea' OR column_name LIKE '%\_sealed') AND table_name NOT LIKE 'river%'`)
	testworld.OK(t, err)
	defer func() { _ = rows.Close() }()
	var there []string
	for rows.Next() {
		var place string
		testworld.OK(t, rows.Scan(&place))
		there = append(there, place)
	}
	testworld.OK(t, rows.Err())
	var listed []string
	for _, c := range Sealed {
		listed = append(listed, c.Place())
	}
	for place, why := range Unsealed {
		if why == "" {
			t.Errorf("%s: why is it not sealed?", place)
		}
		listed = append(listed, place)
	}
	slices.Sort(there)
	slices.Sort(listed)
	if !slices.Equal(there, listed) {
		t.Errorf("the database has the columns of bytes\n%v, Sealed and Unsealed have\n%v", there, listed)
	}
}
