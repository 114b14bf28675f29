package certificate

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// placesFile has the regions and districts in both languages. The Russian column of
// every paper must read for ever as it was printed: a row is never changed; one that
// mends it is added with the next number in its column "since".
//
//go:embed places.csv
var placesFile string

// place is a region or a district.
type place struct {
	soate  string // its code in the State classifier of administrative units
	ky, ru string
	since  int // the first edition of the list that has it
}

// regionDigits is how much of a SOATE code names the region.
const regionDigits = 5

// The words that follow the name of a region and of a district.
const (
	regionWord   = " облусу"
	districtWord = " району"
)

// places is the list; a later row of the same name comes later.
type places []place

func loadPlaces() (places, error) {
	rows, err := csv.NewReader(strings.NewReader(placesFile)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("places.csv: %w", err)
	}
	var list places
	for _, row := range rows[1:] { // soate_code, name_ky, name_ru, since, source
		since, err := strconv.Atoi(row[3])
		if err != nil {
			return nil, fmt.Errorf("places.csv: %w", err)
		}
		list = append(list, place{soate: row[0], ky: row[1], ru: row[2], since: since})
	}
	return list, nil
}

// edition is the number of the newest edition.
func (l places) edition() int {
	newest := 0
	for _, p := range l {
		newest = max(newest, p.since)
	}
	return newest
}

// find gives the place that has a Kyrgyz name in an edition.
func (l places) find(ky string, edition int) (place, bool) {
	var found place
	for _, p := range l {
		if p.ky == ky && p.since <= edition {
			found = p
		}
	}
	return found, found.ky != ""
}

// russian gives an address of the register with the regions and districts that an
// edition knows in Russian; all else stays as the register has it. Edition 0 knows none.
func (l places) russian(address string, edition int) string {
	parts := strings.Split(address, ", ")
	for i, part := range parts {
		p, known := l.find(part, edition)
		if !known {
			continue
		}
		parts[i] = p.ru
		// The register writes a region without its word ("Чүй"): a town has the same
		// name, so only before a district of that region is it the region.
		if i != 1 || !strings.HasSuffix(p.ky, districtWord) {
			continue
		}
		if region, ok := l.find(parts[0]+regionWord, edition); ok && region.soate[:regionDigits] == p.soate[:regionDigits] {
			parts[0] = region.ru
		}
	}
	return strings.Join(parts, ", ")
}
