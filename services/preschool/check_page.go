package preschool

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// checkPage is how many registrations are looked at together.
const checkPage = 1000

// readPage reads the registrations after an id with all that belongs to each.
func readPage(ctx context.Context, tx *sql.Tx, after string) (page []*file, err error) {
	byID := map[string]*file{}
	err = store.Rows(ctx, tx, "SELECT id, number, turn, state, child_index, child, citizen_id, phone_index, phone, locale, cohort, benefit, benefit_rank, "+
		"registered_at, queued_at, moved_from, active_child, place_kept_until_at, COALESCE((SELECT o.number FROM preschool_registrations o "+
		"WHERE o.child_index = preschool_registrations.child_index AND o.queued_at = preschool_registrations.queued_at AND o.state = 'withdrawn' "+
		"AND o.registered_at < preschool_registrations.registered_at ORDER BY o.registered_at DESC, o.id DESC LIMIT 1), '') FROM preschool_registrations WHERE id > $1 ORDER BY id LIMIT $2", []any{after, checkPage},
		func(rows *sql.Rows) error {
			f := &file{}
			r := &f.row
			page = append(page, f)
			err := rows.Scan(&r.ID, &r.Number, &r.Turn, &r.State, &r.ChildIndex, &r.Child, &r.CitizenID, &r.PhoneIndex, &r.Phone, &r.Locale,
				&r.Cohort, &r.Benefit, &r.BenefitRank, &r.RegisteredAt, &r.QueuedAt, &r.MovedFrom, &r.ActiveChild, &r.PlaceKeptUntilAt, &f.placeOf)
			byID[r.ID] = f
			return err
		})
	if err != nil || len(page) == 0 {
		return nil, err
	}
	stretch := []any{after, page[len(page)-1].row.ID}
	err = store.Rows(ctx, tx, "SELECT registration_id, choice, kindergarten, name_ky, name_ru, cohort FROM preschool_choices "+
		"WHERE registration_id > $1 AND registration_id <= $2 ORDER BY registration_id, choice", stretch,
		func(rows *sql.Rows) error {
			var c db.PreschoolChoice
			if err := rows.Scan(&c.RegistrationID, &c.Choice, &c.Kindergarten, &c.NameKy, &c.NameRu, &c.Cohort); err != nil {
				return err
			}
			if f := byID[c.RegistrationID]; f != nil {
				f.choices = append(f.choices, c)
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return page, store.Rows(ctx, tx, "SELECT id, registration_id, number, kindergarten, name_ky, name_ru, intake, age, state, actor, offered_at, expires_at, "+
		"answered_at, answered_by, shut_out_at FROM preschool_offers WHERE registration_id > $1 AND registration_id <= $2 ORDER BY registration_id, offered_at, id", stretch,
		func(rows *sql.Rows) error {
			var o db.PreschoolOffer
			err := rows.Scan(&o.ID, &o.RegistrationID, &o.Number, &o.Kindergarten, &o.NameKy, &o.NameRu, &o.Intake, &o.Age, &o.State, &o.Actor,
				&o.OfferedAt, &o.ExpiresAt, &o.AnsweredAt, &o.AnsweredBy, &o.ShutOutAt)
			if f := byID[o.RegistrationID]; f != nil {
				f.offers = append(f.offers, o)
			}
			return err
		})
}

// between are the things that two tables say, each with how to name a row where they
// differ.
var between = [][2]string{
	{"choice %s of the registration %s stands in the queue where its registration does not",
		"SELECT c.choice, c.number FROM preschool_choices c JOIN preschool_registrations r ON r.id = c.registration_id " +
			"WHERE c.queued_at <> r.queued_at OR c.benefit_rank <> r.benefit_rank OR c.cohort <> r.cohort OR c.number <> r.number " +
			"OR c.queued <> (r.state IN ('waiting', 'offered'))"},
	{"the child of the registration %s has a place, and is %s too: have one given back (eshik staff take-back)",
		// They are of before that was refused.
		"SELECT r.number, other.state || ' by the registration ' || other.number FROM preschool_registrations r " +
			"JOIN preschool_registrations other ON other.child_index = r.child_index AND other.id <> r.id " +
			"WHERE r.state = 'placed' AND other.state NOT IN ('left', 'withdrawn') AND (other.state <> 'placed' OR other.number > r.number) " +
			"ORDER BY r.number, other.number"},
	{"choice %s of the registration %s belongs to no registration",
		"SELECT c.choice, c.number FROM preschool_choices c LEFT JOIN preschool_registrations r ON r.id = c.registration_id WHERE r.id IS NULL"},
	{"the offer %s to the registration %s belongs to no registration",
		"SELECT o.id, o.number FROM preschool_offers o LEFT JOIN preschool_registrations r ON r.id = o.registration_id WHERE r.id IS NULL"},
	{"of the seats of the kindergarten %s, others are taken than the offers hold: age, taken, held %s",
		"SELECT s.kindergarten, s.age || ', ' || s.taken || ', ' || COUNT(o.id) FROM preschool_seats s LEFT JOIN (" +
			"SELECT h.id, h.kindergarten, h.intake, h.age FROM preschool_offers h JOIN preschool_registrations r ON r.id = h.registration_id " +
			"WHERE h.state = 'open' OR h.state = 'accepted' AND r.state <> 'left') o " +
			"ON o.kindergarten = s.kindergarten AND o.intake = s.intake AND o.age = s.age " +
			"GROUP BY s.kindergarten, s.intake, s.age, s.taken HAVING s.taken <> COUNT(o.id)"},
}

// tablesApart names what stands otherwise in one table than in another.
func tablesApart(ctx context.Context, tx *sql.Tx) (found []error, err error) {
	for _, b := range between {
		err = store.Rows(ctx, tx, b[1], nil, func(rows *sql.Rows) error {
			var which, of string
			if err := rows.Scan(&which, &of); err != nil {
				return err
			}
			found = append(found, fmt.Errorf(b[0], which, of))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
