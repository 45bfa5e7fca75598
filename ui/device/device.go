// Package device decides how the counter's devices are shown: how each stands, what
// is wrong in plain words, what to do about it, and the light before a camera. Its
// structs are data that a screen lays out.
//
// It draws nothing, asks nothing and knows no clock.
//
// # The laws
//
//   - Everything that the doctor found is shown, at its device or at the computer,
//     with what to do; what this version has no words for too.
//   - A command is apart from the sentences around it, so that it can be copied.
package device

import (
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/ui/words"
)

// Row is one device, or the computer.
type Row struct {
	Symbol string // what it can do first, as package devices names it; "" for the computer
	Well   bool   // it is ready
	Name   string
	State  string
	Facts  []string
	Advice []Advice // what is wrong with it
	Offers []Offer
}

// Offer is something that can be done with a device.
type Offer struct {
	Label string
	Trial *api.Trial // a trial
	Light string     // or the role of the camera whose light is measured
}

// Advice is one thing that is wrong.
type Advice struct {
	Weight string // how bad it is
	What   string
	Why    string
	Do     []Step
}

// Step is a part of what to do: a sentence, or a command to type.
type Step struct {
	Text    string
	Command bool
}

// Meter is the light before a camera.
type Meter struct {
	Title    string
	Level    float64 // brightness from 0 to 1
	Low      float64 // from here on it is bright enough
	High     float64 // from here on it is too bright
	Good     bool
	Sentence string // what to change, or that it is good
	Figures  []string
}

// Bounds of a good brightness on the meter's scale; what is wrong is the daemon's
// to say.
const meterLow, meterHigh = 45.0 / 255, 215.0 / 255

// identified are the readers that tell themselves apart by reading something.
var identified = []string{"mrz_reader", "barcode_reader"}

// Rows are the devices, each with what is wrong with it.
func Rows(w words.Words, c api.Checkup) (all []Row) {
	twins := map[string]int{}
	for _, d := range c.Devices {
		for _, can := range d.Can {
			twins[can]++
		}
	}
	for _, d := range c.Devices {
		row := rowOf(w, d)
		for _, found := range c.Findings {
			if about(found, d) {
				row.Advice = append(row.Advice, advice(w, found))
			}
		}
		row.Offers = offers(w, d, twins)
		all = append(all, row)
	}
	return all
}

// about reports whether a finding is about a device: by its name, or for the light
// by the camera's role.
func about(f api.Finding, d api.CheckedDevice) bool {
	if f.Device != "" {
		return f.Device == d.ID
	}
	role := f.Values["role"]
	return role != "" && slices.Contains(d.Can, "camera") && (slices.Contains(d.Roles, role) || len(d.Roles) == 0)
}

// Computer is what is wrong beside the devices.
func Computer(w words.Words, c api.Checkup) Row {
	row := Row{Name: w.Say("doctor.computer")}
	for _, found := range c.Findings {
		if !slices.ContainsFunc(c.Devices, func(d api.CheckedDevice) bool { return about(found, d) }) {
			row.Advice = append(row.Advice, advice(w, found))
		}
	}
	return row
}

// rowOf says how a device stands.
func rowOf(w words.Words, d api.CheckedDevice) Row {
	row := Row{Name: d.Name, State: w.Or("devstate", d.State, "faulted"), Well: d.State == "ready" || d.State == "busy"}
	if row.Name == "" {
		row.Name = d.ID
	}
	if d.Training {
		row.State += " (" + w.Say("device.training") + ")"
	}
	var can []string
	for _, c := range d.Can {
		can = append(can, w.Named("can", c))
	}
	for _, r := range d.Roles {
		can = append(can, w.Or("role", r, "other"))
	}
	if len(d.Can) > 0 {
		row.Symbol = d.Can[0]
	}
	row.Facts = []string{strings.Join(slices.Compact(can), " · ")}
	if d.Profile != "" {
		row.Facts = append(row.Facts, w.Say("doctor.profile", "profile", d.Profile, "tried", w.Named("tried", d.Tried)))
	}
	if !d.LastGood.IsZero() {
		row.Facts = append(row.Facts, w.Say("doctor.used", "time", w.Moment(d.LastGood.Local())))
	}
	if d.Faults > 0 {
		row.Facts = append(row.Facts, w.Say("doctor.faults", "count", strconv.Itoa(d.Faults)))
	}
	return row
}

// offers are what can be done with a device that is there.
func offers(w words.Words, d api.CheckedDevice, twins map[string]int) (all []Offer) {
	if d.State == "absent" {
		return nil
	}
	for _, can := range d.Can {
		all = append(all, Offer{Label: w.Say("doctor.test"), Trial: &api.Trial{Device: d.ID, Can: can}})
		if slices.Contains(identified, can) && twins[can] > 1 {
			all = append(all, Offer{Label: w.Say("doctor.identify"), Trial: &api.Trial{Can: can}})
		}
		if can == "camera" && len(d.Roles) > 0 {
			all = append(all, Offer{Label: w.Say("doctor.light"), Light: d.Roles[0]})
		}
	}
	return all
}

// advice says a finding in words. Between `these` stands a command.
func advice(w words.Words, f api.Finding) Advice {
	key := "doctor." + string(f.Code)
	if !w.Has(key + ".what") {
		key = "doctor.unknown"
	}
	values := []string{"name", f.Name, "id", f.Device, "code", string(f.Code)}
	for name, value := range f.Values {
		if name == "role" {
			value = w.Or("doctor.role", value, "other")
		}
		values = append(values, name, value)
	}
	a := Advice{Weight: w.Or("doctor", string(f.Weight), "hinders"), What: w.Say(key+".what", values...)}
	if w.Has(key + ".why") {
		a.Why = w.Say("doctor.why", "why", w.Say(key+".why", values...))
	}
	for i, part := range strings.Split(w.Say("doctor.todo", "do", w.Say(key+".do", values...)), "`") {
		if part = strings.TrimSpace(part); part != "" {
			a.Do = append(a.Do, Step{part, i%2 == 1})
		}
	}
	return a
}

// MeterOf is the light before the camera of a role as it is measured now,
// nil before the first figures.
func MeterOf(w words.Words, role string, l *api.Light) *Meter {
	m := &Meter{Title: w.Say("meter.title", "role", w.Or("doctor.role", role, "other")), Low: meterLow, High: meterHigh, Sentence: w.Say("meter.waiting")}
	if l == nil {
		return m
	}
	m.Level, m.Good, m.Sentence = min(max(l.Mean/255, 0), 1), l.Finding == "", w.Say("meter.good")
	if !m.Good {
		a := advice(w, api.Finding{Code: l.Finding, Values: map[string]string{"role": role}})
		m.Sentence = a.What
		for _, step := range a.Do {
			m.Sentence += " " + step.Text
		}
	}
	figure := func(key string, v float64) {
		m.Figures = append(m.Figures, w.Say("meter."+key, "n", strconv.FormatFloat(v, 'f', 0, 64)))
	}
	figure("mean", l.Mean)
	figure("contrast", l.Contrast)
	figure("glare", 100*l.Glare)
	figure("flicker", 100*l.Flicker)
	figure("rate", l.Rate)
	return m
}
