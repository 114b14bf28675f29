package fine

import (
	"context"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/staff"
)

// Staff is what officers may have the fines do.
func Staff() []module.Task {
	number := module.Flag{Name: "number", Help: "Number of the appeal."}
	return []module.Task{
		{Name: "appeals", Shows: true, Help: "List the appeals of fines that nobody decided, the first one first.", Do: staffListsAppeals},
		{Name: "appeal", Shows: true, Help: "Show an appeal of a fine; the person is told that it was looked at.", Flags: []module.Flag{number}, Do: staffShowsAppeal},
		{
			Name: "appeal-file", Shows: true, Help: "Look at a file of an appeal, which the console gives; the person is told that it was looked at.",
			Flags: []module.Flag{number, {Name: "file", Help: "Its id, as the appeal lists it."}}, Do: staffShowsFile,
		},
		{Name: "take-appeal", Help: "Take an appeal to decide it, also from another officer.", Flags: []module.Flag{number}, Do: staffTakesAppeal},
		{
			Name: "decide-appeal", Help: "Decide an appeal that you took; the person is told by SMS. The fine itself is the register's to cancel.",
			Flags: []module.Flag{
				number, {Name: "decision", Help: "accepted or rejected."},
				{Name: "answer", Help: "Why, for the person: 5 to 1000 characters, in their language."},
			},
			Do: staffDecidesAppeal,
		},
	}
}

// staffListsAppeals lists what waits.
func staffListsAppeals(ctx context.Context, modules []module.Module, _ staff.Act, _ map[string]string) (staff.Done, error) {
	list, err := module.Of[*Service](modules).WaitingAppeals(ctx)
	if err != nil {
		return staff.Done{}, err
	}
	var lines strings.Builder
	for _, a := range list {
		fmt.Fprintf(&lines, "%s  %s  %s  %s", a.Number, clock.Second(a.ReceivedAt), a.Ground, a.State)
		if a.TakenBy != "" {
			lines.WriteString(" by " + a.TakenBy)
		}
		lines.WriteByte('\n')
	}
	return staff.Done{Said: fmt.Sprintf("%s%d appeals wait.", lines.String(), len(list)), Made: list}, nil
}

// staffShowsAppeal shows one.
func staffShowsAppeal(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	a, err := module.Of[*Service](modules).AppealCase(ctx, act, given["number"])
	if err != nil {
		return staff.Done{}, err
	}
	said := fmt.Sprintf("number      %s\nreceived    %s\nstate       %s\nplate       %s\nfine        %s\nresolution  %s\nground      %s\n\n%s",
		a.Number, clock.Second(a.ReceivedAt), a.State, a.Plate, a.Bill, a.Resolution, a.Ground, a.Text)
	for _, f := range a.Files {
		said += fmt.Sprintf("\nfile %s  %d bytes", f.Name(), f.Size)
	}
	if a.Answer != "" {
		said += "\n\nanswer by " + a.TakenBy + "\n" + a.Answer
	}
	return staff.Done{Said: said, Made: a}, nil
}

// Given is a file of an appeal, as an officer is given it.
type Given struct {
	File
	Content []byte
}

// staffShowsFile gives a file of an appeal.
func staffShowsFile(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	file, content, err := module.Of[*Service](modules).FileCase(ctx, act, given["number"], given["file"])
	if err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: fmt.Sprintf("%s: %d bytes, which the console gives.", file.Name(), file.Size), Made: Given{file, content}}, nil
}

// staffTakesAppeal takes one.
func staffTakesAppeal(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	if err := module.Of[*Service](modules).TakeAppeal(ctx, act, given["number"]); err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: "Taken: it is yours to decide."}, nil
}

// staffDecidesAppeal decides one.
func staffDecidesAppeal(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	to := AppealState(given["decision"])
	if err := module.Of[*Service](modules).DecideAppeal(ctx, act, given["number"], to, given["answer"]); err != nil {
		return staff.Done{}, err
	}
	heard, err := module.Of[*Service](modules).Heard(ctx, given["number"])
	if err != nil {
		return staff.Done{}, err
	}
	told := "the person's phones are told"
	if !heard {
		told = "NOBODY IS TOLD, no phone is known to be the person's; one is at their next strong proof, and until then the appeal is in: eshik staff unheard"
	}
	said := "Rejected: " + told + "."
	if to == AppealAccepted {
		said = "Accepted: " + told + ". Nothing changed at the register: have its holder cancel the fine."
	}
	return staff.Done{Said: said}, nil
}
