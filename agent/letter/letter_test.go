package letter

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/slip"
	"github.com/counterproof/counterproof/sync/wire"
)

// facts are those of an invented patient's letter.
func facts() Facts {
	wren := proof.Person{Surname: proof.NewName("SPECIMEN"), Given: proof.NewName("MORGAN WREN"), Birth: proof.Date{Year: 1985, Month: 3, Day: 12}}
	return Facts{
		Ref: wire.RecordID{15: 1}.Ref(), Person: wren, Postcode: "LS1 4AP", At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		News: []wire.NoticeKind{wire.NoticeFinalKept, wire.NoticeNHSP9, wire.NoticeLetterSent},
	}
}

// text is the letter as one text, its lines joined.
func text(f Facts) string { return strings.Join(slip.Text(Lines(f)), " ") }

func TestWhatItSays(t *testing.T) {
	t.Parallel()
	f := facts()
	got := text(f)
	for _, want := range []string{"MORGAN WREN SPECIMEN", "LS1 4AP", "22/11/2026", string(f.Ref), "is final", "level P9"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, secret := range []string{"1985", "12/03", "TRAINING", "letter_sent"} {
		if strings.Contains(got, secret) {
			t.Errorf("it says %q", secret)
		}
	}
	if at := strings.Index(got, "is final"); at > strings.Index(got, "level P9") {
		t.Error("the news is not in its order")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ printed, icao, want string }{
		"as-printed": {"Müller-Ffôn", "MUELLER-FFON", "Müller-Ffôn"},
		"welsh":      {"Gŵyn", "GWYN", "Gŵyn"},
		"polish":     {"Łukasiewicz", "LUKASIEWICZ", "LUKASIEWICZ"},
		"chinese":    {"李", "LI", "LI"},
		"no-other":   {"李", "", "李"},
		"machine":    {"", "SPECIMEN", "SPECIMEN"},
	} {
		if got := named(proof.Person{Surname: proof.Name{Printed: c.printed, ICAO: c.icao}}); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// Who is written to, and what about.
func TestWhoGetsALetter(t *testing.T) {
	t.Parallel()
	wren := proof.Person{Surname: proof.NewName("SPECIMEN"), Given: proof.NewName("WREN")}
	told := []wire.NoticeKind{wire.NoticeFinalKept, wire.NoticeLetterSent}
	visit := func(prefs *proof.PreferencesGiven) route.State {
		s := route.State{Preferences: prefs}
		s.Visit.Language, s.Visit.Training = "cy", true
		s.Subject.Claim = &route.Claim{IdentityClaimed: proof.IdentityClaimed{Person: wren}}
		return s
	}
	for name, c := range map[string]struct {
		visit route.State
		told  []wire.NoticeKind
		want  bool
	}{
		"nobody-asked":        {visit(nil), told, true},
		"no-contact":          {visit(&proof.PreferencesGiven{}), told, true},
		"e-mail":              {visit(&proof.PreferencesGiven{Email: "wren@example.org"}), told, false},
		"mobile":              {visit(&proof.PreferencesGiven{Mobile: "+447700900123"}), told, false},
		"e-mail-but-letters":  {visit(&proof.PreferencesGiven{Email: "wren@example.org", Contact: "letter"}), told, true},
		"nothing-for-letters": {visit(nil), []wire.NoticeKind{wire.NoticeLetterSent}, false},
		"nobody-known":        {route.State{}, told, false},
	} {
		f, is := For(c.visit, c.told)
		if is != c.want || is && (f.Language != "cy" || !f.Training || f.Large || len(f.News) != 1) {
			t.Errorf("%s: %t, %+v; want %t", name, is, f.News, c.want)
		}
	}
	f, _ := For(visit(&proof.PreferencesGiven{Written: "large_print", Language: "en"}), told)
	if !f.Large || f.Language != "en" {
		t.Errorf("on wish: large %t, in %s", f.Large, f.Language)
	}
}

// A letter is shown as proof: it names no level that was taken back since, and none
// after a review that failed.
func TestItSaysWhatStands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		news       []wire.NoticeKind
		says, gone string
	}{
		"level-lowered":  {[]wire.NoticeKind{wire.NoticeFinalRaised, wire.NoticeNHSP9, wire.NoticeVouchWithdrawn, wire.NoticeFinalLowered, wire.NoticeNHSP5}, "level P5", "level P9"},
		"record-found":   {[]wire.NoticeKind{wire.NoticeNHSNone, wire.NoticeNHSP9}, "level P9", "could not match"},
		"review-failed":  {[]wire.NoticeKind{wire.NoticeFinalRaised, wire.NoticeNHSP9, wire.NoticeReviewFailed}, "could not complete", "P9"},
		"claim-too":      {[]wire.NoticeKind{wire.NoticeNHSP9, wire.NoticeClaimReady, wire.NoticeReviewFailed}, "could not complete", "claim code"},
		"proxy-taken":    {[]wire.NoticeKind{wire.NoticeProxySubmitted, wire.NoticeProxyGranted, wire.NoticeProxyWithdrawn}, "taken back", "was granted"},
		"proxy-at-end":   {[]wire.NoticeKind{wire.NoticeProxyGranted, wire.NoticeProxyEnded, wire.NoticeNHSP5}, "level P5", "was granted"},
		"other-news":     {[]wire.NoticeKind{wire.NoticeJoined, wire.NoticeNHSP9, wire.NoticeWishesApplied}, "level P9", "(level P5)"},
		"later-is-later": {[]wire.NoticeKind{wire.NoticeReviewFailed, wire.NoticeNHSP5}, "level P5", "level P9"},
	} {
		f := facts()
		f.News = c.news
		if got := text(f); !strings.Contains(got, c.says) || strings.Contains(got, c.gone) {
			t.Errorf("%s: it says %q", name, got)
		}
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	f := facts()
	for language, want := range map[string]string{"cy": "yn derfynol", "cy-GB": "yn derfynol", "en": "is final", "": "is final", "pl": "is final"} {
		if f.Language = language; !strings.Contains(text(f), want) {
			t.Errorf("in %q it is not %q", language, want)
		}
	}
	f.Training, f.Language = true, "en"
	if !strings.Contains(text(f), "TRAINING ONLY") {
		t.Error("a training letter does not say so")
	}
}

func TestEveryLanguageHasEveryText(t *testing.T) {
	t.Parallel()
	en, cy := slices.Sorted(maps.Keys(english.news)), slices.Sorted(maps.Keys(welsh.news))
	if !slices.Equal(en, cy) {
		t.Errorf("English has %v, Welsh %v", en, cy)
	}
	for _, w := range []words{english, welsh} {
		for _, text := range append(slices.Collect(maps.Values(w.news)), w.title, w.training, w.reference, w.close) {
			if text == "" {
				t.Error("a text is empty")
			}
		}
	}
	for _, k := range en {
		if !k.Known() || !Tells(k) {
			t.Errorf("%s is no news", k)
		}
	}
	// News that only a counter or a mailbox can act on, and the letter itself.
	for _, k := range []wire.NoticeKind{wire.NoticeLetterSent, wire.NoticeAccountReady, wire.NoticeContactNeeded, wire.NoticeRecall, wire.NoticeReviewOpen} {
		if Tells(k) {
			t.Errorf("a letter tells %s", k)
		}
	}
}

// widths of a style on the page, measured in characters.
func TestLinesFit(t *testing.T) {
	t.Parallel()
	for _, large := range []bool{false, true} {
		for _, language := range []string{"en", "cy"} {
			f := facts()
			f.Large, f.Language, f.News = large, language, wire.NoticeKinds()
			f.Person.Given = proof.NewName(strings.Repeat("VERYLONGNAME", 20))
			for _, l := range Lines(f) {
				width := map[slip.Style]int{slip.Plain: 42, slip.Head: 21, slip.Big: 21}[l.Style]
				if large && l.Text != "" && l.Style != slip.Big {
					t.Errorf("large print has %q in %s", l.Text, l.Style)
				}
				if large {
					width = 16
				}
				if n := utf8.RuneCountInString(l.Text); n > width {
					t.Errorf("%q has %d characters, %d fit", l.Text, n, width)
				}
			}
		}
	}
}

func TestPDF(t *testing.T) {
	t.Parallel()
	f := facts()
	one, err := PDF(f)
	if err != nil {
		t.Fatal(err)
	}
	two, err := PDF(f)
	if err != nil || !bytes.Equal(one, two) || !bytes.HasPrefix(one, []byte("%PDF-")) {
		t.Errorf("the same letter twice: same bytes %t, %v", bytes.Equal(one, two), err)
	}
	f.Large = true
	large, err := PDF(f)
	if err != nil || bytes.Equal(one, large) || bytes.Count(large, []byte("/Type /Page\n")) <= bytes.Count(one, []byte("/Type /Page\n")) {
		t.Errorf("large print takes no more pages: %v", err)
	}
	if bytes.Contains(one, []byte("SPECIMEN")) && bytes.Contains(one, []byte("/Title (SPECIMEN")) {
		t.Error("the title names the patient")
	}
}

// What a record says may be anything; the letter is laid out all the same.
func FuzzLines(f *testing.F) {
	f.Add("MORGAN WREN", "SPECIMEN", "LS1 4AP", true)
	f.Add("Siân", "O’Shaughnessy-Vane", "", false)
	f.Add("\x1b[2J\u202e", "\x00\xff", "\n\n", true)
	f.Fuzz(func(t *testing.T, given, surname, postcode string, large bool) {
		facts := facts()
		facts.Person = proof.Person{Given: proof.Name{Printed: given}, Surname: proof.Name{Printed: surname}}
		facts.Postcode, facts.Large = postcode, large
		for _, l := range Lines(facts) {
			if strings.ContainsAny(l.Text, "\x00\x1b\n\r\u202e") || utf8.RuneCountInString(l.Text) > 42 {
				t.Errorf("line %q", l.Text)
			}
		}
		if _, err := PDF(facts); err != nil {
			t.Error(err)
		}
	})
}
