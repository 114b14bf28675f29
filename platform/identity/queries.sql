-- name: TouchPhone :exec
INSERT INTO identity_phones (phone_index, locale, changed_at) VALUES ($1, '', $2)
ON CONFLICT (phone_index) DO NOTHING;

-- name: LockPhone :exec
UPDATE identity_phones SET changed_at = $1 WHERE phone_index = $2;

-- name: Release :exec
UPDATE identity_phones SET locale = '', tenure = tenure + 1, generation = generation + 1, changed_at = $1, released_at = $1
WHERE phone_index = $2;

-- name: Generation :one
SELECT generation FROM identity_phones WHERE phone_index = $1;

-- name: PhoneLocale :one
SELECT locale FROM identity_phones WHERE phone_index = $1;

-- name: NextGeneration :exec
UPDATE identity_phones SET generation = generation + 1, changed_at = $1 WHERE phone_index = $2;

-- name: ReleasedSince :one
SELECT COUNT(*) FROM identity_phones WHERE phone_index = $1 AND released_at >= sqlc.arg(released_at);

-- name: SpeakFirst :exec
UPDATE identity_phones SET locale = $1, changed_at = $2 WHERE phone_index = $3 AND locale = '';

-- name: SetLocale :exec
INSERT INTO identity_phones (phone_index, locale, changed_at, talk) VALUES ($1, $2, $3, $4)
ON CONFLICT (phone_index) DO UPDATE SET locale = excluded.locale, changed_at = excluded.changed_at, talk = excluded.talk;

-- name: NoteSession :exec
UPDATE identity_phones SET talk = $1 WHERE phone_index = $2;

-- name: CodesSince :many
SELECT id, sent_at, expires_at, shared, tries, unbound_tries, void_at, used_at FROM identity_codes
WHERE phone_index = $1 AND door = $2 AND sent_at > $3 ORDER BY sent_at, id;

-- name: CodeOfTurn :one
SELECT COUNT(*) FROM identity_codes WHERE turn = $1;

-- name: VoidCodes :exec
UPDATE identity_codes SET void_at = $1 WHERE phone_index = $2 AND door = $3 AND void_at IS NULL AND used_at IS NULL;

-- name: InsertCode :exec
INSERT INTO identity_codes (id, phone_index, door, turn, code_mac, tries, sent_at, expires_at, address_index, block_index, shared)
VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10);

-- name: CodesFrom :one
SELECT COUNT(*) AS sent, COUNT(used_at) AS used FROM identity_codes WHERE address_index = $1 AND sent_at > $2;

-- name: CodesInto :one
SELECT COUNT(*) AS sent, COUNT(used_at) AS used FROM identity_codes WHERE block_index = $1 AND sent_at > $2;

-- name: CodesAt :one
SELECT COUNT(*) AS sent, COUNT(used_at) AS used FROM identity_codes WHERE door = $1 AND sent_at > $2;

-- name: UnusedFrom :one
-- The n-th newest: when it leaves the span, fewer than n are left in it.
SELECT sent_at FROM identity_codes WHERE address_index = $1 AND used_at IS NULL ORDER BY sent_at DESC LIMIT 1 OFFSET $2;

-- name: UnusedInto :one
SELECT sent_at FROM identity_codes WHERE block_index = $1 AND used_at IS NULL ORDER BY sent_at DESC LIMIT 1 OFFSET $2;

-- name: UnusedAt :one
SELECT sent_at FROM identity_codes WHERE door = $1 AND used_at IS NULL ORDER BY sent_at DESC LIMIT 1 OFFSET $2;

-- name: LiveCode :one
SELECT id FROM identity_codes
WHERE phone_index = $1 AND door = $2 AND void_at IS NULL AND used_at IS NULL AND tries < $3 AND expires_at > $4
ORDER BY sent_at DESC, id DESC LIMIT 1;

-- name: TryCode :one
UPDATE identity_codes SET tries = tries + 1
WHERE id = $1 AND void_at IS NULL AND used_at IS NULL AND tries < $2 AND expires_at > $3
RETURNING code_mac, tries;

-- name: TryUnbound :one
UPDATE identity_codes SET unbound_tries = unbound_tries + 1
WHERE id = $1 AND void_at IS NULL AND used_at IS NULL AND unbound_tries < $2 AND expires_at > $3
RETURNING code_mac, unbound_tries;

