package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// queue lays out the list of records.
func queue(v view.Queue) []fyne.CanvasObject {
	return append(paragraphs(v.Lead), parts.Card(parts.Column(paragraphs(v.Items)...)))
}
