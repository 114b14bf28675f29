package api

// Optional is a pointer to value, or nil when it says nothing.
func Optional[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

// Each maps a list; the result is never nil, so that JSON shows [].
func Each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, 0, len(in))
	for _, a := range in {
		out = append(out, f(a))
	}
	return out
}

// Attachment is the Content-Disposition (RFC 6266) of a file to keep. The name is
// ours: letters, digits, dots and hyphens.
func Attachment(name string) string { return `attachment; filename="` + name + `"` }
