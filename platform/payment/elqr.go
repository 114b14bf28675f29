package payment

import (
	"time"

	"github.com/eshik-kg/eshik/platform/elqr"
	"github.com/eshik-kg/eshik/platform/problem"
)

// ELQR is a payment as the national QR code: its payload, the link of it, and pictures.
type ELQR struct {
	Payload, Link, SVG string
	PNG                []byte
}

var (
	errNoELQR     = problem.New(problem.NotFound, "problem.payment_elqr")
	errUnpayable  = problem.New(problem.Conflict, "problem.payment_elqr_state")
	noELQRAddress = elqr.Recipient{}
)

// PayTo has payments shown as ELQR codes that pay a recipient. Call it before anything is served.
func (s *Service) PayTo(r elqr.Recipient) { s.recipient = r }

// ELQR gives the code by which a payment can be paid now. Problems: payment_elqr (we are not in
// the scheme), payment_elqr_state (it is not to be paid by its code, or no more).
func (s *Service) ELQR(p Payment, now time.Time) (ELQR, error) {
	if s.recipient == noELQRAddress {
		return ELQR{}, errNoELQR
	}
	if p.State != Awaiting || !now.Before(p.ExpiresAt) {
		return ELQR{}, errUnpayable
	}
	payload, err := s.recipient.Payload(p.Code, p.Amount)
	if err != nil {
		return ELQR{}, err
	}
	svg, png, err := elqr.Images(payload)
	return ELQR{Payload: payload, Link: elqr.Link(payload), SVG: svg, PNG: png}, err
}
