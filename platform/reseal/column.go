package reseal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
)

// Column is one of sealed values. What it says of SQL is from the program, never from
// outside.
type Column struct {
	Table string
	Name  string
	// Key is what finds a row: columns of text.
	Key []string
	// Context is what a row's value is sealed for.
	Context func(key []string) string
}

// Place names a column: table.column.
func (c Column) Place() string { return c.Table + "." + c.Name }

// In is the Context of values that open in each row of their column.
func In(context string) func([]string) string {
	return func([]string) string { return context }
}

// Bound is the Context of values that open in their own row only: its key follows.
func Bound(prefix string) func([]string) string {
	return func(key []string) string { return prefix + strings.Join(key, " ") }
}

// value is a row's.
type value struct {
	key    []string
	sealed []byte
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// after reads the next rows behind a key, in the order of keys; no key: the first ones.
func (c Column) after(ctx context.Context, q querier, key []string, limit int) (list []value, more bool, err error) {
	names := strings.Join(c.Key, ", ")
	args := make([]any, len(c.Key), len(c.Key)+1)
	for i := range args {
		args[i] = ""
		if len(key) > i {
			args[i] = key[i]
		}
	}
	query := "SELECT " + names + ", " + c.Name + " FROM " + c.Table + " WHERE (" + names + ") > " + store.Values(1, len(c.Key)) +
		" ORDER BY " + names + " LIMIT $" + strconv.Itoa(len(c.Key)+1)
	rows, err := q.QueryContext(ctx, query, append(args, limit)...) // #nosec G202 -- of names of the program
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", c.Place(), err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	read := 0
	for rows.Next() {
		v := value{key: make([]string, len(c.Key))}
		into := []any{}
		for i := range v.key {
			into = append(into, &v.key[i])
		}
		if err := rows.Scan(append(into, &v.sealed)...); err != nil {
			return nil, false, fmt.Errorf("read %s: %w", c.Place(), err)
		}
		list = append(list, v)
		if read += len(v.sealed); read >= atOnceBytes {
			return list, true, nil
		}
	}
	return list, len(list) == limit, rows.Err()
}

// swap is the statement that puts a value in the place of another: value, key, the other.
func (c Column) swap() string {
	var query strings.Builder
	query.WriteString("UPDATE " + c.Table + " SET " + c.Name + " = $1 WHERE ")
	for i, name := range c.Key {
		query.WriteString(name + " = $" + strconv.Itoa(i+2) + " AND ")
	}
	query.WriteString(c.Name + " = $" + strconv.Itoa(len(c.Key)+2))
	return query.String()
}

// count is how many values a data key sealed.
func (c Column) count(ctx context.Context, q querier, number uint32) (n int64, err error) {
	for _, head := range seal.HeadsOf(number) {
		var some int64
		query := "SELECT COUNT(*) FROM " + c.Table + " WHERE substr(" + c.Name + ", 1, " + strconv.Itoa(len(head)) + ") = $1"
		if err := q.QueryRowContext(ctx, query, head).Scan(&some); err != nil { // #nosec G202 -- of names of the program
			return 0, fmt.Errorf("count %s: %w", c.Place(), err)
		}
		n += some
	}
	return n, nil
}

// keyText writes a row's key as seal_rewrites keeps it.
func keyText(key []string) (string, error) {
	text, err := json.Marshal(key)
	return string(text), err
}

func keyOf(text string) (key []string, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &key); err != nil {
		return nil, fmt.Errorf("read where sealing anew had come to: %w", err)
	}
	return key, nil
}
