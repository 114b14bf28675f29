package paper

// Lines are the lines of a text.
func (p *Page) Lines(text string, width float64) []string { return p.lines(text, width) }

// Has reports that a font ("Regular", "Bold") has a letter.
func Has(name string, letter rune) (bool, error) {
	font, err := parseFont(name)
	if err != nil {
		return false, err
	}
	return has(font, letter), nil
}
