package certificate

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/problem"
)

// Registers are whom the certificates' data is asked. All but the first two may be nil: what they
// would answer for is not issued then.
type Registers struct {
	Residents Register
	Civil     CivilRegister
	Vehicles  VehicleRegister
	Fund      SocialFund
	Taxes     TaxRegister
	Land      LandRegister
	Schools   SchoolRegister
}

// fetch asks what a certificate of one kind says of a person; its kind is filled in later. A person
// whom the register of residents does not know is not ok; what else refuses is a problem that names
// the register.
type fetch func(ctx context.Context, q Question) (record Record, ok bool, err error)

// mapping gives a kind's fetch, nil where a register that it needs is not connected.
type mapping func(r Registers) fetch

// mappings are those that the catalogue names.
var mappings = map[string]mapping{
	"residence":    residence,
	"family":       family,
	"birth":        birth,
	"pin":          assignment,
	"vehicles":     vehicles,
	"pension":      pension,
	"account":      account,
	"taxes":        taxes,
	"property":     property,
	"unencumbered": unencumbered,
	"student":      student,
}

// fetch is how a kind's registers are asked; nil where one is not connected, and of a kind that is not
// issued here.
func (s *Service) fetch(k Kind) fetch {
	e, listed := k.entry()
	if !listed || e.Mapping == "" {
		return nil
	}
	return mappings[e.Mapping](s.Registers)
}

// ask makes the record of what the registers say about the personal number.
func (s *Service) ask(ctx context.Context, kind Kind, q Question) (record Record, ok bool, err error) {
	record, ok, err = s.fetch(kind)(ctx, q)
	if err != nil || !ok {
		return Record{}, false, err
	}
	record.Kind = kind
	if kind.of().Address {
		record.Places = s.places.edition()
	}
	return record, true, nil
}

// Offered reports that the kind is issued here and now: its registers are connected.
func (s *Service) Offered(k Kind) bool { return s.fetch(k) != nil }

// Catalogue lists all kinds of the state's certificates, in the order of the menu.
func Catalogue() []Entry { return catalogue() }

// offered are the kinds that are issued, in the order of the menu; the others are all else.
func (s *Service) offered() (kinds, others []Kind) {
	for _, e := range catalogue() {
		if s.Offered(e.Code) {
			kinds = append(kinds, e.Code)
		} else {
			others = append(others, e.Code)
		}
	}
	return kinds, others
}

// because keeps what a register's failure was, and has the person told which register it is of: away
// is the sentence. What is no failure of a register stays.
func because(err error, away *problem.Error) error {
	failed := problem.From(err)
	if err == nil || failed.Code != problem.Unavailable && failed.Code != problem.Upstream {
		return err
	}
	return fmt.Errorf("ask a register: %w", away.Because(err).After(failed.RetryAfter))
}
