package fine

import (
	_ "embed"

	"github.com/eshik-kg/eshik/platform/assurance"
)

//go:embed assurance.csv
var assuranceFile []byte

// Assurance is which level of assurance each operation of the service needs.
var Assurance = assurance.MustRead(assuranceFile)
