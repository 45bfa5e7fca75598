package screen

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// result lays out the level, who showed what, why it is that and what would
// raise it.
func result(c Context, v view.Result) []fyne.CanvasObject {
	why := parts.Column(parts.NewHeading(v.Why), parts.Bullets(v.Reasons))
	raise := parts.Column(parts.NewHeading(v.Raise), parts.Bullets(v.Steps))
	all := append(paragraphs(v.Lead), parts.Card(lines(c, v.Lines)))
	if len(v.People) > 0 {
		shown := []fyne.CanvasObject{parts.NewHeading(v.Heading)}
		for _, p := range v.People {
			shown = append(shown, parts.NewBold(p.Name), parts.Bullets(p.Pieces))
		}
		all = append(all, parts.Column(shown...))
	}
	return append(all, why, raise)
}

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

// abandon lays out the reasons for ending a visit.
func abandon(c Context, v view.Abandon) []fyne.CanvasObject {
	return append(paragraphs(v.Lead), choice(c, v.Reason))
}
