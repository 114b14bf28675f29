package fine

import (
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/payment"
)

// commands are the words that lead to the fines of a plate. Paying alone means
// nothing else here.
func commands() []dialog.Command {
	return []dialog.Command{
		{
			Words: []string{"айып", "штраф", "aiyp", "ayyp", "ayip", "shtraf", "fines"},
			Also: []string{
				"штарф", "айып пул", "айыппул", "жаза пул", "жол эрежеси", "эреже бузуу", "жкэ", "гаи", "гибдд", "пдд", "гуобдд", "протокол", "нарушение",
				"постановление", "penalty", "fine", "traffic fine", "камера",
			},
			Ask: nodePlate, Bare: nodePlate,
		},
		{
			Also: []string{"төлө", "төлөм", "оплата", "оплатить", "заплатить", "погасить", "pay", "payment"},
			Weak: true, Ask: nodePlate, Bare: nodePlate,
		},
		{
			Also: []string{
				"менин унаам", "менин унааларым", "унаамды кошуу", "унаа кошуу", "мои машины", "моя машина", "моё авто", "добавить машину", "my cars", "my car", "add a car",
			},
			Node: nodeCars, To: ownCars,
		},
		{
			Words: []string{"даттануу", "жалоба", "dattanuu", "zhaloba", "appeal"},
			Also: []string{
				"менин даттануум", "даттануу берүү", "айыпка даттануу", "мои жалобы", "обжаловать", "обжалование", "обжаловать штраф", "оспорить штраф", "my appeals", "appeal a fine",
			},
			Node: nodeAppeals, To: ownAppeals,
		},
	}
}

// unmistakable is how a plate is written that cannot be anything else, whatever
// stands around it: with KG, or without a space.
var unmistakable = regexp.MustCompile(`(?i)^0[1-9][ .-]*[kк][ ]*[gг]|^\S*$`)

// findPlate reads a piece of a text as a plate of a published format. Among other
// words the shortest ones, "150 кв" or "1000KG", mean something else.
func findPlate(piece string, alone bool) (string, bool) {
	plate, err := ParsePlate(piece)
	if err != nil || !plate.Sure {
		return "", false
	}
	if !alone && (oldCompany.MatchString(plate.Text) || !unmistakable.MatchString(strings.TrimSpace(piece))) {
		return "", false
	}
	return plate.Text, true
}

// hint says that a number looks like the code of a payment, which is paid elsewhere.
func hint(number string) (dialog.Message, bool) {
	switch {
	case payment.ValidCode(number):
		return dialog.Say("fine.like_code"), true
	case len(number) == payment.CodeDigits && number[0] != '0': // a phone as it is dialled here begins with 0
		return dialog.Say("fine.like_code_wrong"), true
	}
	return dialog.Message{}, false
}
