package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// evidence lays out the ways, the best first, and then the kinds of evidence,
// each with its boxes.
func evidence(c Context, v view.Evidence) []fyne.CanvasObject {
	all := paragraphs(v.Lead)
	if v.Heading != "" {
		all = append(all, parts.NewHeading(v.Heading))
	}
	for _, w := range v.Ways {
		all = append(all, parts.Card(parts.Column(parts.NewBold(w.Title), parts.Bullets(w.Steps))))
	}
	var kinds []fyne.CanvasObject
	for _, k := range v.Kinds {
		kinds = append(kinds, kind(c, k))
	}
	return append(all, parts.NewHeading(v.List), parts.Columns(kindWide*c.Scale, kinds...))
}

// kindWide is the least width of a kind of evidence beside another, in the
// toolkit's pixels at 100 %.
const kindWide = 420

// kind is one kind of evidence: its name, what it is worth, and where it is.
func kind(c Context, k view.Kind) fyne.CanvasObject {
	boxes := []fyne.CanvasObject{tick(c, k.Here)}
	if k.Home.Key != "" {
		boxes = append(boxes, tick(c, k.Home))
	}
	text := []fyne.CanvasObject{parts.NewBold(k.Name)}
	if k.Note != "" {
		text = append(text, quiet(k.Note))
	}
	return parts.Beside(parts.Close(text...), parts.Flow(boxes...))
}
