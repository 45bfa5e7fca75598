package view_test

import (
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/view"
)

// atDoctor is a window at the devices, with two readers of which one is in use.
func atDoctor(change func(*view.State)) view.Doctor {
	s := signedIn()
	s.Side = view.SideDoctor
	s.Doctor = &api.Checkup{Devices: []api.CheckedDevice{
		{ID: "usb:1-4", Name: "Left", Can: []string{"mrz_reader"}, State: "ready"},
		{ID: "usb:1-5", Name: "Right", Can: []string{"mrz_reader"}, State: "faulted"},
	}}
	if change != nil {
		change(&s)
	}
	v, _ := view.Show(s).(view.Doctor)
	return v
}

func TestTheDevicesAreShownToEverybody(t *testing.T) {
	for name, change := range map[string]func(*view.State){
		"signed-in": nil, "nobody": func(s *view.State) { s.Session = nil }, "not-enrolled": func(s *view.State) { s.Session, s.Status.Enrolled = nil, false },
		"no-clerks": func(s *view.State) { s.Session, s.Status.NoClerks = nil, true }, "before-any-answer": func(s *view.State) { s.Doctor = nil },
	} {
		v := atDoctor(change)
		if v.Name != "doctor" || v.Escape.Verb != view.DoClose || labels(v) != "Look again / Print the report / Back" {
			t.Errorf("%s: %+v", name, v.Frame)
		}
	}
	s := signedIn()
	s.Session, s.Status.Enrolled = nil, false
	if got := labels(view.Show(s)); !strings.Contains(got, "Devices and light") {
		t.Errorf("a counter without an identity offers %s", got)
	}
}

func TestRowsHaveTheirButtons(t *testing.T) {
	v := atDoctor(nil)
	if len(v.Rows) != 2 || len(v.Rows[0].Actions) != 2 {
		t.Fatalf("rows %+v", v.Rows)
	}
	test, which := v.Rows[0].Actions[0].Intent, v.Rows[0].Actions[1].Intent
	if test.Verb != view.DoTry || test.Trial.Device != "usb:1-4" || which.Verb != view.DoTry || which.Trial.Device != "" {
		t.Errorf("%+v, %+v", test, which)
	}
	if v.Banners[0].Tone != view.Good || v.Banners[0].Title != "Nothing is wrong." {
		t.Errorf("banners %+v", v.Banners)
	}
	sick := atDoctor(func(s *view.State) { s.Doctor.Findings = []api.Finding{{Code: api.DiskFull, Weight: api.Stops}} })
	if len(sick.Rows) != 3 || sick.Rows[0].Name != "This computer" || len(sick.Banners) != 0 {
		t.Errorf("rows %+v, banners %+v", sick.Rows, sick.Banners)
	}
}

func TestATrialSaysWhatToDoAndWhatItCameTo(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*view.State)
		tone   view.Tone
		want   string
	}{
		{"lay", func(s *view.State) { s.Trying = &api.Trial{Device: "usb:1-4", Can: "mrz_reader"} }, view.Info, "Lay any document on Left within 20 seconds."},
		{"which", func(s *view.State) { s.Trying = &api.Trial{Can: "mrz_reader"} }, view.Info, "Lay something on one of the readers"},
		{"read", func(s *view.State) { s.Tried = &api.TrialResult{Name: "Left", Code: api.TrialRead} }, view.Good, "Left has read something. It works."},
		{"other", func(s *view.State) {
			s.Tried = &api.TrialResult{Name: "Left", Code: api.TrialReadOther, Values: map[string]string{"name": "Right"}}
		}, view.Bad, "Another device has read it: Right."},
		{"nothing", func(s *view.State) { s.Tried = &api.TrialResult{Code: api.TrialNothing} }, view.Bad, "Nothing was read in 20 seconds."},
		{"filmed", func(s *view.State) {
			s.Tried = &api.TrialResult{Name: "Cam", Code: api.TrialFilmed, Light: &api.Light{Rate: 14.6}}
		}, view.Good, "Cam films 15 pictures a second."},
		{"scanned", func(s *view.State) {
			s.Tried = &api.TrialResult{Code: api.TrialScanned, Values: map[string]string{"width": "800", "height": "600"}}
		}, view.Good, "A page of 800 by 600 points was scanned."},
		{"failed", func(s *view.State) { s.Tried = &api.TrialResult{Code: api.TrialFailed, Problem: proof.KindPaperOut} }, view.Bad, "The printer has no paper."},
		{"failed-without-a-word", func(s *view.State) { s.Tried = &api.TrialResult{Code: "of_next_year"} }, view.Bad, "The test did not work."},
	} {
		v := atDoctor(c.change)
		if b := v.Banners[0]; b.Tone != c.tone || !strings.Contains(strings.Join(b.Texts, " "), c.want) {
			t.Errorf("%s: %+v", c.name, b)
		}
	}
}

func TestTheMeterCanBeStopped(t *testing.T) {
	v := atDoctor(func(s *view.State) { s.Meter, s.Light = "face_camera", &api.Light{Mean: 10, Finding: api.CameraDark} })
	if v.Meter == nil || v.Meter.Good || !strings.Contains(labels(v), "Stop the light meter") {
		t.Errorf("%+v", v)
	}
}
