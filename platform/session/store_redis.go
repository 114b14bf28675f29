package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisShards is the number of hash tags the keys are spread over: all keys of
// one tag, and the index of their expiry, live in one slot of a Redis Cluster,
// so that a script may touch them together.
const redisShards = 16

// recordHeader is what stands before a record's data: its version and its
// expiry in Unix milliseconds, eight bytes each, big-endian.
const recordHeader = 16

// maxBatch commands go out without waiting for those who are expected to ask next: in
// larger batches Redis and its callers would take turns instead of working at the
// same time.
const maxBatch = 8

// saveScript: KEYS record, index; ARGV expected version (8 bytes, or empty for
// none), new value, the moment Redis may forget it (ms), expiry (ms), member. A
// record is listed once, when it is made: the index has the moment before which it
// need not be looked at, and Expired moves that on.
var saveScript = redis.NewScript(`
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
if ARGV[1] == '' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5]) end
return 1`)

// deleteScript: KEYS record, index; ARGV expected version, member. The index
// entry goes also when the record is gone already.
var deleteScript = redis.NewScript(`
local version = redis.call('GETRANGE', KEYS[1], 0, 7)
if version ~= ARGV[1] and version ~= '' then return 0 end
redis.call('ZREM', KEYS[2], ARGV[2])
return redis.call('DEL', KEYS[1])`)

// Redis is a Store that several instances share. A turn costs it two round trips
// at the most: one GET and one script.
type Redis struct {
	client redis.UniversalClient
	prefix string
}

// NewRedis makes a store on client whose keys all start with prefix ("eshik").
// What callers ask while an answer is under way goes out together (an automatic
// pipeline): most of what a round trip costs is its system calls, on both sides.
// The client's own time-outs bound each exchange.
func NewRedis(client redis.UniversalClient, prefix string) (*Redis, error) {
	options := redis.DefaultBlockingAutoPipelineOptions()
	options.MaxBatchSize = maxBatch
	together, err := client.AutoPipelineWithOptions(options)
	if err != nil {
		return nil, fmt.Errorf("open Redis for sessions: %w", err)
	}
	return &Redis{client: together, prefix: prefix}, nil
}

// keys gives the record's key and the key of the index it is listed in.
func (r *Redis) keys(key string) (record, index string) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	tag := r.tag(int(h.Sum32() % redisShards))
	return tag + key, tag + "expiry"
}

func (r *Redis) tag(shard int) string {
	return r.prefix + ":{s" + strconv.Itoa(shard) + "}:"
}

// Load implements Store.
func (r *Redis) Load(ctx context.Context, key string) (Record, error) {
	record, _ := r.keys(key)
	value, err := r.client.Get(ctx, record).Bytes()
	if errors.Is(err, redis.Nil) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, fmt.Errorf("load a session: %w", err)
	}
	return parseRecord(value)
}

// Save implements Store.
func (r *Redis) Save(ctx context.Context, key string, rec Record, expect int64) error {
	record, index := r.keys(key)
	expires := rec.Expires.UnixMilli()
	saved, err := saveScript.Run(ctx, r.client, []string{record, index},
		versionBytes(expect), rec.bytes(), expires+Grace.Milliseconds(), expires, key).Int()
	if err != nil {
		return fmt.Errorf("save a session: %w", err)
	}
	if saved == 0 {
		return ErrConflict
	}
	return nil
}

// Replace implements Store.
func (r *Redis) Replace(ctx context.Context, key string, rec Record, expect int64) error {
	return r.Save(ctx, key, rec, expect)
}

// Delete implements Store.
func (r *Redis) Delete(ctx context.Context, key string, expect int64) (bool, error) {
	record, index := r.keys(key)
	deleted, err := deleteScript.Run(ctx, r.client, []string{record, index}, versionBytes(expect), key).Int()
	if err != nil {
		return false, fmt.Errorf("delete a session: %w", err)
	}
	return deleted == 1, nil
}

// Expired implements Store. Index entries whose record Redis forgot already are
// dropped on the way.
func (r *Redis) Expired(ctx context.Context, before time.Time, limit int) ([]Entry, error) {
	var found []Entry
	for shard := 0; shard < redisShards && len(found) < limit; shard++ {
		entries, err := r.expiredIn(ctx, r.tag(shard), before, limit-len(found))
		if err != nil {
			return nil, fmt.Errorf("list expired sessions: %w", err)
		}
		found = append(found, entries...)
	}
	return found, nil
}

func (r *Redis) expiredIn(ctx context.Context, tag string, before time.Time, limit int) ([]Entry, error) {
	members, err := r.client.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: tag + "expiry", ByScore: true,
		Start: "-inf", Stop: "(" + strconv.FormatInt(before.UnixMilli(), 10), Count: int64(limit),
	}).Result()
	if err != nil || len(members) == 0 {
		return nil, err
	}
	records := make([]string, len(members))
	for i, member := range members {
		records[i] = tag + member
	}
	values, err := r.client.MGet(ctx, records...).Result()
	if err != nil {
		return nil, err
	}
	var found []Entry
	for i, value := range values {
		text, there := value.(string)
		if !there {
			if _, err := r.Delete(ctx, members[i], 0); err != nil { // the index entry alone
				return nil, err
			}
			continue
		}
		rec, err := parseRecord([]byte(text))
		if err != nil {
			return nil, err
		}
		if rec.Expires.Before(before) {
			found = append(found, Entry{Key: members[i], Record: rec})
		} else if err := r.list(ctx, tag, members[i], rec.Expires); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// list moves a record that went on since it was listed.
func (r *Redis) list(ctx context.Context, tag, member string, expires time.Time) error {
	return r.client.ZAddXX(ctx, tag+"expiry", redis.Z{Score: float64(expires.UnixMilli()), Member: member}).Err()
}

// versionBytes is empty for 0, as GETRANGE is for an absent key.
func versionBytes(version int64) []byte {
	if version == 0 {
		return []byte{}
	}
	return binary.BigEndian.AppendUint64(nil, uint64(version)) // #nosec G115 -- bits, not a number
}

func (rec Record) bytes() []byte {
	b := make([]byte, 0, recordHeader+len(rec.Data))
	b = binary.BigEndian.AppendUint64(b, uint64(rec.Version))             // #nosec G115 -- bits, not a number
	b = binary.BigEndian.AppendUint64(b, uint64(rec.Expires.UnixMilli())) // #nosec G115 -- bits, not a number
	return append(b, rec.Data...)
}

func parseRecord(value []byte) (Record, error) {
	if len(value) < recordHeader {
		return Record{}, errors.New("a stored session is cut short")
	}
	return Record{
		Version: int64(binary.BigEndian.Uint64(value)),                     // #nosec G115 -- bits, not a number
		Expires: time.UnixMilli(int64(binary.BigEndian.Uint64(value[8:]))), // #nosec G115 -- bits, not a number
		Data:    value[recordHeader:],
	}, nil
}
