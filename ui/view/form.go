package view

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/words"
)

// Form is what was typed and ticked on one screen. It lives as long as the
// screen, in memory only. The zero Form is empty; a Form is used by one
// goroutine.
type Form struct {
	texts map[string]string
	ticks map[string]bool
}

// Text is what was typed or chosen.
func (f *Form) Text(key string) string { return f.texts[key] }

// SetText keeps what was typed or chosen.
func (f *Form) SetText(key, text string) {
	if f.texts == nil {
		f.texts = map[string]string{}
	}
	f.texts[key] = text
}

// Ticked reports whether a box is ticked.
func (f *Form) Ticked(key string) bool { return f.ticks[key] }

// SetTick keeps a tick.
func (f *Form) SetTick(key string, on bool) {
	if f.ticks == nil {
		f.ticks = map[string]bool{}
	}
	f.ticks[key] = on
}

// SignInFrom reads a clerk's name and secret.
func SignInFrom(f *Form) api.SignIn {
	return api.SignIn{Operator: proof.OperatorID(strings.TrimSpace(f.Text("operator"))), Secret: f.Text("secret")}
}

// UnlockFrom reads a supervisor's sign-in and the clerk to unlock.
func UnlockFrom(f *Form) api.Unlock {
	return api.Unlock{Supervisor: SignInFrom(f), Operator: proof.OperatorID(strings.TrimSpace(f.Text("locked")))}
}

// FirstFrom reads the first clerk; hint is the key of what is wrong, "" for
// nothing.
func FirstFrom(f *Form) (in api.FirstClerk, hint string) {
	if f.Text("secret") != f.Text("again") {
		return in, "first.differs"
	}
	impostor, okFace := date(f.Text("impostor"))
	document, okDoc := date(f.Text("document"))
	if !okFace || !okDoc {
		return in, "first.date"
	}
	return api.FirstClerk{
		Code: strings.TrimSpace(f.Text("code")), Name: strings.TrimSpace(f.Text("name")), Secret: f.Text("secret"),
		Training: proof.Training{Impostor: impostor, Document: document},
	}, ""
}

// date reads YYYY-MM-DD; an empty text is no date and fine.
func date(s string) (proof.Date, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return proof.Date{}, true
	}
	t, err := time.Parse(time.DateOnly, s)
	return proof.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}, err == nil
}

// VisitFrom reads the language that a visit is to be in.
func VisitFrom(f *Form) api.NewVisit {
	return api.NewVisit{Route: proof.PhotoDocument, Language: words.In(f.Text("language")).Language()}
}

// AnswerFrom completes an answer with what was typed and the number of events
// that the clerk saw; hint is the key of what is still missing, "" for nothing.
func AnswerFrom(a api.Answer, f *Form, v *api.Visit) (out api.Answer, hint string) {
	a.Seen = v.Events
	switch {
	case a.Do == api.DoAbandon:
		a.Reason = proof.Code(f.Text("reason"))
		if a.Reason == "" {
			return a, "abandon.choose"
		}
	case a.Do != api.DoAnswer:
	case a.Ask == proof.KeyDocument:
		a.Lines = linesFrom(f)
	case a.Ask == proof.ExamineDocument:
		return examinationFrom(a, f, v)
	}
	return a, ""
}

// linesFrom reads the typed lines, empty ones left out.
func linesFrom(f *Form) []string {
	lines := []string{}
	for _, key := range lineKeys {
		if line := strings.ToUpper(strings.TrimSpace(f.Text(key))); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// examinationFrom reads the ticks of an examination.
func examinationFrom(a api.Answer, f *Form, v *api.Visit) (api.Answer, string) {
	exam := api.Examination{
		Original: f.Ticked("original"), Details: proof.Agreement(f.Text("details")), Features: []string{}, UVIR: f.Ticked("uvir"),
	}
	if exam.Details == "" {
		return a, "exam.choose"
	}
	if v.Document != nil {
		for _, code := range v.Document.Features {
			seen, wrong := f.Ticked("seen."+code), f.Ticked("wrong."+code)
			switch {
			case seen && wrong:
				return a, "exam.both"
			case seen:
				exam.Features = append(exam.Features, code)
			case wrong:
				exam.Doubts = append(exam.Doubts, code)
			}
		}
	}
	a.Exam = &exam
	return a, ""
}

// LineNote says of each typed line how its length stands: passports have 44,
// other booklets and cards of two lines 36, cards of three lines 30 (ICAO
// 9303-4, -6, -5). It only advises; nothing is refused here.
func LineNote(w words.Words, f *Form, key string) string {
	have := utf8.RuneCountInString(strings.TrimSpace(f.Text(key)))
	if have == 0 {
		return w.Say("key.empty")
	}
	want, count := lineLength(f), w.Count("characters", have)
	switch {
	case have == want:
		return w.Say("key.right", "have", count)
	case have > want:
		return w.Say("key.long", "have", count, "over", strconv.Itoa(have-want))
	}
	return w.Say("key.short", "have", count, "missing", strconv.Itoa(want-have))
}

// lineLength is the length that the typed lines most likely want: three lines
// are a card's; two lines of which one has 36 exactly, and none more, are a
// booklet's of that size; the rest a passport's.
func lineLength(f *Form) int {
	if strings.TrimSpace(f.Text("line3")) != "" {
		return 30
	}
	longest := 0
	for _, key := range lineKeys {
		longest = max(longest, utf8.RuneCountInString(strings.TrimSpace(f.Text(key))))
	}
	if longest == 36 || longest == 30 {
		return longest
	}
	return 44
}
