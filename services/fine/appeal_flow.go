package fine

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// The nodes in which a fine is appealed.
const (
	nodeAppealWhy  = "fine.appeal_why"
	nodeAppealText = "fine.appeal_text"
	nodeAppealSure = "fine.appeal_sure"
	nodeAppealDo   = "fine.do_appeal"
	nodeAppealDone = "fine.appeal_done"
)

// What the conversation remembers of an appeal: its ground, what was written, sealed, and how long
// the fine has a discount.
const (
	memoryGround = "fine.ground"
	memoryDraft  = "fine.draft"
	memoryClock  = "fine.clock"
)

// What memoryClock holds beside a day: no discount, and one of which nobody knows the end.
const (
	clockNone = ""
	clockOpen = "?"
)

// draftContext seals, with the person's id behind it, what they wrote, until they confirm it.
const draftContext = "fine.appeal.draft:"

func (s *Service) appealNodes() []dialog.Node {
	return []dialog.Node{
		{ID: nodeAppealWhy, Plain: showAppealWhy, Resume: oneOf},
		{ID: nodeAppealText, Plain: showAppealText, Answer: s.answerAppealText, Resume: oneOf},
		{ID: nodeAppealSure, Show: s.showAppealSure, Resume: oneOf},
		{ID: nodeAppealDo, Do: s.doAppeal},
		{ID: nodeAppealDone, Plain: showAppealDone},
	}
}

// clockOf is until when a fine costs less, as the conversation remembers it.
func clockOf(v Violation) string {
	switch {
	case v.Due == 0 || v.Due >= v.Amount:
		return clockNone
	case v.Until.IsZero():
		return clockOpen
	}
	return clock.Day(v.Until)
}

func showAppealWhy(t *dialog.Turn) dialog.Screen {
	screen := say("fine.appeal_why")
	for _, code := range Grounds(t.Caller.Now) {
		screen.Options = append(screen.Options, option(dialog.Say(groundKey(code)), dialog.Go(nodeAppealText, memoryGround, code)))
	}
	return screen
}

// showAppealText asks what happened; where the ground says it all, nothing has to be written.
func showAppealText(t *dialog.Turn) dialog.Screen {
	screen := say("fine.appeal_ask_text")
	screen.Ask = dialog.AskText
	if speaks(t.Get(memoryGround)) {
		screen.Options = []dialog.Option{option(dialog.Say("fine.appeal_no_text"), dialog.Go(nodeAppealSure, memoryDraft, ""))}
	}
	return screen
}

// answerAppealText takes what was written. It is about the person: the conversation keeps it sealed.
func (s *Service) answerAppealText(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	text, err := written(input)
	if err != nil {
		return dialog.Next{}, err
	}
	c, ok, err := identity.Acting(ctx, s.Identity, t, nodeWhich)
	if err != nil || !ok {
		return oneOf, err
	}
	sealed, err := s.Sealer.Seal([]byte(text), draftContext+c.Subject)
	if err != nil {
		return dialog.Next{}, fmt.Errorf("seal the draft of an appeal: %w", err)
	}
	return dialog.Go(nodeAppealSure, memoryDraft, base64.RawStdEncoding.EncodeToString(sealed)), nil
}

// draft is what was written; "" where nothing was.
func (s *Service) draft(citizen, kept string) (string, error) {
	if kept == "" {
		return "", nil
	}
	sealed, err := base64.RawStdEncoding.DecodeString(kept)
	if err != nil {
		return "", fmt.Errorf("read the draft of an appeal: %w", err)
	}
	text, err := s.Sealer.Open(sealed, draftContext+citizen)
	if err != nil {
		return "", fmt.Errorf("open the draft of an appeal: %w", err)
	}
	return string(text), nil
}

// showAppealSure asks once more, and says that the discount does not wait for the answer.
func (s *Service) showAppealSure(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	owner, err := s.owner(ctx, t.Caller)
	if err == nil {
		err = identity.Same(t, owner.ID)
	}
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := say("fine.appeal_sure", "tail", tailOf(t.Get(memoryBill)))
	switch until := t.Get(memoryClock); until {
	case clockNone:
	case clockOpen:
		screen.Body = append(screen.Body, dialog.Say("fine.appeal_clock_open"))
	default:
		screen.Body = append(screen.Body, dialog.Say("fine.appeal_clock", "date", until))
	}
	screen.Options, screen.Confirms = []dialog.Option{option(dialog.Say("fine.do_appeal"), dialog.Go(nodeAppealDo))}, true
	return identity.About(screen, owner.ID), nil
}

// doAppeal appeals the fine that was chosen. Once more it gives the same appeal, as long as that is
// open; one that somebody else made meanwhile, or the person in an app, is told above the list.
func (s *Service) doAppeal(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, ok, err := identity.Acting(ctx, s.Identity, t, nodeAppeals)
	if err != nil || !ok {
		return oneOf, err
	}
	text, err := s.draft(c.Subject, t.Get(memoryDraft))
	if err != nil {
		return dialog.Next{}, err
	}
	made, err := s.Appeal(ctx, c, Appealed{Plate: t.Get(memoryPlate), Bill: t.Get(memoryBill), Ground: t.Get(memoryGround), Text: text})
	switch {
	case errors.Is(err, errAppealOpen):
		return dialog.Next{}, dialog.BackTo(nodeAppeals, err)
	case errors.Is(err, errAppealGround):
		return dialog.Next{}, dialog.BackTo(nodeAppealWhy, err)
	case err != nil:
		return identity.Stronger(nodeAppealDo, err)
	}
	return dialog.Done(nodeAppealDone, memoryAppeal, made.Number, memoryDraft, ""), nil
}

func showAppealDone(t *dialog.Turn) dialog.Screen {
	screen := say("fine.appeal_done", "appeal", t.Get(memoryAppeal))
	screen.Options = []dialog.Option{option(dialog.Say("fine.appeals_option"), ownAppeals)}
	return screen
}
