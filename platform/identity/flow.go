package identity

import (
	"cmp"
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
)

// NodeStart is the sub-conversation that proves who is talking: a service Calls it and
// goes on when it returns, with a valid Proof and nothing in the conversation's memory.
const NodeStart = "identity.start"

// NodeStrong is NodeStart for what needs a strong proof: it returns with one. Who is proved
// weakly is asked nothing where a Provider confirms them.
const NodeStrong = "identity.strong"

// The other nodes of identification.
const (
	nodeWeak     = "identity.weak"
	nodeCode     = "identity.code"
	nodeResend   = "identity.resend"
	nodePIN      = "identity.pin"
	nodeDocument = "identity.document"
	nodeRefused  = "identity.refused"
)

// The conversation's memory.
const (
	keyAttempt = "identity.attempt" // an attempt's id, never the number
	keyWhy     = "identity.why"     // the problem of what was refused last
	keySent    = "identity.sent"    // what the screen says of the code: see below
)

// What is said of the code besides that it is asked for: nothing, that it was sent
// before, that it is the last one for now, or that it was sent in place of what was
// typed. A code's own turn stands there until another one says more.
const (
	sentBefore  = "before"
	sentLast    = "last"
	sentInstead = "instead"
)

// Flow is identification's part of the conversation. It has no line in the main
// menu: services call it.
func (s *Service) Flow() dialog.Flow {
	again := dialog.Go(NodeStart) // what was proved lapses when a conversation breaks off
	return dialog.Flow{Name: ServiceName, Nodes: append([]dialog.Node{
		{ID: NodeStart, Do: s.doStart},
		{ID: NodeStrong, Do: s.doStrong},
		{ID: nodeWeak, Plain: s.showWeak, Resume: dialog.Go(NodeStrong)},
		{ID: nodeEnrol, Plain: showEnrol, Answer: s.answerEnrol, Resume: again},
		{ID: nodeEnrolled, Plain: showEnrolled},
		{ID: nodeNumbers, Do: s.doNumbers},
		{ID: nodeNational, Do: s.doNational},
		{ID: nodeNationalCode, Show: s.showNational, Menu: true},
		{ID: nodeOther, Do: s.doOther},
		{ID: nodeForget, Do: s.doForget},
		{ID: nodeForgotten, Plain: showForgotten},
		{ID: nodeResend, Do: s.doResend},
		{ID: nodeCode, Plain: showCode, Answer: s.answerCode, Resume: again},
		{ID: nodePIN, Plain: showPIN, Answer: s.answerPIN, Resume: again},
		{ID: nodeDocument, Plain: showDocument, Answer: s.answerDocument, Resume: again},
		{ID: nodeRefused, Plain: showRefused, Resume: again},
		{ID: nodeUndo, Do: s.doUndo},
		{ID: nodeUndoWhom, Show: s.showUndoWhom},
		{ID: nodeUndone, Show: s.showUndone},
		{ID: nodeLost, Show: s.showLost},
		{ID: nodeOperator, Plain: showOperator},
	}, s.secretNodes(again)...), Commands: append([]dialog.Command{
		{Words: undoWords, Node: nodeUndo, Arg: keyNumber, AtOnce: true},
		{Words: forgetWords, Node: nodeForget, AtOnce: true},
		{Also: secretWords, Node: nodeSecret, To: toSecret},
		{Also: enrolWords, Node: nodeEnrol, To: dialog.Call(nodeEnrol, nodeEnrolled)},
	}, lostCommands()...), Hint: hint, Told: &dialog.Told{Say: s.sayOpen, Acts: s.undoes, Otherwise: otherwiseWords}}
}

// hint says that a number nobody asked for looks like a personal one, also with a
// digit too few or too many.
func hint(number string) (dialog.Message, bool) {
	switch n := len(number); n {
	case pinLength:
		return dialog.Say("identity.like_pin"), true
	case pinLength - 1, pinLength + 1:
		return dialog.Say("identity.like_pin_short", "n", n), true
	}
	return dialog.Message{}, false
}

// doStart goes to what is still missing, so that a call that dropped while the
// citizen waited for the code or read their card goes on where it was.
func (s *Service) doStart(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	if _, proved, err := s.Proof(ctx, t.Caller); err != nil || proved {
		return dialog.Return(), err
	}
	if err := ownPhone(t.Caller); err != nil {
		return dialog.Next{}, err
	}
	if waits, err := s.enrolmentOpen(ctx, t.Caller); err != nil || waits {
		return dialog.Go(nodeEnrol), err
	}
	if has, err := s.hasSecret(ctx, t.Caller, ""); err != nil || has {
		return dialog.Go(nodeSecretAsk), err
	}
	return s.doNumbers(ctx, t)
}

