package certificate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// A parent acts for a child: the certificate is about the child, the order is the parent's.

// Child is a child for whom a person may ask.
type Child struct {
	// Ref names the child to RequestForChild without telling the personal number.
	Ref  string
	Name string // the given name, as the register writes it
	Born time.Time
}

// Why nobody is given a child's certificate.
var (
	errNoChild = problem.New(problem.NotFound, "problem.certificate_child")
	errGrown   = problem.New(problem.Conflict, "problem.certificate_child_grown")
	errBarred  = problem.New(problem.Conflict, "problem.certificate_child_barred")
)

// errDied is errBarred of who has died.
var errDied = fmt.Errorf("the register of civil status knows a death: %w", errBarred)

// refLength is how much of a child's blind index is enough among one family.
const refLength = 16

func (s *Service) childRef(pin string) string {
	return s.Sealer.Index("certificate.child", pin)[:refLength]
}

// called is what a child is called where others may read along.
func (m Minor) called() string { return identity.Called(m.Name, m.Surname) }

// RequestForChild is Request for a child of the citizen c.Subject; ref is a Child.Ref. The
// registers are asked again whether it is one. Problems: certificate_child, certificate_child_grown
// and certificate_child_barred of one for whom they may not ask, certificate_unknown_child.
func (s *Service) RequestForChild(ctx context.Context, c caller.Caller, kind Kind, ref string) (Certificate, error) {
	if ref == "" {
		return Certificate{}, errNoChild
	}
	if c.Subject != "" {
		if err := Assurance.Admit(c, "children"); err != nil {
			return Certificate{}, err
		}
	}
	return s.request(ctx, c, order{kind: kind, child: ref})
}

// Children lists the children for whom the citizen c.Subject may ask. Problem:
// certificate_children_many.
func (s *Service) Children(ctx context.Context, c caller.Caller) ([]Child, error) {
	if c.Subject == "" {
		return nil, errUnproven
	}
	if err := Assurance.Admit(c, "children"); err != nil {
		return nil, err
	}
	if err := s.within(ctx, c, childrenByPerson.Refusal, s.bound("children", c.Subject, childrenByPerson)); err != nil {
		return nil, err
	}
	pin, err := s.Identity.PIN(ctx, c.Subject)
	if err != nil {
		return nil, err
	}
	all, err := s.Registers.Residents.Children(ctx, Question{PIN: pin, By: pin, Issue: "certificate:" + c.Subject})
	if err != nil {
		return nil, fmt.Errorf("ask for the children of the citizen: %w", err)
	}
	children := []Child{}
	for _, m := range all {
		if under(m.Born, c.Now) {
			children = append(children, Child{Ref: s.childRef(m.PIN), Name: m.Name, Born: m.Born})
		}
	}
	err = s.Trail.Look(ctx, audit.Entry{
		At: c.Now, Actor: c.Subject, Action: "certificate.children", Object: c.Subject, Subject: c.Subject,
		Purpose: "the register of families was asked",
	})
	return children, err
}

// minor finds the child of the person of q that a ref names, if the person may act for them.
func (s *Service) minor(ctx context.Context, ref string, q Question, now time.Time) (Minor, error) {
	all, err := s.Registers.Residents.Children(ctx, q)
	if err != nil {
		return Minor{}, fmt.Errorf("ask for the children of the citizen: %w", err)
	}
	for _, m := range all {
		if s.childRef(m.PIN) != ref {
			continue
		}
		if !under(m.Born, now) {
			return Minor{}, errGrown
		}
		return m, s.alive(ctx, Question{PIN: m.PIN, By: q.By, Issue: q.Issue})
	}
	return Minor{}, errNoChild
}

// alive refuses whom the register of civil status knows as dead, or whose number is blocked.
func (s *Service) alive(ctx context.Context, q Question) error {
	died, blocked, err := s.Registers.Residents.Barred(ctx, q)
	if err != nil {
		return fmt.Errorf("ask the register of civil status: %w", err)
	}
	switch {
	case died:
		return errDied
	case blocked:
		return errBarred
	}
	return nil
}

// dropIfLapsed drops the intent of somebody else's certificate that was left unsigned where who
// asked is the child's parent no more, or the child has grown up or died, or the mandate ended:
// the error says so. Whether it is so the registers are asked, and without their answer nothing is issued.
func (s *Service) dropIfLapsed(ctx context.Context, row db.Certificate, now time.Time) error {
	if !ofAnother(row) {
		return nil
	}
	pin, err := s.Identity.PIN(ctx, row.CitizenID)
	q, o := Question{PIN: pin, By: pin, Issue: row.ID}, orderOf(row)
	switch {
	case err != nil:
	case o.mandate != "":
		_, _, err = s.giver(ctx, o.mandate, row.CitizenID, q, now)
	default:
		_, err = s.minor(ctx, o.child, q, now)
	}
	if !lapsed(err) {
		return err
	}
	if failed := s.drop(ctx, row, now); failed != nil {
		return failed
	}
	return err
}

// lapsed reports that an error says that who asked may not ask for the child any more.
func lapsed(err error) bool {
	return errors.Is(err, errNoChild) || errors.Is(err, errGrown) || errors.Is(err, errBarred) || errors.Is(err, mandate.ErrAbsent)
}

// drop has an intent come to nothing, unless it was signed meanwhile.
func (s *Service) drop(ctx context.Context, row db.Certificate, now time.Time) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		dropped, err := db.New(tx).MarkDropped(ctx, row.ID)
		if err != nil {
			return fmt.Errorf("drop an intent: %w", err)
		}
		if dropped == 0 {
			return nil
		}
		return s.leave(ctx, tx, row, "drop", trail.Step{Audit: audit.Entry{
			At: now, Actor: "system", Action: "certificate.drop", Object: row.ID, Subject: row.CitizenID,
			Purpose: "who asked acts for the holder no more",
		}})
	})
}

// leave leaves the trail of a step, called so, of who asked for a certificate; where it is about
// somebody else, that person's own record tells of it too.
func (s *Service) leave(ctx context.Context, tx *store.Tx, row db.Certificate, called string, step trail.Step) error {
	if err := s.Trail.Leave(ctx, tx, step); err != nil || row.HolderID == "" {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: ofHolder(row, called, step.Audit)})
}

// ofHolder is the record of a step as that of whom the certificate is about.
func ofHolder(row db.Certificate, called string, e audit.Entry) audit.Entry {
	under := underOf(row)
	e.Action, e.Subject, e.Decided, e.Was = "certificate."+under+"."+called, row.HolderID, nil, nil
	if e.Actor != row.CitizenID {
		return e
	}
	e.Actor = asParent(row.CitizenID)
	if under == inMandate {
		e.Actor = mandate.Actor(row.CitizenID)
	}
	return e
}

// As what somebody acts for another, in the names of actions.
const (
	inFamily  = "child"
	inMandate = "mandate"
)

func underOf(row db.Certificate) string {
	if orderOf(row).mandate != "" {
		return inMandate
	}
	return inFamily
}

// asParent is the actor of a citizen who acts for their child.
func asParent(citizen string) string { return "parent:" + citizen }

// purpose says why a certificate is asked for, and for whom, where that is somebody else.
func purpose(row db.Certificate, own string) string {
	switch o := orderOf(row); {
	case o.mandate != "":
		return own + " under the mandate " + o.mandate
	case ofAnother(row):
		return own + " of their child"
	}
	return own
}
