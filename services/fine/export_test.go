package fine

import "github.com/eshik-kg/eshik/platform/personal"

// Holder is what the fines keep of people.
func Holder(s *Service) personal.Holder { return holder{s} }
