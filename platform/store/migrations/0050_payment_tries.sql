-- +goose Up
-- Money in hand is kept alive by its own row, not by a job: try_at says when the
-- register is asked next, and is set as long as the payment is accepted. While a
-- try is under way (trying) it is the moment from which another may begin.
ALTER TABLE payments ADD COLUMN try_at BIGINT;
ALTER TABLE payments ADD COLUMN trying BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE payments ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
UPDATE payments SET try_at = accepted_at WHERE state = 'accepted';
CREATE INDEX payments_try ON payments (try_at) WHERE state = 'accepted';
CREATE INDEX payments_worked ON payments (service, worked_at) WHERE state = 'accepted';
CREATE INDEX payments_doubt ON payments (accepted_at) WHERE state = 'in_doubt';

-- When a line came to be in doubt: what the ledger posted then stays.
ALTER TABLE payment_lines ADD COLUMN doubted_at BIGINT;
