package screen

import (
	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// sheet lays out a form.
func sheet(c Context, v view.Sheet) []fyne.CanvasObject {
	return append(paragraphs(v.Lead), fill(c, v.Parts)...)
}

// fieldWide is the least width of a field beside another, in the toolkit's
// pixels at 100 %.
const fieldWide = 400

// fill lays out the parts of a form below each other; fields that follow one
// another stand side by side where there is room, in the order of the paper.
func fill(c Context, list []form.Part) []fyne.CanvasObject {
	var all, row []fyne.CanvasObject
	end := func() {
		if len(row) > 0 {
			all = append(all, parts.Columns(fieldWide*c.Scale, row...))
			row = nil
		}
	}
	for _, p := range list {
		if f, ok := p.(form.Field); ok {
			row = append(row, field(c, f, nil))
			continue
		}
		end()
		switch p := p.(type) {
		case form.Choice:
			all = append(all, choice(c, p))
		case form.Option:
			all = append(all, tick(c, p))
		case form.Group:
			all = append(all, parts.NewHeading(p.Label), ticks(c, p.Options))
		case form.Says:
			all = append(all, says(p))
		}
	}
	end()
	return all
}

// says is a text that is read out, on paper; without a heading it is for the
// clerk alone.
func says(p form.Says) fyne.CanvasObject {
	if p.Label == "" {
		return parts.Column(paragraphs(p.Texts)...)
	}
	return parts.Card(parts.Column(parts.NewHeading(p.Label), parts.Bullets(p.Texts)))
}

// field lays out a text to type; noted hears every change.
func field(c Context, f form.Field, noted func()) *parts.Field {
	c.Form.Preset(f.Key, f.Preset)
	if f.Suspect != "" && c.Form.Text(f.Key) != "" {
		f.Note, f.Wrong = f.Suspect, true
	}
	of := parts.FieldOf{
		Label: f.Label, Text: c.Form.Text(f.Key), Secret: f.Secret, Mono: f.Mono, Noted: noted != nil || f.Note != "",
		Note: f.Note, Wrong: f.Wrong,
	}
	return parts.NewField(of, func(text string) {
		c.Form.SetText(f.Key, text)
		if noted != nil {
			noted()
		}
	})
}

// Widths of an option and of a box to tick, in the toolkit's pixels at 100 %:
// where its text is longer it wraps.
const (
	optionWide = 300
	tickWide   = 360
)

// choice is a heading and its options.
func choice(c Context, v form.Choice) fyne.CanvasObject { return options(c, v, optionWide*c.Scale) }

// options lays out a choice with options of a width at most.
func options(c Context, v form.Choice, most float32) fyne.CanvasObject {
	c.Form.Preset(v.Key, v.Preset)
	var labels []string
	chosen := -1
	for i, o := range v.Options {
		labels = append(labels, o.Label)
		if o.Key == c.Form.Text(v.Key) {
			chosen = i
		}
	}
	group := parts.NewChoice(labels, chosen, func(i int) { c.Form.SetText(v.Key, v.Options[i].Key) })
	return parts.Column(parts.NewHeading(v.Label), parts.Grid(most, objects(group)...))
}

// ticks are boxes to tick beside each other.
func ticks(c Context, options []form.Option) fyne.CanvasObject {
	var all []fyne.CanvasObject
	for _, o := range options {
		all = append(all, tick(c, o))
	}
	return parts.Grid(tickWide*c.Scale, all...)
}

// tick is a box to tick.
func tick(c Context, o form.Option) *parts.Toggle {
	t := parts.NewCheckbox(o.Label, c.Form.Ticked(o.Key), func(on bool) { c.Form.SetTick(o.Key, on) })
	if o.Spoken != "" {
		t.Speak(o.Spoken)
	}
	return t
}
