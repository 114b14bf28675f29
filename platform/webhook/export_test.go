package webhook

import "time"

// Wait has a Service wait for answers as long.
func (s *Service) Wait(timeout time.Duration) { s.client.Timeout = timeout }
