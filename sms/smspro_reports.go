package sms

import (
	"context"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/notify"
)

// smsproFate is what became of a message to one phone.
type smsproFate struct {
	Number string      `xml:"number"`
	Report *smsproCode `xml:"report"`
}

// smsproReports is what they post: <report><dr>…</dr>…</report>.
type smsproReports struct {
	XMLName xml.Name `xml:"report"`
	Reports []struct {
		ID     string       `xml:"id"`
		Phones []smsproFate `xml:"phone"`
	} `xml:"dr"`
}

// smsproNotPaid is the report of a message that the account had no money for.
const smsproNotPaid = 5

// smsproFates are the reports that end a message, in the words of notify.DeliveryReceipt.
// 0 queued, 1 with the operator, 6 unknown and 7 no report came say nothing yet.
var smsproFates = map[smsproCode]string{2: "rejected", 3: "delivered", 4: "undelivered", smsproNotPaid: "failed"}

// smsproQuestion asks what became of a message.
type smsproQuestion struct {
	XMLName xml.Name `xml:"dr"`
	smsproAccount
	ID    string `xml:"id"`
	Phone string `xml:"phone"`
}

// AskReport asks what became of a message (/api/dr): by the id that is made from our
// own, so that one whose answer was lost is found too. A message that the gateway does
// not know has no status.
func (s *SMSPRO) AskReport(ctx context.Context, m notify.Unreported) (status string, err error) {
	var answer struct {
		smsproAnswer
		Phones []smsproFate `xml:"phone"`
	}
	err = s.ask(ctx, "/api/dr", smsproQuestion{smsproAccount: s.account(), ID: smsproID(m.ID), Phone: strings.TrimPrefix(m.Phone, "+")}, &answer)
	if err != nil {
		return "", err
	}
	if err := answer.accepted(); err != nil {
		return "", err
	}
	for _, told := range answer.Phones {
		phone, ok := caller.ParsePhone(told.Number)
		if !ok || phone != m.Phone || told.Report == nil {
			continue
		}
		if *told.Report == smsproNotPaid {
			s.outOfMoney()
		}
		if fate, ends := smsproFates[*told.Report]; ends {
			return fate, nil
		}
		status = "accepted"
	}
	return status, nil
}

// Register adds the callback to the application.
func (s *SMSPRO) Register(r fiber.Router) { r.Post("/sms/smspro/:secret/report", s.report) }

// report takes delivery reports. It answers 200 only when all are noted: what is
// told again changes nothing.
func (s *SMSPRO) report(c *fiber.Ctx) error {
	if subtle.ConstantTimeCompare([]byte(c.Params("secret")), []byte(s.cfg.Secret)) != 1 {
		s.deps.Refused("secret")
		return c.Status(fiber.StatusForbidden).SendString("forbidden")
	}
	if len(c.Body()) > maxForm {
		return s.deps.tooLarge(c)
	}
	var told smsproReports
	if readXML(c.Body(), &told) != nil || len(told.Reports) == 0 {
		s.deps.Refused("malformed")
		return c.Status(fiber.StatusBadRequest).SendString("<report><dr>…</dr></report> is needed")
	}
	for _, dr := range told.Reports {
		for _, phone := range dr.Phones {
			if err := s.note(c, dr.ID, phone.Number, phone.Report); err != nil {
				return c.Status(fiber.StatusServiceUnavailable).SendString("try again later")
			}
		}
	}
	return c.SendStatus(fiber.StatusOK)
}

// note takes the report about one phone; an error says that it should come again.
func (s *SMSPRO) note(c *fiber.Ctx, id, number string, outcome *smsproCode) error {
	if outcome == nil || !sidPattern.MatchString(id) {
		s.deps.Refused("malformed")
		return nil
	}
	fate, ends := smsproFates[*outcome]
	if !ends {
		return nil
	}
	if *outcome == smsproNotPaid {
		s.outOfMoney()
	}
	told := notify.DeliveryReceipt{Provider: providerSMSPRO, ID: strings.Clone(id), Status: fate}
	told.Phone, _ = caller.ParsePhone(number)
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	err := reportOrOrphan(ctx, s.deps.Deliveries, told, s.deps.Refused)
	if err != nil && !errors.Is(err, notify.ErrUnknown) {
		s.deps.Log.ErrorContext(ctx, "a delivery report was not taken", "provider", providerSMSPRO, "error", err)
		return err
	}
	return nil
}