// doNumbers has the numbers of a card asked for, behind a one-time code.
func (s *Service) doNumbers(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	if verified, err := s.verified(ctx, t.Caller); err != nil || verified {
		return dialog.Go(nodePIN), err
	}
	if lives, err := s.codeLives(ctx, t.Caller); err != nil || lives {
		return dialog.Go(nodeCode, keySent, sentBefore), err
	}
	return s.doResend(ctx, t)
}

// doResend sends a code, unless one too many was asked for: while the last one lives,
// it can be typed on.
func (s *Service) doResend(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	_, err := s.SendCode(ctx, t.Caller)
	if errors.Is(err, errCodesMany(CodesAtMost)) {
		if lives, failure := s.codeLives(ctx, t.Caller); failure == nil && lives {
			return dialog.Go(nodeCode, keySent, sentLast), nil
		}
	}
	return dialog.Go(nodeCode, keySent, t.Key()), err
}

func showCode(t *dialog.Turn) dialog.Screen {
	screen := dialog.Screen{
		Body:    []dialog.Message{dialog.Say("identity.ask_code")},
		Ask:     dialog.AskSecret,
		Options: []dialog.Option{{Label: dialog.Say("identity.new_code"), Next: dialog.Go(nodeResend)}},
	}
	switch t.Get(keySent) {
	case sentBefore: // nobody waits for a message that does not come
		screen.Body[0] = dialog.Say("identity.code_lives")
	case sentInstead:
		screen.Body[0] = dialog.Say("identity.code_instead")
	case sentLast:
		screen.Body[0], screen.Options = dialog.Say("identity.code_last"), nil
	}
	return screen
}

// answerCode takes a code. What was typed before the code of this very turn was sent
// (see dialog.Node.Resume) cannot be that one, and is no guess at it.
func (s *Service) answerCode(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	if t.Key() != "" && t.Get(keySent) == t.Key() {
		t.Set(keySent, sentInstead)
		return dialog.Next{}, nil
	}
	err := s.CheckCode(ctx, t.Caller, "", input)
	if errors.Is(err, errCodeVoid) {
		// A turn that crashed after its code was taken is answered again.
		if verified, failure := s.verified(ctx, t.Caller); failure == nil && verified {
			return dialog.Go(nodePIN, keySent, ""), nil
		}
	}
	if err != nil { // the question stands below the refusal, in the fewest words
		t.Set(keySent, "")
	}
	return dialog.Go(nodePIN, keySent, ""), err
}

func showPIN(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("identity.ask_pin")},
		Ask:  dialog.AskPersonalNumber,
	}
}

func (s *Service) answerPIN(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	if pin, document, both := parseBoth(input); both {
		return s.answerBoth(ctx, t, pin, document)
	}
	id, err := s.openAttempt(ctx, t.Caller, input)
	if errors.Is(err, errCodeNeeded) {
		return dialog.Go(nodeNumbers), nil
	}
	return dialog.Go(nodeDocument, keyAttempt, id), err
}

// answerBoth takes both numbers of who typed them at once: the second is asked for next, or
// the first was.
func (s *Service) answerBoth(ctx context.Context, t *dialog.Turn, pin, document string) (dialog.Next, error) {
	id, err := s.openAttempt(ctx, t.Caller, pin)
	if errors.Is(err, errCodeNeeded) {
		return dialog.Go(nodeNumbers), nil
	}
	if err != nil {
		return dialog.Next{}, err
	}
	return s.answerAttempt(ctx, t, id, document)
}

func showDocument(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("identity.ask_document")},
		Ask:  dialog.AskDocumentNumber,
	}
}

func (s *Service) answerDocument(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	if pin, document, both := parseBoth(input); both { // perhaps another personal number than before
		return s.answerBoth(ctx, t, pin, document)
	}
	return s.answerAttempt(ctx, t, t.Get(keyAttempt), input)
}

// answerAttempt has the register say whether an attempt's person has a document.
func (s *Service) answerAttempt(ctx context.Context, t *dialog.Turn, id, document string) (dialog.Next, error) {
	_, err := s.finishAttempt(ctx, t.Caller, id, document)
	switch {
	case err == nil:
		next := dialog.Return(keyAttempt, "")
		next.Fresh = true // there is no way back to numbers that were taken
		return next, nil
	case errors.Is(err, errAttemptOver):
		return dialog.Go(nodeNumbers, keyAttempt, ""), nil
	}
	for _, why := range refusals {
		if errors.Is(err, why) {
			return dialog.Go(nodeRefused, keyAttempt, "", keyWhy, why.Key), nil
		}
	}
	return dialog.Next{}, err
}

// refusals are why a document that was typed proves nothing.
var refusals = []*problem.Error{errNoMatch, errDocumentOld, errDocumentVoid, errBarred}

func showRefused(t *dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say(cmp.Or(t.Get(keyWhy), errNoMatch.Key))},
		Options: []dialog.Option{
			{Label: dialog.Say("identity.again"), Next: dialog.Go(nodePIN)},
		},
	}
}
