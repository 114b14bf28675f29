package main

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the control
)

// smsTarget is ten times what the field's SMS gateway takes on two cores,
// messages per second.
const smsTarget = 3100

// measureSMS sends texts with Twilio's signature to the server, which stores
// each, answers it in its conversation and puts the answer into the outbox, on PostgreSQL
// with fsync. The time runs until the last one is answered. The outbox sends to
// the sandbox in the meantime, at its own pace. The control commits one row for
// each message, with as many connections.
func measureSMS(ctx context.Context, s settings) (row, error) {
	server, err := startServer(ctx, s)
	if err != nil {
		return row{}, err
	}
	defer server.stop()
	if _, err := runLoad(ctx, "language", server.url+"/ussd/africastalking", time.Second); err != nil {
		return row{}, err
	}
	db, err := sql.Open("pgx", s.postgres)
	if err != nil {
		return row{}, err
	}
	defer func() { _ = db.Close() }()
	var ours, theirs []float64
	for range s.rounds {
		n, err := answers(ctx, s, db, server.url+"/sms/twilio")
		if err != nil {
			return row{}, err
		}
		m, err := commits(ctx, s, db)
		if err != nil {
			return row{}, err
		}
		ours, theirs = append(ours, n), append(theirs, m)
	}
	value, control := median(ours), median(theirs)
	var sent, all int
	const counts = "SELECT COUNT(*) FILTER (WHERE state <> 'queued'), COUNT(*) FROM notify_messages"
	if err := db.QueryRowContext(ctx, counts).Scan(&sent, &all); err != nil {
		return row{}, err
	}
	return row{
		Value: value, Unit: "messages/s", Control: control, Ratio: value / control, Pass: value >= smsTarget,
		Note: fmt.Sprintf("rounds: %.0f; the control commits %.0f rows/s; of %d answers %d have left", ours, theirs, all, sent),
	}, nil
}

// answers sends texts for a while and gives how many per second were answered.
func answers(ctx context.Context, s settings, db *sql.DB, url string) (float64, error) {
	const count = "SELECT COUNT(answered_at), COUNT(*) FROM sms_inbound"
	var before, answered, stored int
	if err := db.QueryRowContext(ctx, count).Scan(&before, &stored); err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := runLoad(ctx, "sms", url, s.span); err != nil {
		return 0, err
	}
	for answered < stored || answered == 0 {
		if err := db.QueryRowContext(ctx, count).Scan(&answered, &stored); err != nil {
			return 0, err
		}
		if time.Since(start) > 2*s.span {
			return 0, fmt.Errorf("of %d texts %d are answered", stored, answered)
		}
	}
	return float64(answered-before) / time.Since(start).Seconds(), nil
}

// commits inserts rows, each in a transaction of its own.
func commits(ctx context.Context, s settings, db *sql.DB) (float64, error) {
	db.SetMaxOpenConns(callers)
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS bench_control (id BIGSERIAL PRIMARY KEY, body BYTEA)"); err != nil {
		return 0, err
	}
	var done atomic.Int64
	var fault atomic.Pointer[error]
	body := make([]byte, 120)
	start := time.Now()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for time.Since(start) < s.span && fault.Load() == nil {
				if _, err := db.ExecContext(ctx, "INSERT INTO bench_control (body) VALUES ($1)", body); err != nil {
					fault.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	if failed := fault.Load(); failed != nil {
		return 0, *failed
	}
	return float64(done.Load()) / time.Since(start).Seconds(), nil
}
