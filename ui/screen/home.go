package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// home lays out the screen between two visits. The language comes before the
// field, so that the digits work at once.
func home(c Context, v view.Home) []fyne.CanvasObject {
	return append(paragraphs(v.Lead), choice(c, v.Language), field(c, v.Continues, nil))
}

// devices are how the devices stand; they come last.
func devices(c Context, v view.Home) fyne.CanvasObject {
	return parts.Card(parts.Column(parts.NewHeading(v.Devices), lines(c, v.Lines), parts.NewText(v.Face)))
}
