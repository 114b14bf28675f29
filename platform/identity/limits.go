package identity

import (
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/platform/limit"
)

// flood bounds a phone's own requests for codes, granted or not, before they cost a
// transaction. What is promised is counted in SQL.
var flood = limit.Rule{
	Name: "code", What: "requests for a one-time code by its own calls and texts, granted or not", Who: "a phone",
	Rate: limit.Rate{N: 20, Per: CodesPer}, Refusal: codesMany, In: limit.InLimiter, Open: true,
}

// refreshes bounds how often a sign-in is given tokens: an access token is good for a
// quarter of an hour.
var refreshes = limit.Rule{
	Name: "refresh", What: "exchanges of a refresh token", Who: "a sign-in", Rate: limit.Rate{N: 30, Per: time.Hour},
	Refusal: "problem.identity_refresh_many", In: limit.InLimiter, Open: true,
}

// stepUps is how often nobody may confirm a phone's person before no register is asked for a
// while.
var stepUps = limit.Rule{
	Name: "identity.strong", What: "checks whether a number is a person's, not confirmed", Who: "a phone and a person",
	Rate: limit.Rate{N: 10, Per: time.Hour}, Refusal: "problem.level_many", In: limit.InLimiter,
}

// The keys of refusals that several rules share.
const (
	codesMany   = "problem.identity_codes_many"
	codesUnused = "problem.identity_codes_unused"
	guessesMany = "problem.identity_guesses_many"
)

// Limits are the rules of identity, for the table of all.
func Limits() []limit.Rule {
	all := append([]limit.Rule{flood}, codeRules()...)
	all = append(all, pumpRules()...)
	all = append(all, proofRules()...)
	return append(all, refreshes, stepUps, enrolTries, secretTries, nationals, limit.Rule{
		Name: "identity.sign_ins", What: "devices that are signed in over REST", Who: "a phone", Rate: limit.Rate{N: SignInsAtMost},
		Instead: "the one that was used least lately is signed out", In: limit.InSQL,
	})
}

// codeRules are those of one-time codes, which are applied by record.plan and by guesses.
func codeRules() []limit.Rule {
	const long = "no refusal: the next code is a long one, for all who ask"
	return []limit.Rule{
		{
			Name: "identity.codes_called", What: "one-time codes by its own calls and texts", Who: "a phone",
			Rate: limit.Rate{N: CodesAtMost, Per: CodesPer}, Refusal: codesMany, In: limit.InSQL,
		},
		{
			Name: "identity.codes_open", What: "short one-time codes over REST", Who: "a phone",
			Rate: limit.Rate{N: CodesOpen, Per: CodesPer}, Instead: long, In: limit.InSQL,
		},
		{
			Name: "identity.codes_spent", What: "short codes over REST that nobody uses or somebody guesses at", Who: "a phone",
			Rate: limit.Rate{N: SpentAtMost, Per: UnusedPer}, Instead: long, In: limit.InSQL,
		},
		{
			Name: "identity.codes_sent", What: "messages with a code over REST, short or long", Who: "a phone",
			Rate: limit.Rate{N: OpenAtMost, Per: CodesPer}, Refusal: codesMany, In: limit.InSQL,
		},
		{
			Name: "identity.code_tries", What: "guesses at a short code, with its challenge and again without", Who: "a code",
			Rate: limit.Rate{N: CodeTries, Per: CodeLasts}, Instead: "401 `problem.identity_code_void`: the code is over", In: limit.InSQL,
		},
		{
			Name: "identity.long_tries", What: "guesses at a long code", Who: "a code",
			Rate: limit.Rate{N: SharedTries, Per: SharedLasts}, Instead: "401 `problem.identity_code_void`: the code is over", In: limit.InSQL,
		},
	}
}

// pumpRules are those of codes over REST that nobody uses (decision 15), which are
// applied by suspect.
func pumpRules() []limit.Rule {
	what := "one-time codes over REST that nobody used, for phones that never used one"
	rule := func(name, who string, n int, per time.Duration) limit.Rule {
		return limit.Rule{Name: name, What: what, Who: who, Rate: limit.Rate{N: n, Per: per}, Refusal: codesUnused, In: limit.InSQL}
	}
	return []limit.Rule{
		rule("identity.unused_together", "a block of 1 000 numbers, asked for from an address that has "+strconv.Itoa(SuspectAddress), SuspectBlock, UnusedPer),
		rule("identity.unused_block", "a block of 1 000 numbers", CertainBlock, UnusedPer),
		rule("identity.unused_address", "an address", CertainAddress, UnusedPer),
		rule("identity.unused_all", "everybody", UnusedPerHour, time.Hour),
	}
}

// proofRules are those of guesses at documents, which are applied by askAttempt. The
// refusal does not say the number: it would tell a stranger whether others guess about the person.
func proofRules() []limit.Rule {
	const day = 24 * time.Hour
	rule := func(name, what, who string, n int, per time.Duration) limit.Rule {
		return limit.Rule{Name: name, What: what, Who: who, Rate: limit.Rate{N: n, Per: per}, Refusal: guessesMany, In: limit.InSQL}
	}
	first := strconv.Itoa(GuessesFirst) + " a day"
	return []limit.Rule{
		rule("identity.guesses_phone", "wrong documents from a phone that is strange to the person", "a phone", GuessesByPhone, GuessesPer),
		rule("identity.guesses_person", "wrong documents from all phones that are strange to the person, but for each phone's first "+first, "a person", GuessesByPIN, GuessesPer),
		rule("identity.guesses_known", "wrong documents from a phone that was proved for the person; the right one is taken", "a phone and a person", GuessesByPair, GuessesPer),
		rule("identity.guesses_known_day", "documents from a phone that was proved for the person, the right one too", "a phone and a person", GuessesByPairDay, day),
	}
}
