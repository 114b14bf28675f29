-- name: LastLookup :one
SELECT looked_at FROM fine_lookups WHERE id = $1;

-- name: NoteLookup :exec
INSERT INTO fine_lookups (id, looked_at) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET looked_at = excluded.looked_at;

-- name: ForgetLookups :exec
DELETE FROM fine_lookups WHERE looked_at < $1;

-- name: NoteProtocol :exec
INSERT INTO fine_protocols (payment_number, protocol_number) VALUES ($1, $2)
ON CONFLICT (payment_number) DO NOTHING;

-- name: ProtocolOf :one
SELECT protocol_number FROM fine_protocols WHERE payment_number = $1;
