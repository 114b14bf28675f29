package paper

// Lines are the lines of a text.
func (p *Page) Lines(text string, width float64) []string { return p.lines(text, width) }
