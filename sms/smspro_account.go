package sms

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/money"
)

// smsproPhone asks for a number's operator.
type smsproPhone struct {
	XMLName xml.Name `xml:"http://Giper.mobi/schema/PhoneDEF def"`
	smsproAccount
	Phone string `xml:"phone"`
}

// OperatorOf asks in which network a number is today (/api/def), which costs nothing.
func (s *SMSPRO) OperatorOf(ctx context.Context, phone string) (operator string, err error) {
	var answer struct {
		smsproAnswer
		Operator string `xml:"operator"`
	}
	if err := s.ask(ctx, "/api/def", smsproPhone{smsproAccount: s.account(), Phone: strings.TrimPrefix(phone, "+")}, &answer); err != nil {
		return "", err
	}
	if status, err := answer.status(); err == nil && status == smsproNoPhone {
		return "", nil
	}
	if err := answer.accepted(); err != nil {
		return "", err
	}
	return smsproOperator(answer.Operator), nil
}

// smsproNames are how a network may be called beside caller.Operators: by its licence's
// holder, or in Cyrillic letters.
var smsproNames = []struct{ part, operator string }{
	{"beeline", "Beeline"}, {"билайн", "Beeline"}, {"sky mobile", "Beeline"}, {"скай мобайл", "Beeline"},
	{"megacom", "MegaCom"}, {"мегаком", "MegaCom"}, {"alfa telecom", "MegaCom"}, {"альфа телеком", "MegaCom"},
	{"o!", "O!"}, {"о!", "O!"}, {"nur telecom", "O!"}, {"нур телеком", "O!"}, {"aktel", "Aktel"}, {"актел", "Aktel"},
}

// smsproOperator is our name of a network; empty where it is none that we know.
func smsproOperator(name string) string {
	name = strings.TrimSpace(name)
	if operator := caller.OperatorOf(name); operator != "" {
		return operator
	}
	for _, known := range smsproNames {
		if strings.Contains(strings.ToLower(name), known.part) {
			return known.operator
		}
	}
	return ""
}

// smsproInfo asks for the account.
type smsproInfo struct {
	XMLName xml.Name `xml:"info"`
	smsproAccount
}

// Credit asks what is left in the account (/api/info). Money in it opens the way that
// was closed for want of it.
func (s *SMSPRO) Credit(ctx context.Context) (Credit, error) {
	var answer struct {
		smsproAnswer
		Account []string `xml:"account"`
		Price   string   `xml:"smsprice"`
	}
	if err := s.ask(ctx, "/api/info", smsproInfo{smsproAccount: s.account()}, &answer); err != nil {
		return Credit{}, err
	}
	if err := answer.accepted(); err != nil {
		return Credit{}, err
	}
	if len(answer.Account) != 1 {
		return Credit{}, fmt.Errorf("the answer of SMSPRO has %d accounts", len(answer.Account))
	}
	left, err := smsproMoney(answer.Account[0])
	if err != nil {
		return Credit{}, errors.New("the account in the answer of SMSPRO is no amount")
	}
	credit := Credit{Left: left}
	if price, err := smsproMoney(answer.Price); err == nil {
		credit.Price = max(price, 0)
	}
	if credit.Left > 0 && credit.Left >= credit.Price {
		s.empty.begin("", s.deps.Now())
	}
	return credit, nil
}

// smsproAmount is how an amount may be written: below zero, with a comma, with parts of
// a tyiyn.
var smsproAmount = regexp.MustCompile(`^(-?)([0-9]{1,12})(?:[.,]([0-9]{1,2})[0-9]{0,6})?$`)

// smsproMoney reads an amount in som; parts of a tyiyn are dropped.
func smsproMoney(text string) (money.Amount, error) {
	parts := smsproAmount.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return 0, money.ErrAmount
	}
	amount, err := money.ParseSom(strings.TrimSuffix(parts[2]+"."+parts[3], "."))
	if parts[1] != "" {
		amount = -amount
	}
	return amount, err
}
