package screen

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// slip lays out the reference, large, and the slip's text.
func slip(_ Context, v view.Slip) []fyne.CanvasObject {
	ref := parts.Card(parts.Column(parts.NewHeading(v.Label), parts.NewReference(v.Ref)))
	all := append(paragraphs(v.Lead), ref)
	if len(v.Lines) == 0 {
		return all
	}
	paper := parts.Card(parts.NewMono(strings.Join(v.Lines, "\n")))
	return append(all, parts.NewHeading(v.Paper), paper)
}
