package app

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
)

// chores are the process's own and the services'. A worker takes no texts.
func (a *App) chores() []module.Chore {
	list := []module.Chore{
		{Name: "seal the audit log", Do: func(ctx context.Context) error { _, err := a.Audit.Seal(ctx); return err }},
		{Name: "sign a checkpoint of the audit log", Do: a.checkpoints.sign, Every: checkpointEvery},
		{Name: "count abandoned conversations", Do: func(ctx context.Context) error { return a.Conversations.Sweep(ctx, a.Clock()) }},
		{Name: "settle payments", Do: a.Payments.Sweep},
		{Name: "number events of partners", Do: a.Events.Number, Every: numberEvery},
		{Name: "send events to partners", Do: a.Webhooks.Run},
		{Name: choreForgetDeliveries, Do: a.Webhooks.Forget, Every: time.Hour},
		{Name: "close codes of paid bills", Do: a.Payments.CloseOvertaken},
		{Name: "close the ledger's days", Do: a.Payments.CloseDays, Every: time.Minute},
		{Name: "tidy deferred replies", Do: a.Conversations.TidyDeferred},
		{Name: "forget sign-ins that are over", Do: a.Identity.ForgetSignIns, Every: time.Hour},
		{Name: "read the keys that seal", Do: a.dataKeys.Refresh},
		{Name: "ask the module of the master key", Do: a.askModule, Every: time.Minute},
		{Name: "seal anew by the newest key", Do: a.reseal.Work},
		{Name: "forget keys of tokens that are over", Do: a.Identity.ForgetKeys, Every: time.Hour},
		{Name: choreStaff, Do: a.Staff.Tidy, Every: time.Hour},
		{Name: choreForget, Do: a.Identity.ForgetOver, Every: time.Hour},
		{Name: choreForgetMandates, Do: a.Mandates.ForgetOver, Every: time.Hour},
		{Name: choreForgetMessages, Do: a.Outbox.ForgetOld, Every: time.Hour},
		{Name: "ask for delivery reports", Do: func(ctx context.Context) error { return a.router.AskReports(ctx, a.Outbox) }},
		{Name: "watch the money of SMS accounts", Do: a.credit.Check},
		{Name: "balance SMS providers", Do: func(ctx context.Context) error { return a.router.Balance(ctx, a.Outbox) }},
	}
	if a.inbound != nil {
		list = append(list, module.Chore{Name: choreAnswer, Do: a.inbound.Resume})
	}
	for _, m := range a.Modules {
		list = append(list, m.Chores...)
	}
	return list
}

// fillSandbox has the services fill what a new sandbox lacks.
func (a *App) fillSandbox(ctx context.Context) error {
	for _, m := range a.Modules {
		if m.Sandbox == nil {
			continue
		}
		if err := m.Sandbox(ctx); err != nil {
			return err
		}
	}
	return nil
}

// numberEvery is how often partners' events get their numbers: nobody sees them before.
const numberEvery = 500 * time.Millisecond

// choreEvery is how often a chore is done that says nothing else.
const choreEvery = 2 * time.Second

// startHousekeeping does the chores, each at its own pace, until the returned function
// is called. Each goes by itself: one that waits for a registry delays no other.
func (a *App) startHousekeeping(ctx context.Context) (stop func()) {
	if err := a.checkpoints.keeper.Tidy(); err != nil {
		a.Log.WarnContext(ctx, "what a killed server left cannot be removed", "error", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	for _, c := range a.chores() {
		all.Go(func() { a.keepDoing(ctx, c) })
	}
	return func() { cancel(); all.Wait() }
}

func (a *App) keepDoing(ctx context.Context, c module.Chore) {
	tick := time.NewTicker(cmp.Or(c.Every, choreEvery))
	defer tick.Stop()
	for {
		err := problem.Guard(func() error { return c.Do(ctx) })
		if err != nil && ctx.Err() == nil {
			a.Log.Error("periodic work failed", "work", c.Name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
