package device_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/device"
	"github.com/counterproof/counterproof/ui/words"
)

// checkup is a counter with two equal readers and a camera.
func checkup(found ...api.Finding) api.Checkup {
	return api.Checkup{Findings: found, Devices: []api.CheckedDevice{
		{ID: "usb:1-2", Name: "Webcam", Can: []string{"camera"}, Roles: []string{"face_camera"}, State: "ready", LastGood: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)},
		{ID: "usb:1-4", Can: []string{"mrz_reader"}, State: "faulted", Problem: proof.KindDeviceBusy, Profile: "elyctis-idbox", Tried: "spec", Faults: 2},
		{ID: "usb:1-5", Name: "Right reader", Can: []string{"mrz_reader"}, State: "busy", Training: true},
		{ID: "usb:1-6", Name: "Printer", Can: []string{"printer"}, State: "absent"},
	}}
}

// labels are what can be done with a device.
func labels(r device.Row) string {
	var all []string
	for _, o := range r.Offers {
		all = append(all, o.Label)
	}
	return strings.Join(all, " / ")
}

func TestRowsSayHowDevicesStand(t *testing.T) {
	t.Parallel()
	rows := device.Rows(words.In("en"), checkup())
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []struct {
		name, state, offers string
		well                bool
	}{
		{"Webcam", "ready", "Test / Light meter", true}, {"usb:1-4", "not ready", "Test / Identify", false},
		{"Right reader", "in use (simulated)", "Test / Identify", true}, {"Printer", "not plugged in", "", false},
	} {
		if r := rows[i]; r.Name != want.name || r.State != want.state || labels(r) != want.offers || r.Well != want.well || len(r.Advice) != 0 {
			t.Errorf("got %+v, want %+v", r, want)
		}
	}
	if got := strings.Join(rows[1].Facts, "; "); got != "Passport reader; Profile elyctis-idbox: written from a description, not tried with a device yet; Faults since the start: 2" {
		t.Errorf("facts are %s", got)
	}
	if got := rows[0].Facts; len(got) != 2 || got[0] != "Camera · Face camera" || !strings.Contains(got[1], "23/11/2026") {
		t.Errorf("facts are %q", got)
	}
}

// TestOneReaderNeedsNoIdentifying: only of several is it asked which one it is.
func TestOneReaderNeedsNoIdentifying(t *testing.T) {
	t.Parallel()
	c := checkup()
	c.Devices = slices.Delete(c.Devices, 2, 3)
	if got := labels(device.Rows(words.In("en"), c)[1]); got != "Test" {
		t.Errorf("offers %s", got)
	}
}

func TestOffersSayWhatToAsk(t *testing.T) {
	t.Parallel()
	rows := device.Rows(words.In("en"), checkup())
	test, which := rows[1].Offers[0].Trial, rows[1].Offers[1].Trial
	if *test != (api.Trial{Device: "usb:1-4", Can: "mrz_reader"}) || *which != (api.Trial{Can: "mrz_reader"}) || rows[0].Offers[1].Light != "face_camera" {
		t.Errorf("%+v, %+v, %+v", test, which, rows[0].Offers)
	}
}

func TestEveryFindingHasItsPlace(t *testing.T) {
	t.Parallel()
	c := checkup(
		api.Finding{Code: api.ServiceStopped, Weight: api.Stops},
		api.Finding{Code: api.CameraDark, Weight: api.Hinders, Values: map[string]string{"role": "face_camera"}},
		api.Finding{Code: api.Held, Weight: api.Hinders, Device: "usb:1-4", Name: "Reader", Values: map[string]string{"holder": "minicom"}},
		api.Finding{Code: api.NoRule, Weight: api.Hinders, Device: "usb:9-9", Name: "Unlisted", Values: map[string]string{"node": "/dev/x"}},
		api.Finding{Code: "of_next_year", Weight: "of_next_year"},
	)
	for _, tag := range words.Languages() {
		rows, pc := device.Rows(words.In(tag), c), device.Computer(words.In(tag), c)
		if len(pc.Advice) != 3 || len(rows[0].Advice) != 1 || len(rows[1].Advice) != 1 || len(rows[2].Advice)+len(rows[3].Advice) != 0 {
			t.Fatalf("%s: %d at the computer, rows %+v", tag, len(pc.Advice), rows)
		}
		for _, a := range append(pc.Advice, rows[0].Advice[0], rows[1].Advice[0]) {
			if a.What == "" || a.Weight == "" || len(a.Do) == 0 || strings.ContainsAny(a.What+a.Why, "{}`") {
				t.Errorf("%s: %+v", tag, a)
			}
		}
		if a := pc.Advice[2]; !strings.Contains(a.What, "of_next_year") {
			t.Errorf("%s: a finding without words says %q", tag, a.What)
		}
		if a := rows[1].Advice[0]; !strings.Contains(a.What, "minicom") {
			t.Errorf("%s: %q", tag, a.What)
		}
	}
}

func TestCommandsStandApart(t *testing.T) {
	t.Parallel()
	a := device.Computer(words.In("en"), checkup(api.Finding{Code: api.NoRule, Weight: api.Hinders, Name: "X", Values: map[string]string{"node": "/dev/x", "profile": "p"}})).Advice[0]
	var commands []string
	for _, s := range a.Do {
		if s.Command {
			commands = append(commands, s.Text)
		}
	}
	if len(commands) != 3 || commands[1] != "counterproofd devices rules | sudo tee /etc/udev/rules.d/70-counterproof.rules" || a.Do[0].Command {
		t.Errorf("got %q of %+v", commands, a.Do)
	}
}

func TestTheMeter(t *testing.T) {
	t.Parallel()
	w := words.In("en")
	if m := device.MeterOf(w, "face_camera", nil); m.Sentence != "Measuring the light …" || m.Good || len(m.Figures) != 0 || m.Title != "Light before the face camera" {
		t.Errorf("before any: %+v", m)
	}
	good := device.MeterOf(w, "face_camera", &api.Light{Mean: 140, Contrast: 80, Glare: 0.012, Flicker: 0.03, Rate: 15})
	if !good.Good || good.Sentence != "The light is good." || good.Level < good.Low || good.Level > good.High ||
		strings.Join(good.Figures, "; ") != "Brightness: 140 of 255; Contrast: 80; Washed out: 1 %; Flicker: 3 %; Pictures a second: 15" {
		t.Errorf("good: %+v", good)
	}
	dark := device.MeterOf(w, "face_camera", &api.Light{Mean: 12, Finding: api.CameraDark})
	if dark.Good || dark.Level > dark.Low || !strings.HasPrefix(dark.Sentence, "It is too dark before the face camera. Do this: Switch on a lamp") {
		t.Errorf("dark: %+v", dark)
	}
	if odd := device.MeterOf(w, "x", &api.Light{Mean: 9000}); odd.Level != 1 {
		t.Errorf("hostile figures: %+v", odd)
	}
}
