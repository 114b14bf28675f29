// Package dbtime is the one way a moment is written to SQL: UTC microseconds
// since 1970 in a BIGINT. PostgreSQL and SQLite then compare, sort and index it
// alike, and nothing is lost between them.
package dbtime

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Time is a moment in UTC with microsecond precision. The zero Time is SQL NULL.
type Time struct{ time.Time }

// From makes a Time of t, rounded down to the microsecond.
func From(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{time.UnixMicro(t.UnixMicro()).UTC()}
}

// Value gives microseconds since 1970, or NULL for the zero Time.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMicro(), nil
}

// Micros is Value where a number is wanted: 0 for the zero Time.
func (t Time) Micros() int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Scan reads what Value wrote.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = Time{time.UnixMicro(v).UTC()}
	default:
		return fmt.Errorf("dbtime: a %T is no moment", src)
	}
	return nil
}
