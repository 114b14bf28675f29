-- +goose Up
-- What a partner paid on a day, in the order in which it came in.
CREATE INDEX payment_txns_day ON payment_txns (partner_id, received_at, txn_id) WHERE decision = 'approved';
