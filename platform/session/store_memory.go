package session

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// memoryShards spreads sessions over locks; a power of two.
const memoryShards = 64

// Memory is a Store in this process, for a single instance without Redis. Its
// sessions end with the process; expired ones stay until they are swept.
type Memory struct {
	seed   maphash.Seed
	shards [memoryShards]memoryShard
}

type memoryShard struct {
	mu      sync.Mutex
	records map[string]Record
}

// NewMemory makes an empty store.
func NewMemory() *Memory {
	m := &Memory{seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].records = map[string]Record{}
	}
	return m
}

func (m *Memory) shard(key string) *memoryShard {
	return &m.shards[maphash.String(m.seed, key)%memoryShards]
}

// Load implements Store.
func (m *Memory) Load(_ context.Context, key string) (Record, error) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[key], nil
}

// Save implements Store.
func (m *Memory) Save(_ context.Context, key string, rec Record, expect int64) error {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[key].Version != expect {
		return ErrConflict
	}
	s.records[key] = rec
	return nil
}

// Replace implements Store.
func (m *Memory) Replace(ctx context.Context, key string, rec Record, expect int64) error {
	return m.Save(ctx, key, rec, expect)
}

// Delete implements Store.
func (m *Memory) Delete(_ context.Context, key string, expect int64) (bool, error) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if rec, found := s.records[key]; !found || rec.Version != expect {
		return false, nil
	}
	delete(s.records, key)
	return true, nil
}

// Expired implements Store.
func (m *Memory) Expired(_ context.Context, before time.Time, limit int) ([]Entry, error) {
	var found []Entry
	for i := range m.shards {
		if len(found) >= limit {
			break
		}
		found = m.shards[i].expired(found, before, limit)
	}
	return found, nil
}

func (s *memoryShard) expired(found []Entry, before time.Time, limit int) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, rec := range s.records {
		if len(found) >= limit {
			break
		}
		if rec.Expires.Before(before) {
			found = append(found, Entry{Key: key, Record: rec})
		}
	}
	return found
}
