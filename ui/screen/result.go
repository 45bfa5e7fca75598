package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// result lays out the level, why it is that and what would raise it.
func result(c Context, v view.Result) []fyne.CanvasObject {
	why := parts.Column(parts.NewHeading(v.Why), parts.Bullets(v.Reasons))
	raise := parts.Column(parts.NewHeading(v.Raise), parts.Bullets(v.Steps))
	return append(paragraphs(v.Lead), parts.Card(lines(c, v.Lines)), why, raise)
}
