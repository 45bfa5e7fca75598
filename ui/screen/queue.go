package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// queue lays out a list of lines.
func queue(v view.Queue) []fyne.CanvasObject {
	return append(paragraphs(v.Lead), parts.Card(parts.Column(paragraphs(v.Items)...)))
}

// noLimit lets an option be as wide as its text.
const noLimit = 10_000

// notices lays out the news or the accounts, a line each.
func notices(c Context, v view.Notices) []fyne.CanvasObject {
	all := paragraphs(v.Lead)
	if len(v.List.Options) == 0 {
		return all
	}
	return append(all, options(c, v.List, noLimit))
}
