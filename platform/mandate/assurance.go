package mandate

import (
	_ "embed"

	"github.com/eshik-kg/eshik/platform/assurance"
)

//go:embed assurance.csv
var assuranceFile []byte

// Assurance is which level of assurance each operation of mandates needs.
var Assurance = assurance.MustRead(assuranceFile)

//go:embed policy.csv
var policyFile []byte

// policy is for how long a mandate is given at most, from which day.
var policy = assurance.MustRead(policyFile)