-- name: UseCode :execrows
UPDATE identity_codes SET used_at = $1 WHERE id = $2 AND used_at IS NULL;

-- name: UsedSince :one
SELECT COUNT(*) FROM identity_codes WHERE phone_index = $1 AND used_at > $2 AND void_at IS NULL;

-- name: SignInBegan :one
-- What has tokens of it typed the phone's code when it began.
SELECT COUNT(*) FROM identity_sign_ins WHERE id = $1 AND phone_index = $2 AND begun_at > $3 AND ended_at IS NULL;

-- name: LapseCodes :exec
UPDATE identity_codes SET void_at = $1 WHERE phone_index = $2 AND void_at IS NULL;

-- name: LapseProofs :exec
UPDATE identity_proofs SET expires_at = $1 WHERE phone_index = $2 AND expires_at > $1;

-- name: OpenAttempt :exec
INSERT INTO identity_attempts (id, phone_index, pin_index, pin_sealed, state, opened_at, expires_at)
VALUES ($1, $2, $3, $4, 'open', $5, $6);

-- name: WipeAttempts :exec
UPDATE identity_attempts SET pin_sealed = $1, state = 'lapsed'
WHERE state IN ('open', 'asking') AND expires_at <= $2;

-- name: AskAttempt :one
UPDATE identity_attempts SET state = 'asking', asked_at = $1
WHERE id = $2 AND phone_index = $3 AND state = 'open' AND expires_at > $1
RETURNING *;

-- name: GuessesByPhone :many
-- A number's next holder begins anew: what the earlier one guessed is not theirs.
SELECT a.asked_at FROM identity_attempts a
WHERE a.phone_index = $1 AND a.asked_at > $2 AND a.known = FALSE AND a.state IN ('asking', 'refused', 'lapsed')
    AND NOT EXISTS (SELECT 1 FROM identity_phones p WHERE p.phone_index = a.phone_index AND p.released_at >= a.asked_at)
ORDER BY a.asked_at;

-- name: GuessesByPIN :many
SELECT asked_at FROM identity_attempts
WHERE pin_index = $1 AND asked_at > $2 AND known = FALSE AND state IN ('asking', 'refused', 'lapsed') ORDER BY asked_at;

-- name: GuessesByPair :many
SELECT asked_at, state FROM identity_attempts
WHERE phone_index = $1 AND pin_index = $2 AND asked_at > $3 AND known = TRUE AND state <> 'proved' AND state <> 'open'
ORDER BY asked_at;

-- name: MarkKnown :exec
UPDATE identity_attempts SET known = TRUE WHERE id = $1;

-- name: WipeAttemptsOf :exec
UPDATE identity_attempts SET pin_sealed = $1, state = 'lapsed'
WHERE phone_index = $2 AND state IN ('open', 'asking');

-- name: EndAttempt :execrows
UPDATE identity_attempts SET state = $1, pin_sealed = $2 WHERE id = $3 AND state = 'asking';

-- name: ReopenAttempt :execrows
UPDATE identity_attempts SET state = 'open', asked_at = NULL WHERE id = $1 AND state = 'asking';

