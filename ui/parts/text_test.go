package parts

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/counterproof/counterproof/ui/look"
)

func TestTextWrapsAtWords(t *testing.T) {
	themed(t, 1)
	text := NewText("one two three four")
	wide := func(s string) float32 { return text.measure(s).Width + 0.5 }
	for _, c := range []struct {
		rule  string
		width float32
		want  []string
	}{
		{"all-on-one-line", wide("one two three four"), []string{"one two three four"}},
		{"last-word-alone", wide("one two three fou"), []string{"one two three", "four"}},
		{"two-and-two", wide("one two "), []string{"one two", "three", "four"}},
	} {
		if got := text.wrap(c.width); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
}

func TestLongWordsAreBrokenAndNothingIsLost(t *testing.T) {
	themed(t, 2)
	for _, content := range []string{
		"P<UTOSPECIMEN<<NIA<ANGHARAD<<<<<<<<<<<<<<<<<<", "a llanfairpwllgwyngyllgogerychwyrndrobwll b", "", "é" + strings.Repeat("ŵ", 50),
	} {
		text := NewText(content)
		lines := text.wrap(150)
		if got := strings.ReplaceAll(strings.Join(lines, ""), " ", ""); got != strings.ReplaceAll(content, " ", "") {
			t.Errorf("%q became %q", content, lines)
		}
		for _, line := range lines {
			if w := text.measure(line).Width; w > 150 {
				t.Errorf("%q is %.0f wide", line, w)
			}
		}
	}
}

func TestLinesOfTheirOwnStay(t *testing.T) {
	themed(t, 1)
	slip := NewMono("one\n\n  three")
	if got := slip.wrap(500); !slices.Equal(got, []string{"one", "", "  three"}) {
		t.Errorf("%q", got)
	}
	if got, want := slip.HeightFor(500), 3*slip.measure("My").Height; got != want {
		t.Errorf("height %v, want %v", got, want)
	}
}

func TestTextIsDrawnAnewForItsWidthAndWords(t *testing.T) {
	themed(t, 1)
	text := NewText("one two")
	text.Resize(fyne.NewSize(500, 30))
	if got := shown(text); !slices.Equal(got, []string{"one two"}) {
		t.Fatalf("%q", got)
	}
	text.Resize(fyne.NewSize(text.measure("one").Width+1, 60))
	if got := shown(text); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("narrow: %q", got)
	}
	text.SetText("six")
	if got := shown(text); !slices.Equal(got, []string{"six"}) || text.Label() != "six" {
		t.Errorf("after a change: %q", got)
	}
	if text.MinSize().Width > 60 {
		t.Errorf("the least width is %v: a narrow window would cut", text.MinSize().Width)
	}
}

func TestTextsSayWhatTheyAre(t *testing.T) {
	themed(t, 1)
	for _, c := range []struct {
		text *Text
		role Role
		size fyne.ThemeSizeName
		bold bool
	}{
		{NewText("a"), RoleText, theme.SizeNameText, false},
		{NewBold("a"), RoleText, theme.SizeNameText, true},
		{NewTitle("a"), RoleHeading, theme.SizeNameHeadingText, true},
		{NewHeading("a"), RoleHeading, theme.SizeNameSubHeadingText, true},
		{NewReference("a"), RoleText, look.SizeReference, true},
	} {
		if c.text.Role() != c.role || c.text.size != c.size || c.text.style.Bold != c.bold || c.text.States() != nil {
			t.Errorf("%v %v %v", c.text.Role(), c.text.size, c.text.style)
		}
		if c.text.AccessibilityLabel() != "a" || c.text.AccessibilityRole() != fyne.AccessibleRoleText {
			t.Error("the toolkit's screen reader hears something else")
		}
	}
}
