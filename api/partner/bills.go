package partner

import (
	"context"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Bills are what a partner finds for its users and has quoted (platform/payment).
type Bills interface {
	FindBills(ctx context.Context, u payment.User, s payment.Search) (payment.Found, error)
	Quote(ctx context.Context, u payment.User, service string, refs []string) (payment.PartnerQuote, error)
	QuoteByCode(ctx context.Context, partner, code string) (payment.PartnerQuote, error)
	Quotes(ctx context.Context, partner, before string, rows int) ([]payment.PartnerQuote, error)
	CancelQuote(ctx context.Context, partner, code string, now time.Time) (payment.PartnerQuote, error)
	ELQR(p payment.Payment, now time.Time) (payment.ELQR, error)
}

// lookingAtOnce bounds the searches of one request that run at once.
const lookingAtOnce = 4

// user is for whom a partner asks.
func user(ctx context.Context, name string) payment.User {
	who := api.CallerFrom(ctx)
	return payment.User{Partner: by(ctx, partners.Quote), Name: name, Locale: who.Locale, Now: who.Now, Key: who.Key}
}

// FindBills answers each search by itself: that one register is down keeps no other from
// being told.
func (s *REST) FindBills(ctx context.Context, r FindBillsRequestObject) (FindBillsResponseObject, error) {
	results := make([]BillResult, len(r.Body.Find))
	slots := make(chan struct{}, lookingAtOnce)
	var all sync.WaitGroup
	for i, key := range r.Body.Find {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			results[i] = s.look(ctx, user(ctx, r.Body.User), key)
		})
	}
	all.Wait()
	return FindBills200JSONResponse{Results: results}, nil
}

// look answers one search.
func (s *REST) look(ctx context.Context, u payment.User, key BillKey) BillResult {
	if key.Code != nil {
		return s.lookByCode(ctx, u, key)
	}
	search := payment.Search{By: payment.ByPlate}
	switch {
	case key.Plate != nil:
		search.Value = *key.Plate
	case key.Number != nil:
		search.By, search.Value = payment.ByNumber, strings.Map(digitsApart, *key.Number)
	case key.Resolution != nil:
		search.By, search.Value = payment.ByResolution, strings.Map(digitsApart, *key.Resolution)
	}
	found, err := s.Payments.FindBills(ctx, u, search)
	result := BillResult{Find: key, Answer: answerOf(found, err), Bills: []Bill{}}
	if after := problem.From(err).RetryAfter; err != nil && after > 0 {
		result.RetryAfter = api.Optional(int(math.Ceil(after.Seconds())))
	}
	for _, b := range found.Bills {
		bill := Bill{Service: b.Service, Ref: api.Optional(b.Ref), Amount: int64(b.Due), Currency: CurrencyKGS, State: BillStatePayable}
		if b.Paying {
			bill.State = BillStatePaying
		}
		result.Bills = append(result.Bills, bill)
	}
	return result
}

// answerOf tells what is not there from what nobody can say now.
func answerOf(found payment.Found, err error) BillAnswer {
	switch code := problem.From(err).Code; {
	case err != nil && code == problem.Invalid:
		return BillAnswerMalformed
	case err != nil && code == problem.TooMany:
		return BillAnswerMany
	case err != nil:
		return BillAnswerNotNow
	case !found.Known:
		return BillAnswerUnknown
	case len(found.Bills) == 0:
		return BillAnswerNone
	}
	return BillAnswerFound
}

// codeAnswers are what the decision about a payment code is as an answer.
var codeAnswers = map[payment.Decision]BillAnswer{
	payment.Approved: BillAnswerFound, payment.NotPayable: BillAnswerNone, payment.UnknownCode: BillAnswerUnknown, payment.MalformedCode: BillAnswerMalformed,
}

func (s *REST) lookByCode(ctx context.Context, u payment.User, key BillKey) BillResult {
	code := strings.Map(digitsApart, *key.Code)
	result := BillResult{Find: key, Answer: BillAnswerNotNow, Bills: []Bill{}}
	a, err := s.Payments.Check(ctx, u.Partner, code, 0)
	if known, ok := codeAnswers[a.Decision]; ok && err == nil {
		result.Answer = known
	}
	if result.Answer == BillAnswerFound {
		result.Bills = []Bill{{Service: a.Service, Code: &code, Amount: int64(a.Due), Currency: CurrencyKGS, State: BillStatePayable}}
	}
	return result
}
