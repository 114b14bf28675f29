package limit

// Keys counts the keys remembered.
func (m *Memory) Keys() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.uses)
}
