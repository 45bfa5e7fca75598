package look

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

func TestContrastOfTextAndFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		a, b  color.NRGBA
		least float64
	}{
		{"text on the page", Ink, Page, 4.5}, {"text on paper", Ink, Paper, 4.5}, {"second text on the page", Muted, Page, 4.5},
		{"second text on paper", Muted, Paper, 4.5}, {"head", OnHead, Head, 4.5}, {"action", OnGo, Go, 4.5},
		{"other action", Ink, Plain, 4.5}, {"warning action", OnStop, Stop, 4.5}, {"focus text", Ink, Focus, 4.5},
		{"training strip", OnHead, Training, 4.5}, {"problem's edge", Stop, Paper, 3}, {"field's frame", Muted, Paper, 3},
		{"focus edge", Ink, Page, 3}, {"other action's edge", PlainEdge, Page, 3}, {"good's edge", Go, Paper, 3},
	} {
		if got := Contrast(c.a, c.b); got < c.least {
			t.Errorf("%s: %.2f : 1, want at least %.1f", c.name, got, c.least)
		}
	}
}

func TestContrastIsThatOfTheStandard(t *testing.T) {
	white, black, grey := rgb(0xffffff), rgb(0), rgb(0x777777)
	if got := Contrast(white, black); got < 20.99 || got > 21.01 {
		t.Errorf("black on white is %.3f, want 21", got)
	}
	// #777777 on white is the well-known pair that just fails.
	if got := Contrast(grey, white); got < 4.47 || got >= 4.5 {
		t.Errorf("#777777 on white is %.3f, want 4.48", got)
	}
	if Contrast(white, Focus) >= 4.5 {
		t.Error("white on the focus colour passes; the measure sees nothing")
	}
}

func TestScaleIsBoundAndSizesGrow(t *testing.T) {
	for percent, want := range map[int]float32{50: 1, 100: 1, 150: 1.5, 200: 2, 900: 2} {
		if got := Scale(percent); got != want {
			t.Errorf("Scale(%d) is %v, want %v", percent, got, want)
		}
	}
	one := New(1)
	two := one.At(7)
	for _, n := range []fyne.ThemeSizeName{theme.SizeNameText, theme.SizeNameHeadingText, theme.SizeNameSubHeadingText} {
		if got, want := two.Size(n), 2*one.Size(n); got != want {
			t.Errorf("%s at 200 %% is %v, want %v", n, got, want)
		}
	}
	if one.Size(theme.SizeNameScrollBar) != two.Size(theme.SizeNameScrollBar) {
		t.Error("the scroll bar grew")
	}
}

func TestThemeKeepsItsColoursInTheDark(t *testing.T) {
	look := New(1)
	for n, want := range map[fyne.ThemeColorName]color.Color{
		theme.ColorNameBackground: Page, theme.ColorNameForeground: Ink, theme.ColorNameFocus: Focus,
		theme.ColorNameInputBackground: Paper, theme.ColorNameInputBorder: Muted, theme.ColorNamePrimary: Ink,
	} {
		if got := look.Color(n, theme.VariantDark); got != want {
			t.Errorf("%s is %v, want %v", n, got, want)
		}
	}
}

func TestFontFallsBackToTheToolkits(t *testing.T) {
	own := theme.TextFont()
	if got := font("no-such-folder/Inter.otf", own); got != own {
		t.Error("a font that is not there was found")
	}
	look := New(1)
	if look.Font(fyne.TextStyle{}) == nil || look.Font(fyne.TextStyle{Bold: true}) == nil || look.Icon(theme.IconNameConfirm) == nil {
		t.Error("a font or an icon is missing")
	}
	if look.Font(fyne.TextStyle{Monospace: true}) != theme.DefaultTheme().Font(fyne.TextStyle{Monospace: true}) {
		t.Error("letters of one width are not the toolkit's")
	}
}
