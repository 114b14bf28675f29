package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// undoWords are what a phone answers when it was told of another: "block", in both
// languages. They stand in identity.proved_sms.
var undoWords = []string{"бөгөт", "бөгөттөө", "блок", "заблокировать", "блокировать", "бугот", "blok", "bogot"}

// otherwiseWords are what people answer instead.
var otherwiseWords = []string{
	"это не я", "не я", "это была не я", "это был не я", "я не подтверждал", "я не подтверждала", "я этого не делал", "я этого не делала", "кто это",
	"чужой телефон", "не мой телефон", "это не мой телефон", "не мой номер", "это не мой номер", "это мошенник", "мошенники", "заблокируйте", "заблокируй",
	"блокируйте", "как заблокировать", "бул мен эмес", "мен эмес", "мен эмесмин", "бул ким", "бөтөн телефон", "менин телефонум эмес", "менин номерим эмес",
	"алдамчы", "алдамчылар", "бөгөттөп коюңуз", "бөгөттөгүлө", "бөгөттөңүз", "not me", "it was not me", "who is this", "not my phone", "block it",
}

// Undone is what became of a wish to undo another phone's proof.
type Undone string

// The outcomes.
const (
	UndoDone    Undone = "done"
	UndoOthers  Undone = "others"  // done, and the caller's own phone stays: an operator cleared it
	UndoBoth    Undone = "both"    // done, on the caller's own phone too, though an operator cleared both
	UndoAlready Undone = "already" // it was undone before
	UndoLate    Undone = "late"    // UndoLasts is over
	UndoNothing Undone = "nothing" // no notice was sent to the phone
	UndoWrong   Undone = "wrong"   // none of those that were has that number
	UndoWhom    Undone = "whom"    // not yet: several persons' notices are open, and the word names none
)

// Undo ends what another phone proved, of which the caller's phone was told. That is
// a dispute, in which nobody is believed: proofs and tokens of all phones of the person
// end, and for DisputeLasts none of them, nor a new one, is proved for the person. Only
// a phone that an operator cleared (Unblock) stays, unless it is the one that is undone:
// then one of the two operators was deceived, and the caller's phone is cleared no more
// either. What tells of the person goes to a cleared phone, else to the one whose word it
// is where that was proved strongly, and to no other: a weak one keeps what it is told itself. typed names the notice; empty: all open ones, where they are about one
// person. Of several who share the phone none is shut out for what happened to another.
func (s *Service) Undo(ctx context.Context, c caller.Caller, typed string) (Undone, error) {
	var outcome Undone
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lockPhone(ctx, q, s.phoneIndex(c.Phone), c.Now); err != nil {
			return err
		}
		told, err := s.told(ctx, q, c)
		if err != nil {
			return err
		}
		var open []db.IdentityNotice
		outcome, open = sift(told, asciiDigits(typed), typed == "", c.Now)
		list := accusations(open)
		if typed == "" && len(list) > 1 {
			outcome = UndoWhom
			return nil
		}
		for _, a := range list {
			became, err := s.undo(ctx, tx, c, a)
			if err != nil {
				return err
			}
			if became != UndoDone {
				outcome = became
			}
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("undo a phone's proof: %w", err)
	}
	return outcome, nil
}

// accusation is what the word of a phone says about a person.
type accusation struct {
	citizen string
	notice  string          // the newest one's id
	number  string          // and its number
	by      string          // the index of the phone whose word it is
	phones  map[string]bool // the indexes of those that are undone
	// silences says that no phone is told in the place of those that are cut off.
	silences bool
}

// accusations are what open notices are about, a person each.
func accusations(open []db.IdentityNotice) []*accusation {
	var list []*accusation
	for _, n := range open {
		at := slices.IndexFunc(list, func(a *accusation) bool { return a.citizen == n.CitizenID })
		if at < 0 {
			at = len(list)
			list = append(list, &accusation{citizen: n.CitizenID, notice: n.ID, number: n.Number, by: n.ToldIndex, phones: map[string]bool{}})
		}
		list[at].phones[n.PhoneIndex] = true
	}
	return list
}

