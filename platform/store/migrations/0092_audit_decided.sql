-- +goose Up
-- What a record's step decided (a sum, a bill, a place in a queue), as a keyed digest
-- for each group of fields: "1 bills=<hex> payer=<hex>". Without the key a row and its
-- record cannot be changed alike. '' for steps that decide nothing that is kept, and
-- for records from before there were digests.
ALTER TABLE audit_records ADD COLUMN decided TEXT NOT NULL DEFAULT '';
