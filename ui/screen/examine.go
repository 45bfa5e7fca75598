package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// pageHigh is the height of the document's page, in the toolkit's pixels.
const pageHigh = 360

// examine lays out the details beside the page, then what the clerk ticks.
func (b *Built) examine(c Context, v view.Examine) []fyne.CanvasObject {
	details := parts.Column(parts.NewHeading(v.Details), lines(c, v.Lines))
	page := b.picture(c, v.Page, pageHigh)
	all := append(paragraphs(v.Lead), parts.Columns(420*c.Scale, parts.Card(details), page), tick(c, v.Original), choice(c, v.Agreement))
	if len(v.Seen) > 0 {
		all = append(all, parts.NewHeading(v.Features), ticks(c, v.Seen), tick(c, v.UVIR))
		all = append(all, parts.NewHeading(v.Doubts), ticks(c, v.Wrong))
	}
	return all
}
