package reseal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/platform/seal"
)

// page is how many rows the check reads at once.
const page = 1000 // or fewer, of atOnceBytes

// Check opens every sealed value on one moment of the database. Its error has a line for
// each column with values whose key is gone, and for each with values that do not open:
// how many, and the first of them.
func (s *Service) Check(ctx context.Context, tx *sql.Tx) error {
	faults := []error{s.Keys.Check(ctx, tx)}
	for _, c := range s.Columns {
		faults = append(faults, s.checkColumn(ctx, tx, c))
	}
	return errors.Join(faults...)
}

// finding is how many values of a column are wrong in one way, and the first.
type finding struct {
	n     int
	first string
}

func (f *finding) add(key []string) {
	if f.n++; f.n == 1 {
		f.first = strings.Join(key, " ")
	}
}

func (s *Service) checkColumn(ctx context.Context, tx *sql.Tx, c Column) error {
	var gone, closed finding
	var key []string
	for {
		list, more, err := c.after(ctx, tx, key, page)
		if err != nil {
			return err
		}
		for _, v := range list {
			if len(v.sealed) == 0 {
				continue
			}
			_, err := s.Keys.Sealer().Open(v.sealed, c.Context(v.key))
			switch {
			case errors.Is(err, seal.ErrKeyGone):
				gone.add(v.key)
			case err != nil:
				closed.add(v.key)
			}
		}
		if !more {
			break
		}
		key = list[len(list)-1].key
	}
	var faults []error
	if gone.n > 0 {
		faults = append(faults, fmt.Errorf("%s: the data key that sealed %d values is gone, the first is of the row %s: put the row of seal_keys back from a backup", c.Place(), gone.n, gone.first))
	}
	if closed.n > 0 {
		faults = append(faults, fmt.Errorf("%s: %d sealed values were changed or moved and do not open, the first is of the row %s", c.Place(), closed.n, closed.first))
	}
	return errors.Join(faults...)
}