// sift finds the notices that are meant and still open.
func sift(told []db.IdentityNotice, number string, all bool, now time.Time) (Undone, []db.IdentityNotice) {
	outcome := UndoNothing
	if !all && len(told) > 0 {
		outcome = UndoWrong
	}
	var open []db.IdentityNotice
	for _, n := range told {
		switch {
		case !all && n.Number != number:
		case !n.UndoneAt.IsZero():
			outcome = later(outcome, UndoAlready)
		case !now.Before(n.ExpiresAt.Time):
			outcome = later(outcome, UndoLate)
		default:
			outcome, open = UndoDone, append(open, n)
		}
	}
	return outcome, open
}

// later is the outcome that says more: of several notices one decides.
func later(a, b Undone) Undone {
	order := []Undone{UndoNothing, UndoWrong, UndoLate, UndoAlready, UndoDone}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}

// undo cuts off the phones of the person that an accusation is about.
func (s *Service) undo(ctx context.Context, tx *store.Tx, c caller.Caller, a *accusation) (Undone, error) {
	q, now, until := db.New(tx), dbtime.From(c.Now), c.Now.Add(DisputeLasts)
	if err := q.LockCitizen(ctx, a.citizen); err != nil { // no phone is proved meanwhile
		return "", err
	}
	all, err := q.Bindings(ctx, a.citizen)
	if err != nil {
		return "", err
	}
	was := map[string]*audit.Group{}
	for _, b := range all {
		was[b.PhoneIndex] = bindingOf(b)
	}
	outcome, err := s.doubt(ctx, q, a, all)
	if err != nil {
		return "", err
	}
	heir, err := s.heir(ctx, q, all, func(b db.IdentityBinding) bool { return b.PhoneIndex == a.by }, c.Now)
	if err != nil {
		return "", err
	}
	a.silences = heir == ""
	if err := s.cutAll(ctx, tx, c, a, all, was, until); err != nil {
		return "", err
	}
	if err := s.severAll(ctx, tx, all, cmp.Or(heir, c.Phone), heir, c.Now); err != nil {
		return "", err
	}
	if err := q.EndNotices(ctx, db.EndNoticesParams{UndoneAt: now, CitizenID: a.citizen}); err != nil {
		return "", err
	}
	if err := q.Dispute(ctx, db.DisputeParams{BlockedUntilAt: dbtime.From(until), CitizenID: a.citizen}); err != nil {
		return "", err
	}
	return outcome, s.Trail.Leave(ctx, tx, trail.Step{Event: analytics.Of(c, ServiceName, "undo_checked", "done")})
}

// doubt takes from the phones that an accusation is between that an operator cleared them,
// where an accused one was cleared, in all as well, and says what becomes of the accuser.
func (s *Service) doubt(ctx context.Context, q *db.Queries, a *accusation, all []db.IdentityBinding) (Undone, error) {
	isCleared := func(b db.IdentityBinding) bool { return !b.ClearedAt.IsZero() }
	own := slices.ContainsFunc(all, func(b db.IdentityBinding) bool { return b.PhoneIndex == a.by && isCleared(b) })
	doubted := slices.ContainsFunc(all, func(b db.IdentityBinding) bool { return a.phones[b.PhoneIndex] && isCleared(b) })
	switch {
	case !own && !doubted:
		return UndoDone, nil
	case !doubted:
		return UndoOthers, nil
	}
	for i, b := range all {
		if !isCleared(b) || b.PhoneIndex != a.by && !a.phones[b.PhoneIndex] {
			continue
		}
		if err := q.Doubt(ctx, db.DoubtParams{CitizenID: b.CitizenID, PhoneIndex: b.PhoneIndex}); err != nil {
			return "", err
		}
		all[i].ClearedAt = dbtime.Time{} // as Doubt wrote it
	}
	return UndoBoth, nil
}

// cutAll cuts off a person's phones and tells them, but those that an operator cleared; was is
// how they were bound before, by their indexes.
func (s *Service) cutAll(
	ctx context.Context, tx *store.Tx, c caller.Caller, a *accusation, all []db.IdentityBinding, was map[string]*audit.Group, until time.Time,
) error {
	for _, b := range all {
		if !b.ClearedAt.IsZero() {
			continue
		}
		if err := s.cut(ctx, tx, c, b, was[b.PhoneIndex], until); err != nil {
			return err
		}
		if b.PhoneIndex == a.by {
			continue
		}
		if err := s.tellDisputed(ctx, tx, b, a, until); err != nil {
			return err
		}
	}
	return nil
}

