package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/view"
)

// abandon lays out the reasons for ending a visit.
func abandon(c Context, v view.Abandon) []fyne.CanvasObject {
	return append(paragraphs(v.Lead), choice(c, v.Reason))
}
