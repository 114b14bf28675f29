package certificate

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// How many numbers may be asked about. Who shows who they are by their phone counts by
// it; others by their address, which may be a whole village's. Only what found nothing
// is a guess; the wide bounds are on every number, as one that is found answers also
// after the last guess.
var (
	guessesByPhone   = limit.Rate{N: 30, Per: time.Hour}
	guessesByAddress = limit.Rate{N: 300, Per: time.Hour}
	numbersByPhone   = limit.Rate{N: 300, Per: time.Hour}
	numbersByAddress = limit.Rate{N: 3000, Per: time.Hour}
)

// check finds an issued or revoked certificate for anybody who asks, within the
// bounds. A refused one leaves no mark, so that asking twice gains nothing.
func (s *Service) check(ctx context.Context, c caller.Caller, number string) (db.Certificate, intent, error) {
	const many = "problem.certificate_checks_many"
	if err := s.within(ctx, c, many, s.own(c, "number", numbersByPhone, numbersByAddress)); err != nil {
		return db.Certificate{}, intent{}, err
	}
	row, in, err := s.issued(ctx, number)
	if err == nil || problem.From(err).Code != problem.NotFound {
		return row, in, err
	}
	if many := s.within(ctx, c, many, s.own(c, "guess", guessesByPhone, guessesByAddress)); many != nil {
		return db.Certificate{}, intent{}, many
	}
	return db.Certificate{}, intent{}, err
}

// own is the one bound that a caller counts against: of the phone, or else the address.
func (s *Service) own(c caller.Caller, kind string, byPhone, byAddress limit.Rate) limit.Bound {
	if c.Phone != "" {
		return s.bound(kind+":phone", c.Phone, byPhone)
	}
	return s.bound(kind+":address", c.Network(), byAddress)
}