// cut ends what a phone proved for a person, and its codes and tokens. Each phone has a
// record of its own: what became of it must not be guessed from who stood beside it.
func (s *Service) cut(ctx context.Context, tx *store.Tx, c caller.Caller, b db.IdentityBinding, was *audit.Group, until time.Time) error {
	q, now := db.New(tx), dbtime.From(c.Now)
	if err := s.lockPhone(ctx, q, b.PhoneIndex, c.Now); err != nil {
		return err
	}
	if err := q.LapseProofsOf(ctx, db.LapseProofsOfParams{ExpiresAt: now, PhoneIndex: b.PhoneIndex, CitizenID: b.CitizenID}); err != nil {
		return err
	}
	if err := s.disenrol(ctx, q, b.CitizenID, b.PhoneIndex, c.Now); err != nil {
		return err
	}
	if err := q.CutNational(ctx, db.CutNationalParams{PhoneIndex: b.PhoneIndex, Wiped: []byte{}}); err != nil {
		return err
	}
	if err := q.LapseCodes(ctx, db.LapseCodesParams{VoidAt: now, PhoneIndex: b.PhoneIndex}); err != nil {
		return err
	}
	if err := q.NextGeneration(ctx, db.NextGenerationParams{ChangedAt: now, PhoneIndex: b.PhoneIndex}); err != nil {
		return err
	}
	if err := s.cutSignIns(ctx, tx, b.PhoneIndex, c.Now); err != nil {
		return err
	}
	b.BlockedUntilAt = dbtime.From(until) // as Dispute writes it
	entry := s.entry(c, "undo", "done", b.PhoneIndex, b.CitizenID, bindingOf(b))
	entry.Was = []*audit.Group{was}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: entry})
}

// tellDisputed tells a phone that another one's word cut it off, and who helps; where nobody is told
// of the person's affairs meanwhile, that too, and how that ends.
func (s *Service) tellDisputed(ctx context.Context, tx *store.Tx, b db.IdentityBinding, a *accusation, until time.Time) error {
	if b.PhoneSealed == nil {
		return nil
	}
	phone, err := s.Sealer.Open(b.PhoneSealed, bindingContext)
	if err != nil {
		return fmt.Errorf("open a disputed phone: %w", err)
	}
	key := "identity.disputed_sms"
	if a.silences {
		key = "identity.disputed_silent_sms"
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Messages: []notify.Message{{
		To: string(phone), Locale: spoken(b), Purpose: notify.Receipt, ExpiresAt: until,
		Dedup: "identity.dispute:" + a.notice + ":" + b.PhoneIndex,
		Text:  gsm.Pick(s.Texts.Message(spoken(b), key, "until", clock.NotBefore(until))),
	}}})
}

// sayOpen says how the caller's phone undoes the other phone that it was told of last, while
// it may. The number was sent to this phone alone.
func (s *Service) sayOpen(ctx context.Context, c caller.Caller) (dialog.Message, error) {
	told, err := s.told(ctx, db.New(s.DB.Reader()), c)
	if err != nil {
		return dialog.Message{}, err
	}
	if _, open := sift(told, "", true, c.Now); len(open) > 0 {
		return dialog.Say("identity.undo_open", "word", open[0].Number), nil
	}
	return dialog.Message{}, nil
}

// undoes reports that Undo would undo something: what was typed behind its word names a
// notice that is open.
func (s *Service) undoes(ctx context.Context, c caller.Caller, typed string) (bool, error) {
	told, err := s.told(ctx, db.New(s.DB.Reader()), c)
	if err != nil {
		return false, err
	}
	_, open := sift(told, asciiDigits(typed), typed == "", c.Now)
	return len(open) > 0, nil
}

// told are the notices to the caller's phone, the newest first; none where the phone may be
// in other hands, as it may over REST.
func (s *Service) told(ctx context.Context, q *db.Queries, c caller.Caller) ([]db.IdentityNotice, error) {
	if door(c) != doorNetwork {
		return nil, nil
	}
	told, err := q.NoticesTo(ctx, db.NoticesToParams{
		ToldIndex: s.phoneIndex(c.Phone), MadeAt: dbtime.From(c.Now.Add(-rememberNotices)),
	})
	if err != nil {
		return nil, fmt.Errorf("list what a phone was told: %w", err)
	}
	return slices.DeleteFunc(told, func(n db.IdentityNotice) bool { return !genuineNotice(s.Sealer, n) }), nil
}
