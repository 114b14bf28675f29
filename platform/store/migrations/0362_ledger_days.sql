-- +goose Up
-- A day's entries are listed in its statements.
CREATE INDEX ledger_entries_day ON ledger_entries (happened_at);
