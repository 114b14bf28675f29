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

-- name: InsertCar :execrows
INSERT INTO fine_cars (id, citizen_id, plate_index, plate_sealed, phone_index, phone_sealed, locale, linked_at, watch_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (citizen_id, plate_index) DO NOTHING;

-- name: CarByPlate :one
SELECT * FROM fine_cars WHERE citizen_id = $1 AND plate_index = $2;

-- name: CarsOfCitizen :many
SELECT * FROM fine_cars WHERE citizen_id = $1 AND ended_at IS NULL ORDER BY id;

-- name: CarsOfPhone :many
SELECT * FROM fine_cars WHERE phone_index = $1 ORDER BY id;

-- name: GetCar :one
SELECT * FROM fine_cars WHERE id = $1;

-- name: HoldCar :one
UPDATE fine_cars SET watch_at = watch_at WHERE id = $1 AND ended_at IS NULL RETURNING *;

-- name: SetCarPhone :exec
UPDATE fine_cars SET phone_index = $2, phone_sealed = $3, locale = $4 WHERE id = $1;

-- name: ReviveCar :exec
UPDATE fine_cars SET ended_at = NULL, linked_at = $2, watch_at = $3 WHERE id = $1 AND ended_at IS NOT NULL;

-- name: EndCar :execrows
UPDATE fine_cars SET ended_at = $2, watch_at = $3, phone_index = '', phone_sealed = $4 WHERE id = $1 AND ended_at IS NULL;

-- name: ClaimCars :many
UPDATE fine_cars SET watch_at = sqlc.arg(lease_at)
WHERE fine_cars.watch_at <= sqlc.arg(due_at)
  AND fine_cars.id IN (SELECT c.id FROM fine_cars c WHERE c.watch_at <= sqlc.arg(due_at) ORDER BY c.watch_at LIMIT sqlc.arg(most))
RETURNING id;

-- name: NextWatch :exec
UPDATE fine_cars SET watch_at = $2 WHERE id = $1;

-- name: Followed :exec
UPDATE fine_cars SET followed_at = $2 WHERE id = $1;

-- name: HoldEnded :execrows
UPDATE fine_cars SET watch_at = watch_at WHERE id = $1 AND ended_at IS NOT NULL;

-- name: Unfollowed :exec
UPDATE fine_cars SET followed_at = NULL WHERE id = $1;

-- name: Tell :execrows
INSERT INTO fine_told (car_id, number, kind, payment_id, told_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (car_id, number, kind) DO NOTHING;

-- name: ToldOf :many
SELECT * FROM fine_told WHERE car_id = $1;

-- name: ForgetTold :exec
DELETE FROM fine_told WHERE car_id = $1;

-- name: DeleteCar :exec
DELETE FROM fine_cars WHERE id = $1;

-- name: AllCarsOfCitizen :many
SELECT * FROM fine_cars WHERE citizen_id = $1;
