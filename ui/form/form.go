// Package form holds the forms of the screens: what each asks to be filled in,
// in the order of the paper that lies beside it, and the request that comes of
// what was typed.
//
// It draws nothing, sends nothing, and checks no rule of proofing: whether a
// number, a date or a vouch can be right the daemon says. What cannot even be
// read as a date, or was not chosen, is told here at once.
//
// # The laws
//
//   - What was typed lives in memory as long as its screen, and is never logged.
//   - Nothing is chosen beforehand that a person has to decide.
//   - What is declared or agreed to stands in the patient's language, with the
//     version of its text in the answer.
//   - A field that something is wrong with says so beside itself, in words.
package form

import (
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// Typed is what was typed and ticked on one screen. It lives as long as the
// screen, in memory only. The zero Typed is empty; one is used by one goroutine.
type Typed struct {
	texts map[string]string
	ticks map[string]bool
}

// Text is what was typed or chosen.
func (t *Typed) Text(key string) string { return t.texts[key] }

// SetText keeps what was typed or chosen.
func (t *Typed) SetText(key, text string) {
	if t.texts == nil {
		t.texts = map[string]string{}
	}
	t.texts[key] = text
}

// Preset fills in what nobody has typed or cleared yet.
func (t *Typed) Preset(key, text string) {
	if _, touched := t.texts[key]; !touched && text != "" {
		t.SetText(key, text)
	}
}

// Ticked reports whether a box is ticked.
func (t *Typed) Ticked(key string) bool { return t.ticks[key] }

// SetTick keeps a tick.
func (t *Typed) SetTick(key string, on bool) {
	if t.ticks == nil {
		t.ticks = map[string]bool{}
	}
	t.ticks[key] = on
}

// Part is one part of a form: a Field, a Choice, an Option to tick, a Group of
// them, or Says.
type Part interface{ part() }

// Field is a text to type. Its key is the name of the text in Typed.
type Field struct {
	Key, Label string
	Note       string // below the field: its form, or what is wrong
	Suspect    string // what is wrong, if anything stands in the field
	Preset     string // what it begins with
	Secret     bool   // shown as dots
	Mono       bool   // shown in letters of one width, capitals only
	Wrong      bool   // Note says what is wrong
}

// Option is one of several, or a box to tick; Key is its value or its name in
// Typed. Spoken is its whole label where others on the screen are labelled alike.
type Option struct {
	Key, Label, Spoken string
}

// Choice is one of several options. Its key is the name of the choice in Typed;
// none holds until one is chosen, except Preset.
type Choice struct {
	Key, Label string
	Options    []Option
	Preset     string
}

// Group is boxes to tick under a heading.
type Group struct {
	Label   string
	Options []Option
}

// Says is what is read or read out: sentences under a heading.
type Says struct {
	Label string
	Texts []string
}

func (Field) part()  {}
func (Option) part() {}
func (Choice) part() {}
func (Group) part()  {}
func (Says) part()   {}

// Hint is what cannot be read in what was typed, before anybody was asked. The
// zero Hint is nothing.
type Hint struct {
	Key   string // of the sentence
	Field string // that it is about, "" for the whole form
}

// Question is what a form is made for.
type Question struct {
	Words   words.Words // the clerk's language
	Visit   *api.Visit
	Ask     proof.AskKind
	Chosen  proof.EvidenceType // whose details are typed, "" where that is not known
	Problem proof.Kind         // of the last try
	Hint    Hint
}

// patient are the words in the patient's language.
func (q Question) patient() words.Words { return words.In(q.Visit.Language) }

// Parts is the form of an ask, none for asks that have no form of their own.
func Parts(q Question) []Part {
	forms := map[proof.AskKind]func(Question) []Part{
		proof.ClaimIdentity:  claimParts,
		proof.EnterEvidence:  evidenceParts,
		proof.GiveVouch:      vouchParts,
		proof.GivePractice:   practiceParts,
		proof.RequestProxy:   proxyParts,
		proof.SecondPerson:   secondParts,
		proof.RedeemClaim:    redeemParts,
		proof.SetPreferences: wishParts,
		proof.GiveFeedback:   feedbackParts,
	}
	ask, ok := forms[q.Ask]
	if !ok {
		return nil
	}
	parts := ask(q)
	for i, p := range parts {
		if f, ok := p.(Field); ok {
			parts[i] = q.Judged(f)
		}
	}
	return parts
}

// blamed are the fields that a problem can be about.
var blamed = map[proof.Kind][]string{
	proof.KindOddLetters:    {"surname", "given", "former", "issuer", "organisation"},
	proof.KindNumberWrong:   {"number", "nhs", "postcode"},
	proof.KindDateWrong:     {"birth", "issued", "expires", "known_since", "given_on", "until", "impostor", "document", "uvir"},
	proof.KindRefWrong:      {"proofing", "continues"},
	proof.KindTokenWrong:    {"token"},
	proof.KindContactWrong:  {"email", "mobile"},
	proof.KindPracticeCodes: {"ods", "account", "key", "pharmacy"},
}

// Judged says beside a field what is wrong with it.
func (q Question) Judged(f Field) Field {
	switch {
	case q.Hint.Field != "" && q.Hint.Field == f.Key:
		f.Note, f.Wrong = q.Words.Say(q.Hint.Key), true
	case slices.Contains(blamed[q.Problem], f.Key):
		_, f.Suspect = q.Words.Problem(q.Problem)
	}
	return f
}

// LabelOf is the label of the part with a key, "" where there is none.
func LabelOf(parts []Part, key string) string {
	for _, p := range parts {
		switch p := p.(type) {
		case Field:
			if p.Key == key {
				return p.Label
			}
		case Choice:
			if p.Key == key {
				return p.Label
			}
		}
	}
	return ""
}

// choice makes a choice from a closed list of the catalogue.
func choice(w words.Words, key, label, prefix string) Choice {
	c := Choice{Key: key, Label: w.Say(label)}
	for _, code := range w.Codes(prefix) {
		c.Options = append(c.Options, Option{Key: string(code), Label: w.Say(prefix + "." + string(code))})
	}
	return c
}

// keeping puts "leave as it is" before the options, and chooses it.
func keeping(w words.Words, c Choice) Choice {
	c.Options = append([]Option{{Key: "", Label: w.Say("wish.keep")}}, c.Options...)
	return c
}

// ticks makes a group of boxes from a closed list; their keys begin with the
// prefix.
func ticks(w words.Words, label, prefix string) Group {
	g := Group{Label: w.Say(label)}
	for _, code := range w.Codes(prefix) {
		key := prefix + "." + string(code)
		g.Options = append(g.Options, Option{Key: key, Label: w.Say(key)})
	}
	return g
}

// ticked are the codes of a group that are ticked.
func ticked[C ~string](t *Typed, w words.Words, prefix string) []C {
	out := []C{}
	for _, code := range w.Codes(prefix) {
		if t.Ticked(prefix + "." + string(code)) {
			out = append(out, C(code))
		}
	}
	return out
}
