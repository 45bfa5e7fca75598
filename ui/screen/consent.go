package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// consent lays out a question to the patient, with the clerk's part below.
func consent(v view.Consent) []fyne.CanvasObject {
	text := parts.Card(parts.Column(paragraphs(v.Lead)...))
	return []fyne.CanvasObject{text, parts.NewBold(v.Ask)}
}
