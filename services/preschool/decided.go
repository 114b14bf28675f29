package preschool

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// What the audit records of a registration say of its rows, by groups. Every record of
// a change says all of them, as they are from then on: the last one holds. The columns
// that no record says anything of are listed with their reasons in planted_test.go.
const (
	// groupChild: preschool_registrations.id, turn, child_index, child, cohort,
	// registered_at.
	groupChild = "child"
	// groupParent: preschool_registrations.citizen_id, phone_index, phone, locale,
	// moved_from.
	groupParent = "parent"
	// groupPlace: preschool_registrations.benefit, benefit_rank, queued_at, active_child,
	// place_kept_until_at.
	groupPlace = "place"
	// groupChoices: preschool_choices.choice, kindergarten, name_ky, name_ru, cohort.
	groupChoices = "choices"
	// groupOffer: all of preschool_offers; only where an offer is made or ends, or
	// the phone that answered it is cut off.
	groupOffer = "offer"
)

// decided reads what a registration is now: after the change, in its transaction, which
// has locked the registration's row.
func decided(ctx context.Context, tx *store.Tx, number string) (db.PreschoolRegistration, []*audit.Group, error) {
	q := db.New(tx)
	row, err := q.ByNumber(ctx, number)
	if err != nil {
		return row, nil, fmt.Errorf("read the registration for the audit log: %w", err)
	}
	choices, err := q.Choices(ctx, row.ID)
	if err != nil {
		return row, nil, fmt.Errorf("read the choices for the audit log: %w", err)
	}
	return row, registrationGroups(row, choices), nil
}

// locked locks a registration's row and reads it as a step is about to change it: what the
// step's record says that it was.
func locked(ctx context.Context, q *db.Queries, id string) (was []*audit.Group, err error) {
	row, err := q.LockRegistration(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("lock a registration: %w", err)
	}
	return rowGroups(row), nil
}

func registrationGroups(r db.PreschoolRegistration, choices []db.PreschoolChoice) []*audit.Group {
	wishes := audit.Decided(groupChoices).Number(int64(len(choices)))
	for _, c := range choices {
		wishes.Number(c.Choice, c.Cohort).Text(c.Kindergarten, c.NameKy, c.NameRu)
	}
	return append(rowGroups(r), wishes)
}

// rowGroups are the groups of the registration's own row.
func rowGroups(r db.PreschoolRegistration) []*audit.Group {
	place := audit.Decided(groupPlace).Text(r.Benefit, r.ActiveChild.String).Number(r.BenefitRank).Moment(r.QueuedAt)
	if !r.PlaceKeptUntilAt.IsZero() { // records of before do not say that there is none
		place.Moment(r.PlaceKeptUntilAt)
	}
	return []*audit.Group{
		audit.Decided(groupChild).Text(r.ID, r.Turn, r.ChildIndex).Sealed(r.Child).Number(r.Cohort).Moment(r.RegisteredAt),
		audit.Decided(groupParent).Text(r.CitizenID, r.PhoneIndex, r.Locale, r.MovedFrom).Sealed(r.Phone),
		place,
	}
}

func offerGroup(o db.PreschoolOffer) *audit.Group {
	group := audit.Decided(groupOffer).Text(o.ID, o.RegistrationID, o.Number, o.Kindergarten, o.NameKy, o.NameRu, o.State, o.Actor).
		Number(o.Intake, o.Age).Moment(o.OfferedAt, o.ExpiresAt, o.AnsweredAt)
	if o.AnsweredBy != "" { // records of before do not say from which phone
		group.Text(o.AnsweredBy)
	}
	if !o.ShutOutAt.IsZero() {
		group.Moment(o.ShutOutAt)
	}
	return group
}
