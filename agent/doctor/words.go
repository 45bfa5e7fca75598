package doctor

import (
	_ "embed" // the sentences
	"strings"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/api"
)

//go:embed en.txt
var english string

// Words are the doctor's sentences in English, for a shell and for paper. The
// window has its own in every language.
type Words map[string]string

// English reads the sentences.
func English() Words {
	w := Words{}
	for line := range strings.Lines(english) {
		key, text, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		if ok && !strings.HasPrefix(key, "#") {
			w[key] = text
		}
	}
	return w
}

// Say gives what is wrong, why it matters and what to do about it. A finding of a
// newer program is named by its code.
func (w Words) Say(f api.Finding) (what, why, do string) {
	key := string(f.Code)
	if w[key+".what"] == "" {
		return strings.ReplaceAll(key, "_", " ") + ".", "", w["cannot_serve.do"]
	}
	fill := Filler(f, w)
	return fill.Replace(w[key+".what"]), fill.Replace(w[key+".why"]), fill.Replace(w[key+".do"])
}

// Filler puts a finding's values into a sentence.
func Filler(f api.Finding, w Words) *strings.Replacer {
	pairs := []string{"{name}", f.Name, "{id}", f.Device}
	for name, value := range f.Values {
		if name == "role" {
			value = w.role(value)
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...)
}

// role says what a device is used for.
func (w Words) role(code string) string {
	if said := w["role."+code]; said != "" {
		return said
	}
	return w["role.other"]
}

// Width is how many characters a line of a slip has, and PageWidth one of a page
// or a terminal.
const (
	Width     = 42
	PageWidth = 78
)

// Report is what a checkup found, as lines of a width: what is wrong first, the
// worst above, then how each device stands. Nothing in it is about a patient or a
// clerk.
func Report(c api.Checkup, width int) []string {
	w := English()
	p := paper{width: width}
	p.add("", "Counterproof: how this counter stands")
	p.add("", "At "+c.At.Format("2006-01-02 15:04"))
	if c.Version != "" {
		p.add("", "Version "+c.Version)
	}
	if c.Site != "" {
		p.add("", "Site "+Plain(c.Site, maxWord))
	}
	p.rule()
	p.findings(w, c.Findings)
	p.rule()
	p.devices(c.Devices)
	return p.lines
}

// paper collects lines.
type paper struct {
	width int
	lines []string
}

// findings tells what is wrong.
func (p *paper) findings(w Words, all []api.Finding) {
	if len(all) == 0 {
		p.add("", w["healthy"])
	}
	for i, f := range all {
		if i > 0 {
			p.lines = append(p.lines, "")
		}
		what, why, do := w.Say(f)
		p.add("", strings.ToUpper(w[string(f.Weight)])+": "+what)
		if why != "" {
			p.add("  ", "Why it matters: "+why)
		}
		p.add("  ", "Do this: "+do)
	}
}

// devices tells how each device stands.
func (p *paper) devices(all []api.CheckedDevice) {
	if len(all) == 0 {
		p.add("", "No device.")
	}
	for _, d := range all {
		line := Plain(d.Name, maxWord) + ": " + d.State
		if d.Problem != "" {
			line += " (" + strings.ReplaceAll(string(d.Problem), "_", " ") + ")"
		}
		p.add("", line)
		p.add("  ", Plain(d.ID, 160))
		more := []string{}
		if len(d.Can) > 0 {
			more = append(more, strings.ReplaceAll(strings.Join(d.Can, ", "), "_", " "))
		}
		if d.Profile != "" {
			more = append(more, "profile "+d.Profile+" ("+d.Tried+")")
		}
		if d.Training {
			more = append(more, "simulated")
		}
		if len(more) > 0 {
			p.add("  ", strings.Join(more, "; "))
		}
	}
}

func (p *paper) rule() { p.lines = append(p.lines, strings.Repeat("-", p.width)) }

// add appends a text. Its commands stand on lines of their own; on a page they are
// not broken, so that they can be copied.
func (p *paper) add(indent, text string) {
	for i, part := range strings.Split(text, "`") {
		part = strings.TrimSpace(part)
		switch {
		case part == "" && text != "":
		case i%2 == 1 && p.width >= PageWidth:
			p.lines = append(p.lines, indent+"    "+part)
		case i%2 == 1:
			p.wrap(indent+"  ", part)
		default:
			p.wrap(indent, part)
		}
	}
}

// wrap appends a text, broken between words; further lines are indented. A word
// that is longer than a line is cut.
func (p *paper) wrap(indent, text string) {
	line := indent
	begun := false
	for _, word := range strings.Fields(text) {
		if begun && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > p.width {
			p.lines = append(p.lines, line)
			line, begun = indent+"  ", false
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
		for utf8.RuneCountInString(line) > p.width {
			r := []rune(line)
			p.lines = append(p.lines, string(r[:p.width]))
			line = indent + "  " + string(r[p.width:])
		}
	}
	p.lines = append(p.lines, line)
}
