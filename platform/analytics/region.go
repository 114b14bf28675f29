package analytics

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
)

// regionsFile has the regions with their SOATE and plate codes; its source
// column says which of them are unverified.
//
//go:embed regions.csv
var regionsFile string

// Regions finds the region (ISO 3166-2) that a public code belongs to.
type Regions struct {
	byPlate map[string]string // "01" → KG-GB
	bySOATE map[string]string // "41711" → KG-GB
}

// soatePrefix is how much of a SOATE code names the region.
const soatePrefix = 5

// LoadRegions reads the embedded list.
func LoadRegions() (*Regions, error) {
	rows, err := csv.NewReader(strings.NewReader(regionsFile)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("regions.csv: %w", err)
	}
	r := &Regions{byPlate: map[string]string{}, bySOATE: map[string]string{}}
	for _, row := range rows[1:] { // iso_code, name_ky, name_ru, soate_code, plate_code, source
		r.bySOATE[row[3][:soatePrefix]] = row[0]
		r.byPlate[row[4]] = row[0]
	}
	return r, nil
}

// OfPlate is the region of a plate of the current format (01KG123ABC); "" for
// the old ones, whose letters are not decoded.
func (r *Regions) OfPlate(plate string) string {
	if len(plate) < 4 || plate[2:4] != "KG" {
		return ""
	}
	return r.byPlate[plate[:2]]
}

// OfSOATE is the region of a district's SOATE code; "" when unknown.
func (r *Regions) OfSOATE(code string) string {
	if len(code) < soatePrefix {
		return ""
	}
	return r.bySOATE[code[:soatePrefix]]
}
