package opener

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
)

// screen shows results on a writer. It tells of a failure, so that a result that
// nobody saw is not passed over.
type screen struct {
	out    io.Writer
	json   bool        // one object a line
	claims bool        // with personal data
	failed func(error) // called when a result could not be written
}

// show writes one result.
func (s screen) show(r Result) {
	write := writeText
	if s.json {
		write = writeJSON
	}
	var p *person
	if s.claims {
		p = personOf(r)
	}
	if err := write(s.out, r, p); err != nil {
		s.failed(fmt.Errorf("showing a result: %w", err))
	}
}

// person is who a record claims, shown only when asked for.
type person struct {
	Surname  string `json:"surname"`
	Given    string `json:"given_names"`
	Birth    string `json:"birth_date"`
	Document string `json:"document_type"`
	Issuer   string `json:"issuer"`
	Number   string `json:"document_number"`
	Expiry   string `json:"expiry_date"`
}

// personOf takes the claims out of a result, nil where there are none.
func personOf(r Result) *person {
	v, ok := r.Visit()
	if !ok || v.Claims.Person == (proof.Person{}) {
		return nil
	}
	c := v.Claims.Person
	var d packet.DocumentClaim // the patient's first; a voucher's or proxy's is no part of who this is
	for _, claimed := range v.Claims.Documents {
		if claimed.Party == proof.Patient {
			d = claimed
			break
		}
	}
	return &person{
		printable(c.Surname.ICAO), printable(c.Given.ICAO), c.Birth.String(),
		printable(string(d.Type)), printable(d.Issuer), printable(d.Number), d.Expiry.String(),
	}
}

// writeJSON writes a result as one line; p stands under a key that says what it
// is.
func writeJSON(w io.Writer, r Result, p *person) error {
	b, err := json.Marshal(struct {
		Result
		Person *person `json:"personal_data,omitempty"`
	}{r, p})
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// writeText writes a result as a block for people, an empty line after it. What
// speaks against a record stands in capitals.
func writeText(w io.Writer, r Result, p *person) error {
	var b strings.Builder
	line := func(name, format string, values ...any) {
		fmt.Fprintf(&b, "  %-9s "+format+"\n", append([]any{name}, values...)...)
	}
	fmt.Fprintf(&b, "record %d: number %d of %s%s\n", r.LogIndex, r.Seq, orNone(string(r.Agent)), marks(r))
	line("reference", "%s", orNone(string(r.Ref)))
	if r.Kind == KindErased {
		line("erased", "%s", kindText(r.Kind))
		b.WriteByte('\n')
		_, err := io.WriteString(w, b.String())
		return err
	}
	if r.Kind != KindNone {
		line("opened", "no: %s (%s)", kindText(r.Kind), r.Kind)
		b.WriteByte('\n')
		_, err := io.WriteString(w, b.String())
		return err
	}
	line("result", "%s", verdictText(r.Verdict))
	switch {
	case r.Agrees:
		line("agrees", "yes, scored again by %s", r.Policy)
	case r.Rescored != nil:
		line("agrees", "NO, scored again by %s: %s", r.Policy, verdictText(*r.Rescored))
	default:
		line("agrees", "not known, it could not be scored again")
	}
	if r.Counter != nil {
		line("counter", "said %s", verdictText(*r.Counter))
	}
	if len(r.Findings) > 0 {
		line("HELD", "%s", join(r.Findings))
	}
	line("reasons", "%s", orNone(join(r.Reasons)))
	if len(r.Shut) > 0 {
		line("shut", "%s: the keys are kept elsewhere", join(r.Shut))
	}
	if len(r.Erased) > 0 {
		line("erased", "%s: the time is up for which it is kept", join(r.Erased))
	}
	if p != nil {
		line("PERSONAL", "for account linking only, not to be kept or copied")
		line("name", "%s, %s", p.Surname, p.Given)
		line("born", "%s", p.Birth)
		line("document", "%s of %s, %s, expires %s", p.Document, p.Issuer, p.Number, orNone(p.Expiry))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// marks are what must be seen first.
func marks(r Result) string {
	text := ""
	if r.Training {
		text += ", TRAINING: proves nobody"
	}
	if r.Again {
		text += ", shown again"
	}
	return text
}

// verdictText says a verdict in one line.
func verdictText(v Verdict) string {
	text := fmt.Sprintf("%s, level %s", v.Result, v.Level)
	if v.Profile != "" {
		text += ", profile " + v.Profile
	}
	text += ", NHS " + string(v.NHS)
	if v.Provisional {
		text += ", provisional"
	}
	return text
}

// kindText says why a record did not open and what to do.
func kindText(k Kind) string {
	switch k {
	case KindSignature:
		return "its signatures do not hold; ask the centre's operator to look at it"
	case KindDamaged:
		return "it is damaged; the site must be told to ask the patient back"
	case KindUnknownKey:
		return "it is sealed to a key that is not here; put it into the folder keys, or name its token, remove the file cursor, run again"
	case KindTraining:
		return "training and real records are opened apart; open it with an opener that is enrolled for its kind"
	case KindUnreadable:
		return "what is inside is of a version that this program does not read; update it, remove the file cursor, run again"
	case KindErased:
		return "the time is up for which it is kept, or it was destroyed on purpose"
	case KindOtherVisit:
		return "the visit inside belongs to another record; the counter must be looked at"
	}
	return "no reason is known"
}

// join writes words in a row.
func join[S ~string](words []S) string {
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return strings.Join(out, ", ")
}

// orNone puts a word where there is no text, so that no line looks cut off.
func orNone(s string) string {
	if s == "" {
		return string(proof.NoLevel)
	}
	return s
}

// maxShown bounds a name or number on the screen, in characters.
const maxShown = 100

// printable takes from a record's text what could command a terminal.
func printable(s string) string {
	out := []rune(strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s))
	return string(slices.Clip(out[:min(len(out), maxShown)]))
}
