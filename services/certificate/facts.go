package certificate

import (
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/locales"
)

// written writes what a signed record says in one language.
type written struct {
	texts *locales.Catalogue
	loc   locales.Locale
}

func (w written) text(key string, args ...any) string {
	return w.texts.Text(w.loc, "certificate."+key, args...)
}

// lines are what the paper and the signed text say beside the holder and the address. Both languages
// have as many: what the register has in one of them only is said to be missing in the other.
func (w written) lines(r Record) []Line {
	kind := r.Kind.of()
	lines := w.facts(kind, r.Facts)
	if len(kind.Rows) > 0 {
		lines = append(lines, w.list(r, "rows_"+string(r.Kind), "none_"+string(r.Kind), w.rows(kind, r.Rows))...)
	}
	if kind.Members {
		lines = append(lines, w.list(r, "pdf_members", "pdf_alone", w.members(r.Members))...)
	}
	return lines
}

// facts are a line each: those that the register does not have are left out.
func (w written) facts(kind Entry, values []string) []Line {
	var lines []Line
	for i, value := range values {
		if i >= len(kind.Facts) {
			break // signed by a later version
		}
		if shown := w.shown(kind.Facts[i], value); shown != "" {
			lines = append(lines, Line{Label: w.text("fact_" + kind.Facts[i].Name), Value: shown})
		}
	}
	return lines
}

// list is a numbered list under one label, or the sentence that there is none.
func (w written) list(r Record, label, none string, items []string) []Line {
	label = w.text(label)
	switch {
	case r.Digest != nil: // read without what is kept here
		return []Line{{Label: label, Value: w.text("members_elsewhere", "n", r.Count)}}
	case len(items) == 0:
		return []Line{{Label: label, Value: w.text(none)}}
	}
	lines := make([]Line, len(items))
	for i, item := range items {
		lines[i] = Line{Value: fmt.Sprintf("%d. %s", i+1, item)}
	}
	lines[0].Label = label
	return lines
}

func (w written) rows(kind Entry, rows [][]string) []string {
	items := make([]string, len(rows))
	for i, row := range rows {
		var parts []string
		for j, value := range row {
			if j >= len(kind.Rows) {
				break // signed by a later version
			}
			if shown := w.shown(kind.Rows[j], value); shown != "" {
				parts = append(parts, shown)
			}
		}
		items[i] = strings.Join(parts, ", ")
	}
	return items
}

// shown is a value in words; "": nothing of it is shown in this language.
func (w written) shown(f field, value string) string {
	switch f.Type {
	case typeKY, typeRU:
		if f.Type != string(w.loc) {
			return ""
		}
		if value == "" {
			return w.text("untranslated")
		}
	case typeDay:
		value = showDate(value)
	case typeCode:
		if key := "is_" + f.Name + "_" + value; w.texts.Has("certificate." + key) {
			value = w.text(key)
		}
	}
	if key := "as_" + f.Name; value != "" && w.texts.Has("certificate."+key) {
		return w.text(key, "value", value)
	}
	return value
}

func (w written) members(members []Member) []string {
	items := make([]string, len(members))
	for i, m := range members {
		items[i] = fmt.Sprintf("%s, %s — %s", m.Name, showDate(m.Born), relation(w.texts, w.loc, m.Relation))
	}
	return items
}
