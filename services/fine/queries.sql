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

-- name: InsertAppeal :execrows
INSERT INTO fine_appeals (id, number, citizen_id, bill, open_bill, plate_sealed, ground, text_sealed, state, answer_sealed, received_at, discount_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING;

-- name: OpenAppeal :one
SELECT * FROM fine_appeals WHERE open_bill = $1;

-- name: AppealByNumber :one
SELECT * FROM fine_appeals WHERE number = $1;

-- name: GetAppeal :one
SELECT * FROM fine_appeals WHERE id = $1;

-- name: HoldAppeal :one
UPDATE fine_appeals SET state = state WHERE id = $1 RETURNING *;

-- name: AppealsOfCitizen :many
SELECT * FROM fine_appeals WHERE citizen_id = $1 ORDER BY received_at DESC, id DESC LIMIT $2;

-- name: OpenAppeals :many
SELECT * FROM fine_appeals WHERE open_bill IS NOT NULL ORDER BY received_at, id LIMIT $1;

-- name: TakeAppeal :exec
UPDATE fine_appeals SET state = $2, taken_by = $3, taken_at = $4 WHERE id = $1;

-- name: EndAppeal :exec
UPDATE fine_appeals SET state = $2, answer_sealed = $3, ended_at = $4, open_bill = NULL WHERE id = $1;

-- name: AppealsEnded :many
SELECT * FROM fine_appeals WHERE ended_at < $1 ORDER BY ended_at LIMIT $2;

-- name: AppealsDecided :many
SELECT * FROM fine_appeals WHERE ended_at >= $1 AND state IN ('accepted', 'rejected') ORDER BY ended_at, id LIMIT $2;

-- name: DeleteAppeal :exec
DELETE FROM fine_appeals WHERE id = $1;

-- name: AddPhotoLink :execrows
INSERT INTO fine_photo_links (id, citizen_id, token_index, turn, bill, plate_index, plate_sealed, phone_index, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (turn) DO NOTHING;

-- name: PhotoLinkByToken :one
SELECT * FROM fine_photo_links WHERE token_index = $1;

-- name: PhotoLinksOfTurn :one
SELECT COUNT(*) FROM fine_photo_links WHERE turn = $1;

-- name: GetPhotoLink :one
SELECT * FROM fine_photo_links WHERE id = $1;

-- name: SpendPhotoLink :execrows
UPDATE fine_photo_links SET spent_at = sqlc.arg(now) WHERE id = sqlc.arg(id) AND spent_at IS NULL AND void_at IS NULL AND expires_at > sqlc.arg(now);

-- name: VoidPhotoLinksOfPhone :many
UPDATE fine_photo_links SET void_at = sqlc.arg(now) WHERE phone_index = sqlc.arg(phone_index) AND spent_at IS NULL AND void_at IS NULL AND expires_at > sqlc.arg(now) RETURNING *;

-- name: VoidPhotoLinksOfPerson :many
UPDATE fine_photo_links SET void_at = sqlc.arg(now)
WHERE citizen_id = sqlc.arg(citizen_id) AND phone_index = sqlc.arg(phone_index) AND spent_at IS NULL AND void_at IS NULL AND expires_at > sqlc.arg(now) RETURNING *;

-- name: VoidPhotoLinksOfCar :many
UPDATE fine_photo_links SET void_at = sqlc.arg(now)
WHERE citizen_id = sqlc.arg(citizen_id) AND plate_index = sqlc.arg(plate_index) AND spent_at IS NULL AND void_at IS NULL AND expires_at > sqlc.arg(now) RETURNING *;

-- name: ErasePhotoLinks :exec
DELETE FROM fine_photo_links WHERE citizen_id = $1;

-- name: ForgetPhotoLinks :exec
DELETE FROM fine_photo_links WHERE expires_at < $1;

-- name: AppealFiles :many
SELECT * FROM fine_appeal_files WHERE appeal_id = $1 ORDER BY added_at, id;

-- name: AppealFile :one
SELECT * FROM fine_appeal_files WHERE id = $1 AND appeal_id = $2;

-- name: AppealFileContent :one
SELECT content_sealed FROM fine_appeal_file_contents WHERE file_id = $1;

-- name: AddAppealFile :exec
INSERT INTO fine_appeal_files (id, appeal_id, kind, size, same_index, added_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: AddAppealFileContent :exec
INSERT INTO fine_appeal_file_contents (file_id, content_sealed) VALUES ($1, $2);

-- name: DeleteAppealFileContent :exec
DELETE FROM fine_appeal_file_contents WHERE file_id = $1;

-- name: DeleteAppealFile :exec
DELETE FROM fine_appeal_files WHERE id = $1;
