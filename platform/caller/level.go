package caller

// Level is an assurance level: how surely it is known who a caller is.
type Level int

// The levels, each of which includes those before it.
const (
	LevelPhone  Level = iota // a number, by the network's word or nobody's
	LevelCode                // who holds the phone typed a one-time code that was sent to it
	LevelWeak                // a person, by the numbers that stand printed on their card
	LevelStrong              // a person, by what another with the card in hand lacks
)

// levelNames are the levels' names in the contract, in answers and in challenges.
var levelNames = [...]string{LevelPhone: "phone", LevelCode: "code", LevelWeak: "proven", LevelStrong: "strong"}

// String is the level's name in the contract.
func (l Level) String() string {
	if l < LevelPhone || l > LevelStrong {
		return "unknown"
	}
	return levelNames[l]
}