-- name: InsertCitizen :execrows
INSERT INTO identity_citizens (id, pin_index, pin_sealed, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (pin_index) DO NOTHING;

-- name: LockCitizen :exec
UPDATE identity_citizens SET created_at = created_at WHERE id = $1;

-- name: CitizenByPIN :one
SELECT * FROM identity_citizens WHERE pin_index = $1;

-- name: Citizen :one
SELECT * FROM identity_citizens WHERE id = $1;

-- name: InsertProof :exec
INSERT INTO identity_proofs (id, phone_index, citizen_id, proved_at, expires_at, called_sealed, level, session, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $4);

-- name: GoodProofs :many
-- Those that are good in a session, its own first, which texts have no end of: of them one too
-- is good for a span. Another call's or text's are after a use so late that the span of silence is
-- not over, which is another where the person has a secret on the phone; an app's proofs are its
-- own, and it has no other's. None is while a dispute holds the phone off, whatever a row says.
SELECT p.id, p.citizen_id, p.called_sealed, p.level, p.used_at, p.proved_at, p.expires_at FROM identity_proofs p
    LEFT JOIN identity_secrets s ON s.citizen_id = p.citizen_id AND s.phone_index = p.phone_index
WHERE p.phone_index = sqlc.arg(phone_index) AND p.expires_at > sqlc.arg(now) AND (p.session = sqlc.arg(session) AND p.used_at > sqlc.arg(own_silent_at)
    OR CAST(sqlc.arg(shared) AS BOOLEAN) AND NOT EXISTS (SELECT 1 FROM identity_sign_ins i WHERE i.id = p.session)
    AND (s.citizen_id IS NULL AND p.used_at > sqlc.arg(silent_at) OR s.citizen_id IS NOT NULL AND p.used_at > sqlc.arg(secret_silent_at)))
    AND NOT EXISTS (SELECT 1 FROM identity_bindings b
        WHERE b.citizen_id = p.citizen_id AND b.phone_index = p.phone_index AND b.blocked_until_at > sqlc.arg(now))
ORDER BY CASE WHEN p.session = sqlc.arg(session) THEN 0 ELSE 1 END, p.proved_at DESC, p.id DESC;

-- name: LastCalled :one
SELECT id, called_sealed FROM identity_proofs WHERE citizen_id = $1 ORDER BY proved_at DESC, id DESC LIMIT 1;

-- name: UseProof :execrows
UPDATE identity_proofs SET used_at = sqlc.arg(now) WHERE id = sqlc.arg(id) AND used_at <= sqlc.arg(noted_at) AND expires_at > sqlc.arg(now);

-- name: RaiseProof :execrows
UPDATE identity_proofs SET level = $1 WHERE id = $2 AND phone_index = $3 AND expires_at > $4 AND level < $1;

-- name: LiveProof :one
-- In whichever session.
SELECT COUNT(*) FROM identity_proofs WHERE phone_index = $1 AND citizen_id = $2 AND expires_at > $3;

-- name: StrongProofs :one
-- Since the phone is bound: what was proved by whoever had the number before is not counted.
SELECT COUNT(*) FROM identity_proofs
WHERE citizen_id = sqlc.arg(citizen_id) AND phone_index = sqlc.arg(phone_index) AND level >= sqlc.arg(level)
    AND proved_at >= sqlc.arg(bound_at) AND expires_at > sqlc.arg(ended_at);

-- name: LapseProofsOf :exec
UPDATE identity_proofs SET expires_at = $1 WHERE phone_index = $2 AND citizen_id = $3 AND expires_at > $1;

-- name: BindingsByPIN :many
SELECT b.* FROM identity_bindings b JOIN identity_citizens c ON c.id = b.citizen_id
WHERE c.pin_index = $1 ORDER BY b.bound_at, b.phone_index;

-- name: BindingsOfPhone :many
SELECT * FROM identity_bindings WHERE phone_index = $1 ORDER BY citizen_id;

-- name: Disputed :many
SELECT * FROM identity_bindings WHERE blocked_until_at > sqlc.arg(now) ORDER BY blocked_until_at, citizen_id, bound_at;

-- name: Binding :one
SELECT * FROM identity_bindings WHERE citizen_id = $1 AND phone_index = $2;

-- name: Bindings :many
SELECT * FROM identity_bindings WHERE citizen_id = $1 ORDER BY bound_at, phone_index;

-- name: Bind :exec
-- A phone that is bound keeps its place before those that came later; one that
-- was blocked begins anew.
INSERT INTO identity_bindings (citizen_id, phone_index, phone_sealed, locale, document_mac, bound_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (citizen_id, phone_index) DO UPDATE SET phone_sealed = excluded.phone_sealed, locale = excluded.locale,
    document_mac = excluded.document_mac, blocked_until_at = NULL,
    bound_at = CASE WHEN identity_bindings.blocked_until_at IS NULL THEN identity_bindings.bound_at ELSE excluded.bound_at END;

-- name: Dispute :exec
UPDATE identity_bindings SET blocked_until_at = $1 WHERE citizen_id = $2 AND cleared_at IS NULL;

-- name: Clear :exec
UPDATE identity_bindings SET cleared_at = $1, blocked_until_at = NULL WHERE citizen_id = $2 AND phone_index = $3;

-- name: Doubt :exec
UPDATE identity_bindings SET cleared_at = NULL WHERE citizen_id = $1 AND phone_index = $2;

-- name: Unbind :exec
DELETE FROM identity_bindings WHERE phone_index = $1;

-- name: AddNotice :exec
INSERT INTO identity_notices (id, number, told_index, citizen_id, phone_index, made_at, expires_at, mac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: NoticesTo :many
SELECT * FROM identity_notices WHERE told_index = $1 AND made_at > $2 ORDER BY made_at DESC;

-- name: EndNotices :exec
-- Those about a phone that an operator cleared stay open: it is not cut off.
UPDATE identity_notices SET undone_at = $1 WHERE identity_notices.citizen_id = $2 AND undone_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM identity_bindings b
    WHERE b.citizen_id = identity_notices.citizen_id AND b.phone_index = identity_notices.phone_index AND b.cleared_at IS NOT NULL);

-- name: OpenNotices :one
SELECT COUNT(*) FROM identity_notices
WHERE told_index = $1 AND phone_index = $2 AND citizen_id = $3 AND undone_at IS NULL AND expires_at > $4;

-- name: ForgetNoticesOf :exec
DELETE FROM identity_notices WHERE citizen_id = $1 AND phone_index = $2;

-- name: ForgetNotices :exec
DELETE FROM identity_notices WHERE told_index = $1 OR phone_index = $1;

-- name: InsertKey :execrows
INSERT INTO identity_keys (slot, kid, private_sealed, created_at, signs_from_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (slot) DO NOTHING;

-- name: LockKeys :exec
UPDATE identity_keys SET slot = slot WHERE slot > 0;

-- name: RevokeKey :exec
UPDATE identity_keys SET revoked_at = $1, private_sealed = $2 WHERE kid = $3;

-- name: DeleteKey :exec
DELETE FROM identity_keys WHERE kid = $1;

-- name: KeyStands :one
SELECT COUNT(*) FROM identity_keys WHERE kid = $1 AND revoked_at IS NULL;

-- name: Keys :many
SELECT * FROM identity_keys ORDER BY slot;

-- name: LiveProofs :many
SELECT phone_index, expires_at FROM identity_proofs WHERE citizen_id = $1 AND expires_at > $2 ORDER BY expires_at;

-- name: LiveCodes :many
SELECT id, shared, expires_at FROM identity_codes
WHERE phone_index = $1 AND door = $2 AND void_at IS NULL AND used_at IS NULL AND expires_at > $3 ORDER BY sent_at DESC, id DESC;

-- name: BeginSignIn :exec
INSERT INTO identity_sign_ins (id, phone_index, phone_sealed, label_sealed, generation, begun_at, used_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7);

-- name: ReplaceSignIns :many
-- The n that were used last stay.
UPDATE identity_sign_ins SET ended_at = $1, ended_by = 'replaced' WHERE id IN (
    SELECT s.id FROM identity_sign_ins s WHERE s.phone_index = $2 AND s.ended_at IS NULL
    ORDER BY s.used_at DESC, s.id DESC LIMIT 1000 OFFSET sqlc.arg(n)) RETURNING *;

-- name: LockSignIn :one
UPDATE identity_sign_ins SET used_at = used_at WHERE id = $1 RETURNING *;

-- name: KeepSignIn :exec
UPDATE identity_sign_ins SET used_at = $1, expires_at = $2 WHERE id = $3;

-- name: SignInStands :one
-- The key is asked for too: one that was revoked is refused by all instances at once.
SELECT s.generation FROM identity_sign_ins s JOIN identity_phones p ON p.phone_index = s.phone_index AND p.generation = s.generation
    JOIN identity_keys k ON k.kid = sqlc.arg(kid) AND k.revoked_at IS NULL
WHERE s.id = sqlc.arg(id) AND s.phone_index = sqlc.arg(phone_index) AND s.ended_at IS NULL;

-- name: SignIns :many
SELECT s.* FROM identity_sign_ins s JOIN identity_phones p ON p.phone_index = s.phone_index AND p.generation = s.generation
WHERE s.phone_index = $1 AND s.ended_at IS NULL AND s.expires_at > $2 ORDER BY s.used_at DESC, s.id DESC;

-- name: EndSignIn :one
UPDATE identity_sign_ins SET ended_at = $1, ended_by = $2 WHERE id = $3 AND phone_index = $4 AND ended_at IS NULL RETURNING *;

-- name: CutSignIns :exec
UPDATE identity_sign_ins SET ended_at = $1, ended_by = 'cut' WHERE phone_index = $2 AND ended_at IS NULL;

-- name: ForgetSignIns :execrows
DELETE FROM identity_sign_ins WHERE id IN (
    SELECT s.id FROM identity_sign_ins s WHERE s.expires_at <= $1 OR s.ended_at <= $1 LIMIT 1000);

-- name: AddRefreshToken :exec
INSERT INTO identity_refresh_tokens (token_mac, sign_in_id, made_by) VALUES ($1, $2, $3);

-- name: RefreshToken :one
SELECT * FROM identity_refresh_tokens WHERE token_mac = $1;

-- name: UseRefreshToken :exec
UPDATE identity_refresh_tokens SET used_at = $1, used_by = $2 WHERE token_mac = $3;

-- name: EraseProofs :exec
DELETE FROM identity_proofs WHERE citizen_id = $1;

-- name: EraseBindings :exec
DELETE FROM identity_bindings WHERE citizen_id = $1;

-- name: EraseNotices :exec
DELETE FROM identity_notices WHERE citizen_id = $1;

-- name: EraseAttempts :exec
UPDATE identity_attempts SET pin_sealed = $1 WHERE pin_index = $2;

-- name: EraseCitizen :exec
DELETE FROM identity_citizens WHERE id = $1;

-- name: ForgetCodes :execrows
DELETE FROM identity_codes WHERE id IN (SELECT o.id FROM identity_codes o WHERE o.expires_at < $1 LIMIT 1000);

-- name: ForgetAttempts :execrows
DELETE FROM identity_attempts WHERE id IN (SELECT o.id FROM identity_attempts o WHERE o.expires_at < $1 LIMIT 1000);

-- name: ForgetProofs :execrows
DELETE FROM identity_proofs WHERE id IN (SELECT o.id FROM identity_proofs o WHERE o.expires_at < $1 LIMIT 1000);

-- name: ForgetNoticesOver :execrows
DELETE FROM identity_notices WHERE id IN (SELECT o.id FROM identity_notices o WHERE o.expires_at < $1 LIMIT 1000);

-- name: AddEnrolment :exec
INSERT INTO identity_enrolments (id, citizen_id, phone_index, document_mac, called_sealed, code_mac, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: VoidEnrolments :exec
UPDATE identity_enrolments SET void_at = $1 WHERE citizen_id = $2 AND phone_index = $3 AND used_at IS NULL AND void_at IS NULL;

-- name: VoidEnrolmentsOfPhone :exec
UPDATE identity_enrolments SET void_at = $1 WHERE phone_index = $2 AND used_at IS NULL AND void_at IS NULL;

-- name: OpenEnrolments :one
SELECT COUNT(*) FROM identity_enrolments
WHERE phone_index = $1 AND used_at IS NULL AND void_at IS NULL AND tries < $2 AND expires_at > $3;

-- name: TryEnrolments :many
UPDATE identity_enrolments SET tries = tries + 1
WHERE phone_index = $1 AND used_at IS NULL AND void_at IS NULL AND tries < $2 AND expires_at > $3 RETURNING *;

-- name: UseEnrolment :execrows
UPDATE identity_enrolments SET used_at = $1 WHERE id = $2 AND used_at IS NULL AND void_at IS NULL;

-- name: EraseEnrolments :exec
DELETE FROM identity_enrolments WHERE citizen_id = $1;

-- name: ForgetEnrolments :execrows
DELETE FROM identity_enrolments WHERE id IN (SELECT o.id FROM identity_enrolments o WHERE o.expires_at < $1 LIMIT 1000);

-- name: SetSecret :exec
INSERT INTO identity_secrets (citizen_id, phone_index, hash, called_sealed, set_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (citizen_id, phone_index) DO UPDATE SET hash = excluded.hash, called_sealed = excluded.called_sealed, set_at = excluded.set_at,
    tries = 0, locked_until_at = NULL;

-- name: CountSecrets :one
SELECT COUNT(*) FROM identity_secrets WHERE phone_index = sqlc.arg(phone_index) AND (citizen_id = sqlc.arg(citizen_id) OR sqlc.arg(citizen_id) = '');

-- name: SecretSetAt :one
SELECT set_at FROM identity_secrets WHERE citizen_id = $1 AND phone_index = $2;

-- name: TrySecrets :many
-- One whose lock is over begins anew. NULLIF is NULL, as a number: an untyped one is text.
UPDATE identity_secrets SET
    tries = CASE WHEN locked_until_at IS NULL THEN tries + 1 ELSE 1 END,
    locked_until_at = CASE WHEN locked_until_at IS NULL AND tries + 1 >= sqlc.arg(most) THEN sqlc.arg(until_at) ELSE NULLIF(tries, tries) END
WHERE phone_index = sqlc.arg(phone_index) AND (citizen_id = sqlc.arg(citizen_id) OR sqlc.arg(citizen_id) = '') AND citizen_id <> sqlc.arg(but)
    AND (locked_until_at IS NULL OR locked_until_at <= sqlc.arg(now)) RETURNING *;

-- name: SecretsLockedUntil :one
SELECT locked_until_at FROM identity_secrets
WHERE phone_index = sqlc.arg(phone_index) AND (citizen_id = sqlc.arg(citizen_id) OR sqlc.arg(citizen_id) = '') AND citizen_id <> sqlc.arg(but)
    AND locked_until_at IS NOT NULL ORDER BY locked_until_at LIMIT 1;

-- name: ForgiveSecret :execrows
UPDATE identity_secrets SET tries = 0, locked_until_at = NULL WHERE citizen_id = $1 AND phone_index = $2 AND hash = $3;

-- name: UncountSecret :exec
UPDATE identity_secrets SET tries = tries - 1, locked_until_at = NULL WHERE citizen_id = $1 AND phone_index = $2 AND tries > 0;

-- name: DropSecret :exec
DELETE FROM identity_secrets WHERE citizen_id = $1 AND phone_index = $2;

-- name: DropSecretsOfPhone :exec
DELETE FROM identity_secrets WHERE phone_index = $1;

-- name: EraseSecrets :exec
DELETE FROM identity_secrets WHERE citizen_id = $1;

-- name: BeginNational :exec
INSERT INTO identity_national_sign_ins (id, phone_index, phone_sealed, generation, begun_in, citizen_id, channel, locale, state_mac,
    secret_sealed, pause, state, begun_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open', $12, $13);

-- name: National :one
SELECT * FROM identity_national_sign_ins WHERE id = $1;

-- name: NationalByState :one
SELECT * FROM identity_national_sign_ins WHERE state_mac = $1;

-- name: ClaimNational :one
-- One that a killed process left asking is taken up again after a while.
UPDATE identity_national_sign_ins SET state = 'asking', asked_at = sqlc.arg(now)
WHERE id = $1 AND expires_at > sqlc.arg(now) AND (state = 'open' OR state = 'asking' AND asked_at <= sqlc.arg(left_at)) RETURNING *;

-- name: ReopenNational :execrows
UPDATE identity_national_sign_ins SET state = 'open', pause = $1 WHERE id = $2 AND state = 'asking';

-- name: ProveNational :execrows
UPDATE identity_national_sign_ins SET state = 'done', citizen_id = $1, enrolled = $2, token_mac = $3, phone_sealed = sqlc.arg(wiped), secret_sealed = sqlc.arg(wiped)
WHERE id = $4 AND state = 'asking';

-- name: EndNational :execrows
UPDATE identity_national_sign_ins SET state = $1, why = $2, phone_sealed = sqlc.arg(wiped), secret_sealed = sqlc.arg(wiped)
WHERE id = $3 AND state IN ('open', 'asking');

-- name: CutNational :exec
UPDATE identity_national_sign_ins SET state = 'cut', phone_sealed = sqlc.arg(wiped), secret_sealed = sqlc.arg(wiped)
WHERE phone_index = $1 AND state IN ('open', 'asking');

-- name: ExpireNational :exec
UPDATE identity_national_sign_ins SET state = 'expired', phone_sealed = sqlc.arg(wiped), secret_sealed = sqlc.arg(wiped)
WHERE state IN ('open', 'asking') AND expires_at <= $1;

-- name: EraseNational :exec
DELETE FROM identity_national_sign_ins WHERE citizen_id = $1;

-- name: ForgetNational :execrows
DELETE FROM identity_national_sign_ins WHERE id IN (SELECT o.id FROM identity_national_sign_ins o WHERE o.expires_at < $1 LIMIT 1000);
