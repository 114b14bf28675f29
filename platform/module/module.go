// Package module says what a citizen service is to the rest of the program: one
// value, made from one environment. Whoever wires, checks, proves or publishes goes
// over the list of modules and names none of them.
package module

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"regexp"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Env is what every service stands on. Nothing in it may be missing.
type Env struct {
	DB         *store.DB
	Queue      *job.Queue
	Clock      func() time.Time // the moment of work that has no caller
	Random     io.Reader        // crypto/rand.Reader
	Texts      *locales.Catalogue
	Sealer     *seal.Sealer
	Keys       *sign.Keys
	Documents  *sign.Documents // signs files that people download
	Outbox     *notify.Outbox
	Audit      *audit.Log // to be compared with what is kept
	Trail      *trail.Trail
	Limiter    limit.Limiter
	Identity   *identity.Service
	Mandates   *mandate.Service // who acts for whom
	Payments   *payment.Service
	Registries *registry.Clients
	Holders    *personal.Holders // all parts that keep personal data
	Log        *slog.Logger
	PublicURL  string // where browsers reach the server, without a slash at its end
	SMSNumber  string // the number that people text
}

// Module is a service as the rest of the program sees it. Only Name and Service must
// be there.
type Module struct {
	// Name is that of the service's folder, of its part of the conversation and of
	// what it counts: fine, certificate, preschool.
	Name string
	// Service is what the REST interfaces and the operators' commands call; see Of.
	Service any
	// Flow is its part of the conversation; the zero value has none.
	Flow dialog.Flow
	// Billers are whose bills it has paid.
	Billers []payment.Biller
	// Finders look for such bills for partners' users.
	Finders []payment.Finder
	// Ties are what it keeps for a phone, and what a new holder must not inherit.
	Ties []identity.Tie
	// Unheard says, in lines for operators, of what was decided for people no phone was told; nil:
	// there is nothing of the kind.
	Unheard func(ctx context.Context) (string, error)
	// Personal is what it keeps of people; nil: nothing.
	Personal personal.Holder
	// Chores are done now and then, by every process.
	Chores []Chore
	// Check begins the comparison of what it keeps with the audit log; nil: it keeps
	// nothing that the log tells of.
	Check func() Check
	// Sandbox fills what a new sandbox would lack; nil: nothing. It does nothing where
	// it was done before.
	Sandbox func(context.Context) error
	// Rehearsal is how its conversation is gone through to prove it.
	Rehearsal Rehearsal
}

// Chore is work that is done now and then. It is safe to repeat, and to run in several
// processes.
type Chore struct {
	Name  string
	Do    func(context.Context) error
	Every time.Duration // nought: two seconds
}

// Check compares what is kept with the audit log: See is given the whole log, then Run
// is called, once, on the same moment of the database.
type Check interface {
	See(audit.Recorded)
	// Older is how many of the records seen are from before what they decided was kept.
	Older() int
	Run(context.Context, *sql.Tx) error
}

// Rehearsal is what the prover of the conversation types at a service's screens, and
// what it does there besides.
type Rehearsal struct {
	// Typed is what is typed where a node asks for something, right and wrong, by the
	// node's id. "{fine.list}" is what Shown found on that node's screen.
	Typed map[string][]string
	// Shown is what a node's screen shows and what is typed later, by the node's id:
	// the first match on the first such screen, spaces and hyphens taken out of figures.
	Shown map[string]*regexp.Regexp
	// Texted are texts that begin a conversation by SMS, with the same places.
	Texted []string
	// Acts follow the walks, in their order: the first citizen of the sandbox walks
	// again after each.
	Acts []Act
}

// Act is what somebody else does for the first citizen, as an operator who offers a
// place.
type Act struct {
	Name string
	Do   func(ctx context.Context, shown map[string]string) error
	// Avoid is a node that the citizen does not choose afterwards; empty: none.
	Avoid string
}

// Task is what an operator may have a service do from the command line:
// eshik staff NAME --flag VALUE.
type Task struct {
	Name  string // of the command: take-back
	Help  string // what it does, in a sentence
	Flags []Flag // each must be given, but a switch
	// Shows says that it changes nothing and shows what is not everybody's: that it was looked
	// at is recorded before.
	Shows bool
	// Offices are those whose matter it is, as staff.Officer names them: a clerk of another
	// one is refused. nil: it is no office's.
	Offices func(ctx context.Context, modules []Module, given map[string]string) ([]string, error)
	// Facts is what it rests on, in a line, where it takes two persons: it is refused when
	// they changed before the second one decides. nil: it rests on nothing, or takes one.
	Facts func(ctx context.Context, modules []Module, given map[string]string) (string, error)
	// Do does it as an officer's act with the values of the flags, and says in a line what
	// came of it. It finds its service in the list of modules; see Of.
	Do func(ctx context.Context, modules []Module, act staff.Act, given map[string]string) (staff.Done, error)
}

// Operations are the task's rows in the table of staff: its own, and those of its switches.
func (t Task) Operations() []string {
	all := []string{t.Name}
	for _, f := range t.Flags {
		if f.Operation != "" {
			all = append(all, f.Operation)
		}
	}
	return all
}

// Flag is a value that a task takes; that of a Switch is "true" where it is given, and
// "false" where not.
type Flag struct {
	Name, Help string
	Switch     bool
	Operation  string // where a switch that is given makes it another row of the table of staff
}

// Constructor is how a service is made, and what of it is known before.
type Constructor struct {
	Make   func(Env) (Module, error)
	Staff  []Task
	Limits []limit.Rule // how often its doors may be used; see app.Limits
}

// Build makes the modules in the order of the constructors, which is that of the menu,
// and lets the environment know of their bills and ties.
func Build(e Env, constructors ...Constructor) ([]Module, error) {
	if err := needs.All("the modules' environment", e); err != nil {
		return nil, err
	}
	modules := make([]Module, 0, len(constructors))
	for _, constructor := range constructors {
		m, err := constructor.Make(e)
		if err != nil {
			return nil, err
		}
		e.Payments.Serve(m.Billers...)
		e.Payments.Offer(m.Finders...)
		e.Identity.Tie(m.Ties...)
		if m.Personal != nil {
			e.Holders.Add(m.Name, m.Personal)
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// Of gives the service of a type from the list. That there is none is a mistake of the
// program: it panics.
func Of[T any](modules []Module) T {
	for _, m := range modules {
		if found, ok := m.Service.(T); ok {
			return found
		}
	}
	panic(fmt.Sprintf("no module is a %s", reflect.TypeFor[T]()))
}
