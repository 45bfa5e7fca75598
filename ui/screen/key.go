package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// key lays out the lines to type, each with how its length stands.
func key(c Context, v view.Key) []fyne.CanvasObject {
	all := paragraphs(v.Lead)
	fields := make([]*parts.Field, len(v.Lines))
	note := func() {
		for i, line := range v.Lines {
			fields[i].SetNote(form.LineNote(c.Words, c.Form, line.Key))
		}
	}
	for i, line := range v.Lines {
		fields[i] = field(c, line, note)
		all = append(all, fields[i])
	}
	note()
	return all
}
