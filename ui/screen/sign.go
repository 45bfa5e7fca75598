package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/parts"
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

// field lays out a text to type; noted hears every change.
func field(c Context, f view.Field, noted func()) *parts.Field {
	of := parts.FieldOf{Label: f.Label, Text: c.Form.Text(f.Key), Secret: f.Secret, Mono: f.Mono, Noted: noted != nil}
	return parts.NewField(of, func(text string) {
		c.Form.SetText(f.Key, text)
		if noted != nil {
			noted()
		}
	})
}
