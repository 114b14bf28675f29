package preschool

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/preschool/allocation/replay"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Replay is an allocation of which there is a public file.
type Replay struct {
	N                      int64
	DecidedAt              time.Time
	Seats, Waiting, Placed int
	Commitment, Seed       string // hexadecimal: the one is the SHA-256 of the other
	// State is "done", or "wrong" where the check found a fault and nobody was offered anything.
	State string
	// Digest is the SHA-256 that the file's last line says, and the audit record of the allocation.
	Digest string
}

var problemReplay = problem.New(problem.NotFound, "problem.preschool_replay")

// Replays lists the newest hundred allocations of which there is a file: those that are over.
func (s *Service) Replays(ctx context.Context) ([]Replay, error) {
	rows, err := db.New(s.DB.Reader()).ReplayRuns(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the allocations: %w", err)
	}
	list := make([]Replay, len(rows))
	for i, r := range rows {
		list[i] = Replay{
			N: r.N, DecidedAt: r.DecidedAt.Time, State: r.State, Seats: int(r.Seats), Waiting: int(r.Waiting), Placed: int(r.Placed),
			Commitment: r.Commitment, Seed: r.Seed, Digest: r.Replay,
		}
	}
	return list, nil
}

// replays keeps the newest files that were asked for: one of the whole country takes a second to
// write, and never changes.
type replays struct {
	mu   sync.Mutex // one is written at a time, whoever asks
	kept []keptReplay
}

type keptReplay struct {
	n    int64
	file []byte
}

// mostReplays is how many are kept.
const mostReplays = 4

// ReplayFile is the public file of an allocation that is over, see package replay. It is not to be
// written to. Problem: preschool_replay.
func (s *Service) ReplayFile(ctx context.Context, n int64) ([]byte, error) {
	s.replays.mu.Lock()
	defer s.replays.mu.Unlock()
	if at := slices.IndexFunc(s.replays.kept, func(k keptReplay) bool { return k.n == n }); at >= 0 {
		return s.replays.kept[at].file, nil
	}
	q := db.New(s.DB.Reader())
	r, err := q.Run(ctx, n)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && (r.Replay == "" || r.State != runDone && r.State != runWrong):
		return nil, problem.New(problemReplay.Code, problemReplay.Key, "n", n)
	case err != nil:
		return nil, fmt.Errorf("read an allocation: %w", err)
	}
	m, err := keptMarket(ctx, q, r)
	if err != nil {
		return nil, err
	}
	file, digest, err := writeReplay(r, m)
	if err != nil {
		return nil, err
	}
	if digest != r.Replay {
		return nil, fmt.Errorf("the allocation %s has rows of another replay file than was recorded: eshik fsck names them", r.ID)
	}
	s.replays.kept = append(s.replays.kept, keptReplay{n: n, file: file})
	if len(s.replays.kept) > mostReplays {
		s.replays.kept = s.replays.kept[1:]
	}
	return file, nil
}

// writeReplay writes an allocation's public file, and gives its digest. Neither numbers nor moments
// nor benefits go into it, but who comes before whom among the children of one age, who are all that
// compete with each other.
func writeReplay(r db.PreschoolRun, m market) (file []byte, digest string, err error) {
	given, err := m.given()
	if err != nil {
		return nil, "", err
	}
	groups := make([]replay.Group, len(m.groups))
	for i, g := range m.groups {
		groups[i] = replay.Group{Group: i, Kindergarten: g.Kindergarten, Age: int(g.Age), Free: int(g.Free)}
		if m.openEvery > 0 {
			groups[i].Taken = int(g.Taken)
		}
	}
	byAge := map[int64][]int{}
	rows := make([]replay.Row, len(m.children))
	for i, c := range m.children {
		rows[i] = replay.Row{Lot: replay.ShortLot(given.Children[i].Tie), Wishes: given.Children[i].Wishes}
		if c.Place >= 0 {
			place := int(c.Place)
			rows[i].Place = &place
		}
		age := m.groups[rows[i].Wishes[0]].Age
		byAge[age] = append(byAge[age], i)
	}
	for _, children := range byAge {
		m.order(children, func(a, b db.PreschoolRunChild) int {
			return cmp.Or(cmp.Compare(a.BenefitRank, b.BenefitRank), a.QueuedAt.Compare(b.QueuedAt.Time))
		}, func(i, n int) { rows[i].Order = n })
		if m.openEvery > 0 {
			m.order(children, func(a, b db.PreschoolRunChild) int { return a.QueuedAt.Compare(b.QueuedAt.Time) }, func(i, n int) { rows[i].Moment = n })
		}
	}
	return replay.Write(replay.Header{
		Allocation: r.N, Decided: clock.Date(r.DecidedAt.Time).Format(time.DateOnly), Intake: m.intake, OpenEvery: m.openEvery,
		Commitment: r.Commitment, Seed: r.Seed,
	}, groups, rows)
}

// order numbers children from 1 in an order; those that are level have one number.
func (m market) order(children []int, compare func(a, b db.PreschoolRunChild) int, set func(child, n int)) {
	slices.SortFunc(children, func(a, b int) int { return compare(m.children[a], m.children[b]) })
	n := 0
	for at, child := range children {
		if at == 0 || compare(m.children[children[at-1]], m.children[child]) != 0 {
			n++
		}
		set(child, n)
	}
}
