package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// faceHigh is the height of a face, in the toolkit's pixels.
const faceHigh = 300

// compare lays out both faces beside each other, then the machine's view.
func (b *Built) compare(c Context, v view.Compare) []fyne.CanvasObject {
	faces := parts.Columns(260, b.picture(c, v.Portrait, faceHigh), b.picture(c, v.Live, faceHigh))
	return append([]fyne.CanvasObject{faces}, append(paragraphs(v.Lead), bannerOf(v.Machine))...)
}
