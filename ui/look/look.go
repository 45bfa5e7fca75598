// Package look is how the screens look: the colours of the NHS identity with
// their contrast, sizes that grow with the text, and the font.
//
// It draws nothing and stores no setting.
//
// # The laws
//
//   - Text has a contrast of at least 4.5 : 1 on what it stands on, frames and
//     focus of at least 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11); a test computes both.
//   - Focus is yellow with dark text and a dark edge, on everything.
//   - Every size follows the text's; nothing has a fixed height but its least.
//   - The font is Inter where the system has it, the toolkit's own elsewhere. No
//     font is part of the program's source.
package look

import (
	"image/color"
	"math"
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Colours, by what they are for. Those named On… are for text on the other.
var (
	Page      = rgb(0xf0f4f5) // behind everything
	Paper     = rgb(0xffffff) // fields, pictures, lists
	Ink       = rgb(0x212b32) // text
	Muted     = rgb(0x4c6272) // second text and frames
	Head      = rgb(0x005eb8) // the head's strip
	OnHead    = rgb(0xffffff)
	Go        = rgb(0x007f3b) // the recommended action
	OnGo      = rgb(0xffffff)
	GoEdge    = rgb(0x00401e)
	Plain     = rgb(0xd8dde0) // another action
	PlainEdge = rgb(0x4c6272)
	Stop      = rgb(0xb3001b) // an action that ends something, and problems
	OnStop    = rgb(0xffffff)
	StopEdge  = rgb(0x5e000e)
	Focus     = rgb(0xffeb3b) // what has the focus
	Training  = rgb(0xae2573) // the strip that says that nothing counts
)

// MinHeight is the least height of everything that can be pressed, in the
// toolkit's pixels.
const MinHeight = 56

// Scales between which the text grows.
const (
	MinScale = 1.0
	MaxScale = 2.0
)

// SizeReference is the size of what is read across the counter.
const SizeReference fyne.ThemeSizeName = "counterproofReference"

// bodySize is the text's size at 100 %, in the toolkit's pixels (19 px, NHS
// digital service manual, typography).
const bodySize = 19

// rgb makes a colour of 0xRRGGBB.
func rgb(v uint32) color.NRGBA { return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }

// Contrast is the contrast of two opaque colours, 1 to 21 (WCAG 2.2, contrast
// ratio).
func Contrast(a, b color.NRGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is the relative luminance of a colour (WCAG 2.2).
func luminance(c color.NRGBA) float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// linear undoes the gamma of one channel of sRGB.
func linear(v uint8) float64 {
	f := float64(v) / 255
	if f <= 0.04045 {
		return f / 12.92
	}
	return math.Pow((f+0.055)/1.055, 2.4)
}

// Scale is a text scale within its bounds; percent is 100 to 200.
func Scale(percent int) float32 {
	return min(max(float32(percent)/100, MinScale), MaxScale)
}

// Theme is the look for the toolkit. Make it with New; it does not change.
type Theme struct {
	scale         float32
	regular, bold fyne.Resource
}

// fontPaths are where Debian's fonts-inter puts its files.
var fontPaths = []string{
	"/usr/share/fonts/opentype/inter/Inter-Regular.otf",
	"/usr/share/fonts/opentype/inter/Inter-Bold.otf",
}

// New makes the look at a text scale of 1 to 2.
func New(scale float32) *Theme {
	t := &Theme{scale: min(max(scale, MinScale), MaxScale)}
	t.regular, t.bold = font(fontPaths[0], theme.TextFont()), font(fontPaths[1], theme.TextBoldFont())
	return t
}

// At is the same look at another scale.
func (t *Theme) At(scale float32) *Theme {
	other := *t
	other.scale = min(max(scale, MinScale), MaxScale)
	return &other
}

// font reads a font of the system, or takes the toolkit's own.
func font(path string, own fyne.Resource) fyne.Resource {
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 {
		return own
	}
	return fyne.NewStaticResource("Inter", b)
}

// Color gives the toolkit its colours; the variant is always the light one.
func (t *Theme) Color(n fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	switch n {
	case theme.ColorNameBackground:
		return Page
	case theme.ColorNameForeground:
		return Ink
	case theme.ColorNameInputBackground:
		return Paper
	case theme.ColorNameInputBorder, theme.ColorNamePlaceHolder, theme.ColorNameScrollBar:
		return Muted
	case theme.ColorNamePrimary:
		return Ink
	case theme.ColorNameFocus:
		return Focus
	case theme.ColorNameSelection:
		return rgb(0xb8d4f0)
	}
	return theme.DefaultTheme().Color(n, theme.VariantLight)
}

// Font gives the toolkit its fonts; letters of one width are the toolkit's own.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource {
	switch {
	case s.Monospace || s.Symbol:
		return theme.DefaultTheme().Font(s)
	case s.Bold:
		return t.bold
	}
	return t.regular
}

// Icon gives the toolkit its own icons; no screen relies on one.
func (t *Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

// Size gives the toolkit its sizes, which grow with the text.
func (t *Theme) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameText:
		return bodySize * t.scale
	case theme.SizeNameSubHeadingText:
		return 24 * t.scale
	case theme.SizeNameHeadingText:
		return 32 * t.scale
	case SizeReference:
		return 56 * t.scale
	case theme.SizeNameInnerPadding:
		return 12
	case theme.SizeNameScrollBar:
		return 14
	case theme.SizeNameInputBorder:
		return 2
	}
	return theme.DefaultTheme().Size(n)
}
