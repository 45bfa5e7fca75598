package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/view"
)

// sign lays out the screens of texts to type: signing in, the first clerk,
// unlocking, handing over.
func sign(c Context, v view.Sign) []fyne.CanvasObject {
	all := paragraphs(v.Lead)
	for _, f := range v.Fields {
		all = append(all, field(c, f, nil))
	}
	return all
}
