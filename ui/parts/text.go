package parts

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/counterproof/counterproof/ui/look"
)

// Text is text that wraps at words, and inside a word that is too long for a
// line. Make it with NewText, NewHeading or NewMono.
type Text struct {
	widget.BaseWidget
	content string
	size    fyne.ThemeSizeName
	style   fyne.TextStyle
	ink     color.NRGBA
	role    Role
}

// NewText makes a text of the body's size.
func NewText(content string) *Text {
	return newText(content, theme.SizeNameText, fyne.TextStyle{}, RoleText)
}

// NewBold makes a bold text of the body's size.
func NewBold(content string) *Text {
	return newText(content, theme.SizeNameText, fyne.TextStyle{Bold: true}, RoleText)
}

// NewTitle makes the heading of a screen.
func NewTitle(content string) *Text {
	return newText(content, theme.SizeNameHeadingText, fyne.TextStyle{Bold: true}, RoleHeading)
}

// NewHeading makes a heading inside a screen.
func NewHeading(content string) *Text {
	return newText(content, theme.SizeNameSubHeadingText, fyne.TextStyle{Bold: true}, RoleHeading)
}

// NewReference makes a text that is read across the counter.
func NewReference(content string) *Text {
	return newText(content, look.SizeReference, fyne.TextStyle{Bold: true}, RoleText)
}

// NewMono makes a text in letters of one width.
func NewMono(content string) *Text {
	return newText(content, theme.SizeNameText, fyne.TextStyle{Monospace: true}, RoleText)
}

func newText(content string, size fyne.ThemeSizeName, style fyne.TextStyle, role Role) *Text {
	t := &Text{content: content, size: size, style: style, ink: look.Ink, role: role}
	t.ExtendBaseWidget(t)
	return t
}

// SetText changes the text; the page must be laid out again if it may wrap
// otherwise now.
func (t *Text) SetText(content string) {
	if t.content != content {
		t.content = content
		t.Refresh()
	}
}

// SetInk changes the colour.
func (t *Text) SetInk(c color.NRGBA) { t.ink = c }

// Role is text or heading.
func (t *Text) Role() Role { return t.role }

// Label is the text.
func (t *Text) Label() string { return t.content }

// States has none.
func (t *Text) States() []string { return nil }

// AccessibilityLabel tells the toolkit's screen reader the text.
func (t *Text) AccessibilityLabel() string { return t.content }

// AccessibilityRole tells the toolkit's screen reader the role.
func (t *Text) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// measure is the size of a piece on one line.
func (t *Text) measure(s string) fyne.Size {
	return fyne.MeasureText(s, t.Theme().Size(t.size), t.style)
}

// natural is the width of the longest line without wrapping.
func (t *Text) natural() float32 {
	var widest float32
	for line := range strings.SplitSeq(t.content, "\n") {
		widest = max(widest, t.measure(line).Width)
	}
	return widest
}

// HeightFor is the height that the text needs in a width.
func (t *Text) HeightFor(width float32) float32 {
	return float32(len(t.wrap(width))) * t.measure("My").Height
}

// wrap breaks the text into lines that fit a width.
func (t *Text) wrap(width float32) []string {
	var lines []string
	for para := range strings.SplitSeq(t.content, "\n") {
		if t.measure(para).Width <= width {
			lines = append(lines, para)
			continue
		}
		line := ""
		for word := range strings.SplitSeq(para, " ") {
			joined := word
			if line != "" {
				joined = line + " " + word
			}
			if t.measure(joined).Width <= width {
				line = joined
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			pieces := t.cut(word, width)
			lines = append(lines, pieces[:len(pieces)-1]...)
			line = pieces[len(pieces)-1]
		}
		lines = append(lines, line)
	}
	return lines
}

// cut breaks a word that is longer than a line.
func (t *Text) cut(word string, width float32) []string {
	var pieces []string
	piece := ""
	for _, r := range word {
		if piece != "" && t.measure(piece+string(r)).Width > width {
			pieces = append(pieces, piece)
			piece = ""
		}
		piece += string(r)
	}
	return append(pieces, piece)
}

// CreateRenderer draws the text.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	r := &textLines{text: t}
	r.fit(t.Size().Width)
	return r
}

// textLines draws a text line by line.
type textLines struct {
	text  *Text
	lines []fyne.CanvasObject
	width float32
}

// fit makes the lines for a width.
func (r *textLines) fit(width float32) {
	t := r.text
	r.width, r.lines = width, nil
	if width <= 0 {
		return
	}
	high := t.measure("My").Height
	for i, s := range t.wrap(width) {
		line := canvas.NewText(s, t.ink)
		line.TextSize, line.TextStyle = t.Theme().Size(t.size), t.style
		line.Resize(fyne.NewSize(width, high))
		line.Move(fyne.NewPos(0, float32(i)*high))
		r.lines = append(r.lines, line)
	}
}

// Layout wraps anew when the width changes.
func (r *textLines) Layout(s fyne.Size) {
	if s.Width != r.width {
		r.fit(s.Width)
	}
}

// MinSize is narrow, since the text wraps.
func (r *textLines) MinSize() fyne.Size {
	return fyne.NewSize(40, r.text.HeightFor(max(r.text.Size().Width, 40)))
}

// Refresh wraps anew.
func (r *textLines) Refresh() {
	r.fit(r.text.Size().Width)
	canvas.Refresh(r.text)
}

// Objects are the lines.
func (r *textLines) Objects() []fyne.CanvasObject { return r.lines }

// Destroy has nothing to let go.
func (r *textLines) Destroy() {}
