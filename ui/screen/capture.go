package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// previewHigh is the height of the moving picture, in the toolkit's pixels: 480,
// as the preview is.
const previewHigh = 480

// capture lays out a camera's screen, or the chip reader's: before it starts what
// to do, while it runs the moving picture, if there is one, and one sentence.
func (b *Built) capture(c Context, v view.Capture) []fyne.CanvasObject {
	if !v.Running {
		all := paragraphs(v.Lead)
		for _, f := range v.Fields {
			all = append(all, field(c, f, nil))
		}
		return all
	}
	if v.Preview == "" {
		b.guidance = parts.NewTitle(v.Guidance)
		return append([]fyne.CanvasObject{b.guidance}, paragraphs(v.Lead)...)
	}
	b.preview = parts.NewPicture(v.Preview, c.Words.Say("word.loading"), previewHigh)
	b.guidance = parts.NewTitle(v.Guidance)
	side := parts.Column(append([]fyne.CanvasObject{b.guidance}, paragraphs(v.Lead)...)...)
	return []fyne.CanvasObject{parts.Columns(400*c.Scale, b.preview, side)}
}
