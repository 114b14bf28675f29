package fine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// Bill is an unpaid fine as anybody may see it.
type Bill struct {
	// Number is the payment code in the register, up to 19 digits.
	Number string
	// Amount is the fine in full, as the register has it.
	Amount money.Amount
	// Due is what the register takes for it now, a discount counted.
	Due money.Amount
	// Paying says that it is paid through us and the register is being told.
	Paying bool
	// Told says that it is Paying and the caller gets a message when that ends.
	Told bool
}

// Percent is what share of the fine its discount is now.
func (b Bill) Percent() int { return percentOff(b.Amount, b.Due) }

// Listing is what is owed on a plate.
type Listing struct {
	Plate Plate
	// Known is false for a plate that the register does not know: then nothing is
	// known about its fines. Known without Bills is registered and clean.
	Known bool
	Bills []Bill
	// Total is what can be paid now: the dues that are not being paid already.
	Total money.Amount
	// Heavy warns that the unpaid total is above that from which a car can be impounded.
	Heavy bool
}

// Payable are the numbers of the fines that can be paid now.
func (l Listing) Payable() []string {
	var numbers []string
	for _, b := range l.Bills {
		if !b.Paying {
			numbers = append(numbers, b.Number)
		}
	}
	return numbers
}

const (
	// window is how long what was looked at is remembered.
	window = time.Hour
	// asking bounds the register's check calls at once for one look-up.
	asking = 4
)

// differentPlates is how many a caller may look at. One looked at in this window is
// looked at again for nothing.
var differentPlates = limit.Rule{
	Name: "fine:plates", What: "different plates looked up", Who: "a phone", Rate: limit.Rate{N: 10, Per: window},
	Refusal: "problem.fine_plates", In: limit.InLimiter,
}

// Limits are the rules of fines, for the table of all.
func Limits() []limit.Rule {
	return []limit.Rule{differentPlates, photosSeen, photoLinksSent, appealsMade, filesSent}
}

var (
	errPhone  = problem.New(problem.Unauthenticated, "problem.fine_phone")
	errPlates = problem.New(problem.TooMany, "problem.fine_plates", "n", differentPlates.N)
	errNumber = problem.New(problem.Invalid, "problem.fine_number")

	// billNumber is a payment code of the register, an int64 there. Without leading noughts: a
	// bill is claimed by its text, and has one.
	billNumber = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
)

// Lookup finds what is owed on a plate, in any spelling. Problems: fine_plate,
// fine_plates (too many different ones), fine_phone, and the registry's.
func (s *Service) Lookup(ctx context.Context, c caller.Caller, typed string) (Listing, error) {
	plate, err := ParsePlate(typed)
	if err != nil {
		return Listing{}, err
	}
	if err := s.admit(ctx, c, plate); err != nil {
		return Listing{}, err
	}
	found, err := s.Register.ByPlate(ctx, s.call(c), plate.Text)
	if err != nil {
		return Listing{}, fmt.Errorf("look up a plate: %w", err)
	}
	list := Listing{Plate: plate, Known: found.Registered}
	if list.Bills, err = s.price(ctx, c, found.Fines); err != nil {
		return Listing{}, err
	}
	for _, b := range list.Bills {
		if !b.Paying {
			list.Total += b.Due
		}
	}
	if err := s.noteBills(ctx, c, list.Bills); err != nil {
		return Listing{}, err
	}
	list.Heavy = list.Total > heavyTotal(c.Now)
	return list, nil
}

// admit counts the different plates of a caller. Whether one was looked at is known and
// counted in one step: look-ups of one plate at once are one.
func (s *Service) admit(ctx context.Context, c caller.Caller, plate Plate) error {
	if c.Phone == "" {
		return errPhone
	}
	who := s.Sealer.Index("fine.caller", c.Phone)
	seen := s.Sealer.Index("fine.plate", c.Phone+"|"+plate.Text)
	ok, wait, err := s.Limiter.AllowOnce(ctx, "fine:plates:"+who, seen, differentPlates.Rate)
	if err != nil {
		return fmt.Errorf("count look-ups: %w", err)
	}
	if !ok {
		return errPlates.Until(c.Now, wait)
	}
	return nil
}

// billOf is the pseudonym of one phone's view of one fine.
func billOf(sealer *seal.Sealer, c caller.Caller, number string) string {
	return sealer.Index("fine.bill", c.Phone+"|"+number)
}

// noteBills keeps which fines the caller was shown: only these can be opened.
func (s *Service) noteBills(ctx context.Context, c caller.Caller, bills []Bill) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := db.New(tx).ForgetLookups(ctx, dbtime.From(c.Now.Add(-window))); err != nil {
			return err
		}
		for _, b := range bills {
			note := db.NoteLookupParams{ID: billOf(s.Sealer, c, b.Number), LookedAt: dbtime.From(c.Now)}
			if err := db.New(tx).NoteLookup(ctx, note); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note the fines that were shown: %w", err)
	}
	return nil
}

// call says to the register who asks, by a pseudonym that our audit resolves,
// and why.
func (s *Service) call(c caller.Caller) registry.Call {
	return registry.Call{UserID: pseudonym(s.Sealer.Index("fine.caller", c.Phone)), Issue: s.issue(c)}
}

// issue is our number of a case that has no application: a pseudonym of the
// turn, which a channel may have named by a phone or in any characters.
func (s *Service) issue(c caller.Caller) string {
	if c.Key != "" {
		return pseudonym(s.Sealer.Index("fine.turn", c.Key))
	}
	return fmt.Sprintf("%s-%d", Name, c.Now.UnixMicro())
}

// price asks the register what each fine costs now. One that is paid or closed
// meanwhile is left out.
func (s *Service) price(ctx context.Context, c caller.Caller, fines []registry.PlateFine) ([]Bill, error) {
	bills := make([]Bill, len(fines))
	call := s.call(c)
	err := atOnce(len(fines), func(i int) (err error) {
		bills[i], err = s.priceOne(ctx, c, call, fines[i])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("price fines: %w", err)
	}
	return slices.DeleteFunc(bills, func(b Bill) bool { return b.Number == "" }), nil
}

// atOnce asks the register n questions, a few at once.
func atOnce(n int, ask func(i int) error) error {
	failed := make([]error, n)
	slots := make(chan struct{}, asking)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			failed[i] = ask(i)
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

func (s *Service) priceOne(ctx context.Context, c caller.Caller, call registry.Call, f registry.PlateFine) (Bill, error) {
	number := f.PaymentNumber
	answer, err := s.Cashier.Check(ctx, call, number, priceOnly, c.Now)
	if err != nil || answer.Code != registry.CodeOK {
		return Bill{}, err
	}
	bill := Bill{Number: number, Amount: f.Amount, Due: answer.Cost}
	if bill.Paying, err = s.Payments.Claimed(ctx, Name, number); err != nil || !bill.Paying {
		return bill, err
	}
	bill.Told, err = s.Payments.Told(ctx, c, Name, number)
	return bill, err
}
