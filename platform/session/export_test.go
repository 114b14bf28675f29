package session

import (
	"context"

	"github.com/eshik-kg/eshik/platform/job"
)

// ErrUpstream says that a deferred reply is tried again.
var ErrUpstream = errUpstream

// WorkDeferred does what the job of a deferred reply does.
func (t *Conversations) WorkDeferred(ctx context.Context, id string) error {
	return t.work(ctx, deferredJob{id}, job.Attempt{})
}
