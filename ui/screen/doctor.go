package screen

import (
	"image/color"

	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/ui/device"
	"github.com/counterproof/counterproof/ui/look"
	"github.com/counterproof/counterproof/ui/parts"
	"github.com/counterproof/counterproof/ui/view"
)

// doctor lays out the devices: a card each with a symbol, how it stands, what is
// wrong and what to do, and its own buttons.
func doctor(c Context, v view.Doctor) []fyne.CanvasObject {
	all := paragraphs(v.Lead)
	if v.Meter != nil {
		all = append(all, lightMeter(*v.Meter))
	}
	for _, row := range v.Rows {
		all = append(all, deviceCard(c, row))
	}
	return all
}

// deviceCard is one device.
func deviceCard(c Context, row view.DeviceRow) fyne.CanvasObject {
	said := []fyne.CanvasObject{parts.NewHeading(row.Name)}
	if row.State != "" {
		state := parts.NewBold(row.State)
		if len(row.Advice) == 0 { // what is wrong stands below, in its own words
			state.SetInk(tone(row))
		}
		said = append(said, state)
	}
	for _, fact := range row.Facts {
		said = append(said, quiet(fact))
	}
	body := []fyne.CanvasObject{parts.Aside(symbolSide*c.Scale, parts.NewSymbol(row.Symbol, tone(row), symbolSide*c.Scale), parts.Close(said...))}
	for _, a := range row.Advice {
		body = append(body, advice(a))
	}
	if len(row.Actions) > 0 {
		body = append(body, parts.Flow(objects(actions(c, row.Actions))...))
	}
	return parts.Card(parts.Column(body...))
}

// advice is one thing that is wrong, on the card of its device.
func advice(a device.Advice) fyne.CanvasObject {
	what := parts.NewBold(a.Weight + ": " + a.What)
	what.SetInk(look.Stop)
	all := []fyne.CanvasObject{what}
	if a.Why != "" {
		all = append(all, parts.NewText(a.Why))
	}
	for _, step := range a.Do {
		if step.Command {
			all = append(all, parts.NewMono(step.Text))
			continue
		}
		all = append(all, parts.NewText(step.Text))
	}
	return parts.Close(all...)
}

// tone is a colour that goes with words that say the same.
func tone(row view.DeviceRow) color.NRGBA {
	switch {
	case len(row.Advice) > 0:
		return look.Stop
	case row.Well:
		return look.Go
	}
	return look.Muted
}

// symbolSide is the side of a device's symbol, in the toolkit's pixels at 100 %.
const symbolSide = 56

// lightMeter is the light before a camera, as it is now.
func lightMeter(m device.Meter) fyne.CanvasObject {
	sentence := parts.NewHeading(m.Sentence)
	if len(m.Figures) > 0 && !m.Good {
		sentence.SetInk(look.Stop)
	}
	figures := []fyne.CanvasObject{}
	for _, f := range m.Figures {
		figures = append(figures, parts.NewText(f))
	}
	return parts.Card(parts.Column(
		parts.NewHeading(m.Title), parts.NewGauge(m.Level, m.Low, m.High, m.Good), sentence, parts.Flow(figures...),
	))
}
