package view

import (
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/device"
	"github.com/counterproof/counterproof/ui/words"
)

// Doctor is how the devices stand, what is wrong and what to do about it. It is
// there before anybody signed in.
type Doctor struct {
	Frame
	Rows  []DeviceRow   // the computer first, if something is wrong with it
	Meter *device.Meter // nil while no light is measured
}

// DeviceRow is one device with its own buttons.
type DeviceRow struct {
	device.Row
	Actions []Action
}

// doctor shows the devices.
func doctor(s State) Screen {
	w, f := s.Words, aside(s, "doctor", NoSide)
	f.Title, f.Lead = w.Say("doctor.title"), []string{w.Say("doctor.lead")}
	f.Banners = append(f.Banners, tried(s)...)
	f.Actions = []Action{
		open(w.Say("doctor.again"), SideDoctor, Primary), act(w.Say("doctor.print"), Secondary, DoFindings),
	}
	if s.Meter != "" {
		f.Actions = append(f.Actions, Action{w.Say("doctor.light.stop"), Intent{Verb: DoLight}, Secondary})
	}
	f.Actions = append(f.Actions, back(w, f))
	v := Doctor{}
	if s.Meter != "" {
		v.Meter = device.MeterOf(w, s.Meter, s.Light)
	}
	if s.Doctor == nil {
		f.Lead = append(f.Lead, w.Say("word.working"))
	} else {
		if len(s.Doctor.Findings) == 0 {
			f.Banners = append(f.Banners, Banner{Good, w.Say("doctor.healthy"), nil})
		}
		v.Rows = deviceRows(w, *s.Doctor)
		if len(s.Doctor.Devices) == 0 {
			f.Lead = append(f.Lead, w.Say("home.nodevices"))
		}
	}
	v.Frame = f
	return v
}

// deviceRows are the computer, if something is wrong with it, and the devices.
func deviceRows(w words.Words, c api.Checkup) (all []DeviceRow) {
	if pc := device.Computer(w, c); len(pc.Advice) > 0 {
		all = append(all, DeviceRow{Row: pc})
	}
	for _, r := range device.Rows(w, c) {
		row := DeviceRow{Row: r}
		for _, o := range r.Offers {
			a := Action{o.Label, Intent{Verb: DoLight, Role: o.Light}, Secondary}
			if o.Trial != nil {
				a.Intent = Intent{Verb: DoTry, Trial: *o.Trial}
			}
			row.Actions = append(row.Actions, a)
		}
		all = append(all, row)
	}
	return all
}

// tried says what to do for the trial that runs, or what the last one came to.
func tried(s State) []Banner {
	w := s.Words
	if t := s.Trying; t != nil {
		key, name := "doctor.trying."+t.Can, t.Device
		if t.Device == "" {
			key = "doctor.trying.which"
		}
		if s.Doctor != nil {
			for _, d := range s.Doctor.Devices {
				if d.ID == t.Device {
					name = d.Name
				}
			}
		}
		return []Banner{{Info, w.Say("word.important"), []string{w.Say(key, "name", name)}}}
	}
	t := s.Tried
	if t == nil {
		return nil
	}
	said := w.Or("trial", string(t.Code), "failed")
	values := strings.NewReplacer("{name}", t.Name, "{other}", t.Values["name"], "{width}", t.Values["width"], "{height}", t.Values["height"], "{rate}", rate(t.Light))
	b := Banner{Good, w.Say("word.done"), []string{values.Replace(said)}}
	switch t.Code {
	case api.TrialFilmed, api.TrialRead, api.TrialPrinted, api.TrialScanned, api.TrialCard: // it works
	case api.TrialNothing, api.TrialNoCard, api.TrialReadOther:
		b.Tone, b.Title = Bad, w.Say("word.problem")
	default:
		b = problem(w, orKind(t.Problem))
		b.Texts = append([]string{said}, b.Texts...)
	}
	return []Banner{b}
}

// orKind is a Kind, or that of a device that is not there.
func orKind(k proof.Kind) proof.Kind {
	if k == proof.KindNone {
		return proof.KindDeviceMissing
	}
	return k
}

// rate is how many pictures a second were filmed.
func rate(l *api.Light) string {
	if l == nil {
		return "0"
	}
	return strconv.FormatFloat(l.Rate, 'f', 0, 64)
}
