package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// home lays out the screen between two visits.
func home(c Context, v view.Home) []fyne.CanvasObject {
	devices := parts.Column(parts.NewHeading(v.Devices), lines(c, v.Lines), parts.NewText(v.Face))
	return append(paragraphs(v.Lead), choice(c, v.Language), parts.Card(devices))
}
