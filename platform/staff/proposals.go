package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// What is wrong with a decision.
var (
	ErrNoProposal  = problem.New(problem.NotFound, "problem.staff_no_proposal")
	ErrDecided     = problem.New(problem.Conflict, "problem.staff_decided")
	ErrExpired     = problem.New(problem.Conflict, "problem.staff_expired")
	ErrSame        = problem.New(problem.Forbidden, "problem.staff_same")
	ErrOnlyDecides = problem.New(problem.Forbidden, "problem.staff_only_decides")
	ErrProposer    = problem.New(problem.Conflict, "problem.staff_proposer")
	ErrFacts       = problem.New(problem.Conflict, "problem.staff_facts")
)

const (
	proposalContext = "staff.proposal:" // and its id
	approved        = "approved"
	rejected        = "rejected"
)

// Proposal is an operation that one officer asks for and another person decides.
type Proposal struct {
	ID         string `json:"id"`
	Operation  string
	Given      map[string]string // the arguments, as they were given
	Offices    []string          // whose matter it is
	Facts      string            // what it rests on, as it was then
	Kept       string            // as Act has it; it is shown to nobody
	Reason     string
	ProposedBy Officer
	ProposedAt time.Time
	ExpiresAt  time.Time
}

// Shown is what an operation is proposed with, for who decides it: of a personal number the
// end, which is enough to compare.
func (p Proposal) Shown() map[string]string {
	shown := maps.Clone(p.Given)
	if number := shown["personal-number"]; len(number) > 4 {
		shown["personal-number"] = "…" + number[len(number)-4:]
	}
	return shown
}

// Request is what an officer wants done.
type Request struct {
	Operation string
	Reason    string
	Given     map[string]string
	Offices   []string
	Facts     string
	Kept      string
}

// Propose keeps an operation until another person decides it, or it expires. Everything
// that it says is sealed: nobody who writes to the database changes what is approved.
func (s *Service) Propose(ctx context.Context, o Officer, r Request) (Proposal, error) {
	rule, _ := RuleOf(r.Operation)
	now := s.Now().UTC().Truncate(time.Microsecond)
	p := Proposal{
		Operation: r.Operation, Given: r.Given, Offices: r.Offices, Facts: r.Facts, Kept: r.Kept, Reason: r.Reason, ProposedBy: o,
		ProposedAt: now, ExpiresAt: now.Add(rule.Expires),
	}
	raw := make([]byte, 5)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return p, fmt.Errorf("draw a proposal's id: %w", err)
	}
	p.ID = legible.EncodeToString(raw)
	text, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("write a proposal: %w", err)
	}
	sealed, err := s.Sealer.Seal(text, proposalContext+p.ID)
	if err != nil {
		return p, err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		err := db.New(tx).AddProposal(ctx, db.AddProposalParams{
			ID: p.ID, Operation: p.Operation, Sealed: sealed, ProposedBy: o.ID, ProposedAt: dbtime.From(now), ExpiresAt: dbtime.From(p.ExpiresAt),
		})
		if err != nil {
			return err
		}
		return s.leave(ctx, tx, o.Actor(), "propose."+p.Operation, p.ID, p.Reason)
	})
	if err != nil {
		return p, fmt.Errorf("keep a proposal: %w", err)
	}
	return p, nil
}

// Proposals are those that wait and that an officer may decide, or made.
func (s *Service) Proposals(ctx context.Context, o Officer) ([]Proposal, error) {
	rows, err := db.New(s.DB.Reader()).WaitingProposals(ctx, dbtime.From(s.Now()))
	if err != nil {
		return nil, fmt.Errorf("list the proposals: %w", err)
	}
	var list []Proposal
	for _, row := range rows {
		p, err := s.openProposal(row)
		if err != nil {
			return nil, err
		}
		right, _ := May(o, p.Operation, p.Offices) // who may nothing is shown nothing
		if right.Decides() || p.ProposedBy.ID == o.ID {
			list = append(list, p)
		}
	}
	return list, nil
}

// Proposal gives one by its id for an officer to decide or, if it is theirs, to take back.
// One that is not for them is as absent.
func (s *Service) Proposal(ctx context.Context, o Officer, id string) (Proposal, error) {
	row, err := db.New(s.DB.Reader()).Proposal(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Proposal{}, ErrNoProposal
	}
	if err != nil {
		return Proposal{}, fmt.Errorf("look for a proposal: %w", err)
	}
	p, err := s.openProposal(row)
	if err != nil {
		return Proposal{}, err
	}
	right, _ := May(o, p.Operation, p.Offices) // as absent where it is none
	switch {
	case !right.Decides() && p.ProposedBy.ID != o.ID:
		return Proposal{}, ErrNoProposal
	case row.Outcome != "":
		return p, ErrDecided
	case !s.Now().Before(p.ExpiresAt):
		return p, ErrExpired
	}
	return p, nil
}

func (s *Service) openProposal(row db.StaffProposal) (p Proposal, err error) {
	text, err := s.Sealer.Open(row.Sealed, proposalContext+row.ID)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err == nil && p.ID != row.ID {
		err = ErrTampered
	}
	if err != nil {
		return p, fmt.Errorf("open the proposal %s: %w", row.ID, err)
	}
	return p, nil
}

// Approve makes the act by which an officer does what another person proposed. facts is
// what it rests on now. The effect's transaction decides the proposal: of many who approve
// at once, one has an effect.
func (s *Service) Approve(ctx context.Context, o Officer, p Proposal, reason, facts string) (Act, error) {
	right, err := May(o, p.Operation, p.Offices)
	if err != nil {
		return Act{}, err
	}
	switch {
	case o.ID == p.ProposedBy.ID || SamePerson(o.Person, p.ProposedBy.Person):
		return Act{}, ErrSame
	case !right.Decides():
		return Act{}, ErrNoProposal
	case facts != p.Facts:
		return Act{}, ErrFacts
	}
	proposer, err := account(ctx, db.New(s.DB.Reader()), p.ProposedBy.Login)
	if err != nil {
		return Act{}, fmt.Errorf("look who proposed: %w", err)
	}
	if !proposer.DisabledAt.IsZero() {
		return Act{}, ErrProposer
	}
	return Act{Actor: o.Actor(), Reason: p.Reason, Facts: p.Facts, Kept: p.Kept, record: func(ctx context.Context, tx *store.Tx) error {
		return s.decide(ctx, tx, o, p, approved, reason)
	}}, nil
}

// Reject ends a proposal without an effect: another person's, or one's own, which is taken
// back.
func (s *Service) Reject(ctx context.Context, o Officer, p Proposal, reason string) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error { return s.decide(ctx, tx, o, p, rejected, reason) })
	if err != nil {
		return fmt.Errorf("reject a proposal: %w", err)
	}
	return nil
}

func (s *Service) decide(ctx context.Context, tx *store.Tx, o Officer, p Proposal, outcome, reason string) error {
	now := dbtime.From(s.Now())
	n, err := db.New(tx).DecideProposal(ctx, db.DecideProposalParams{Outcome: outcome, DecidedBy: o.ID, DecidedAt: now, ID: p.ID, ExpiresAt: now})
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrDecided
	}
	return s.leave(ctx, tx, o.Actor(), outcome+"."+p.Operation, p.ID, reason+" (proposed by "+p.ProposedBy.Actor()+")")
}
