package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/store"
)

// Check finds partners whose events are not numbered from 1 without a gap up to their head:
// a reader would go past one, or read one twice. Its error has a line for each.
func Check(ctx context.Context, tx *sql.Tx) error {
	var wrong []error
	err := store.Rows(ctx, tx, "SELECT e.partner_id, COUNT(*), MIN(e.seq), MAX(e.seq), COALESCE(MAX(h.last), 0) "+
		"FROM partner_events e LEFT JOIN partner_event_heads h ON h.partner_id = e.partner_id WHERE e.seq > 0 GROUP BY e.partner_id", nil,
		func(rows *sql.Rows) error {
			var partner string
			var count, first, last, head int64
			if err := rows.Scan(&partner, &count, &first, &last, &head); err != nil {
				return err
			}
			if first != 1 || last != count || head != count {
				wrong = append(wrong, fmt.Errorf("the events of the partner %s are %d, numbered %d to %d, and its head says %d", partner, count, first, last, head))
			}
			return nil
		})
	if err != nil {
		return fmt.Errorf("check the events of partners: %w", err)
	}
	err = store.Rows(ctx, tx, "SELECT h.partner_id, h.last FROM partner_event_heads h WHERE h.last > 0 AND NOT EXISTS ("+
		"SELECT 1 FROM partner_events e WHERE e.partner_id = h.partner_id AND e.seq > 0)", nil,
		func(rows *sql.Rows) error {
			var partner string
			var last int64
			if err := rows.Scan(&partner, &last); err != nil {
				return err
			}
			wrong = append(wrong, fmt.Errorf("the events of the partner %s are gone: there were %d", partner, last))
			return nil
		})
	if err != nil {
		return fmt.Errorf("check the heads of events: %w", err)
	}
	return errors.Join(wrong...)
}
