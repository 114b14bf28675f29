package identity

import (
	"context"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// The nodes of who texts of a phone that is gone, and of who looks for a person to talk to.
const (
	nodeLost     = "identity.lost"
	nodeOperator = "identity.operator"
)

// lostWords say that a phone is gone. They are phrases: "телефон" alone says nothing.
var lostWords = []string{
	"телефонумду жоготтум", "телефонумду жоготуп алдым", "телефонду жоготтум", "телефонум жоголду", "телефон жоголду", "телефонум жоголуп кетти", "телефон жоголуп кетти",
	"телефонумду жоготуп койдум", "телефонумду уурдатып алдым", "телефонумду уурдаттым", "телефонумду уурдап кетти", "телефонумду уурдап кетишти", "телефонумду уурдашты",
	"телефонум уурдалды", "телефон уурдалды", "телефонду уурдатып алдым", "сим картамды жоготтум", "сим карта жоголду", "симкартамды жоготтум", "номеримди жоготтум",
	"telefonumdu jogottum", "telefonum jogoldu", "telefonumdu uurdatyp aldym", "telefonumdu uurdattym",
	"потерял телефон", "потеряла телефон", "потеряли телефон", "телефон потерял", "телефон потеряла", "телефон потерян", "потерял свой телефон", "потеряла свой телефон",
	"телефон потерялся", "потерялся телефон", "пропал телефон", "телефон пропал", "украли телефон", "телефон украли", "украли мой телефон", "телефон украден", "украден телефон",
	"телефон у меня украли", "утерян телефон", "телефон утерян", "утеря телефона", "кража телефона", "потеря телефона", "потерял симку", "потеряла симку", "симку потерял",
	"потерял сим карту", "потеряла сим карту", "потерял симкарту", "украли симку", "poteryal telefon", "poteryala telefon", "ukrali telefon", "telefon ukrali",
	"lost my phone", "lost phone", "phone lost", "stolen phone", "phone stolen", "phone was stolen", "stole my phone", "lost my sim",
}

// operatorWords ask for a person.
var operatorWords = []string{
	"оператор", "оператор менен сүйлөшүү", "тирүү адам", "адам менен сүйлөшүү", "адам менен сүйлөшкүм келет", "живой человек", "живого человека", "живым человеком",
	"поговорить с человеком", "соедините с человеком", "operator", "human", "real person",
}

// lostCommands lead who lost a phone, or looks for a person, to where they can turn: whatever
// else such a text holds, help with it.
func lostCommands() []dialog.Command {
	return []dialog.Command{
		{Also: lostWords, Node: nodeLost},
		{Also: operatorWords, Node: nodeOperator},
	}
}

// showLost says where to turn; where this phone was told of another, first how that is
// blocked from here.
func (s *Service) showLost(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	screen := dialog.Screen{End: true}
	open, err := s.sayOpen(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	if open.Key != "" {
		screen.Body = append(screen.Body, open)
	}
	screen.Body = append(screen.Body, dialog.Say("identity.lost"))
	return screen, nil
}

func showOperator(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("identity.operator")}, End: true}
}
