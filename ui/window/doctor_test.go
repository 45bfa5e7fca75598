package window

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/view"
)

// ward is what a counter of the test's own keeps about its devices.
type ward struct {
	found   []api.Finding
	trials  []string // path and body
	reports int
}

// doctorRoutes answers what concerns devices.
func (c *counter) doctorRoutes(mux *http.ServeMux, on func(string, func(*http.Request) (any, proof.Kind))) {
	on("GET "+api.PathDoctor, func(*http.Request) (any, proof.Kind) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return api.Checkup{Findings: c.found, Devices: []api.CheckedDevice{
			{ID: "usb:1-2", Name: "Webcam", Can: []string{"camera"}, Roles: []string{"face_camera"}, State: "ready"},
			{ID: "usb:1-4", Name: "Left", Can: []string{"mrz_reader"}, State: "ready"},
			{ID: "usb:1-5", Name: "Right", Can: []string{"mrz_reader"}, State: "ready"},
		}}, ""
	})
	try := func(r *http.Request) (any, proof.Kind) {
		var in api.Trial
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		c.trials = append(c.trials, fmt.Sprintf("%s %+v", r.URL.Path, in))
		c.found = []api.Finding{{Code: api.PaperOut, Weight: api.Hinders, Device: "usb:1-4", Name: "Left"}}
		c.mu.Unlock()
		return api.TrialResult{Device: "usb:1-5", Name: "Right", Can: in.Can, Code: api.TrialRead}, c.fail()
	}
	on("POST "+api.PathTrial, try)
	on("POST "+api.PathIdentify, try)
	on("POST "+api.PathFindings, func(*http.Request) (any, proof.Kind) {
		c.mu.Lock()
		c.reports++
		c.mu.Unlock()
		return struct{}{}, c.fail()
	})
	mux.HandleFunc("GET "+api.PathLight, func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := 1; r.Context().Err() == nil; n++ {
			b, _ := json.Marshal(api.Light{Role: r.URL.Query().Get("role"), Mean: float64(n)})
			fmt.Fprintf(w, "data: %s\n\n", b)
			w.(http.Flusher).Flush()
			<-tick.C
		}
	})
}

// atDoctor opens the devices by their key, before anybody signed in.
func atDoctor(t *testing.T) (*counter, *seat) {
	c, socket := newCounter(t)
	s := sit(t, socket)
	s.on("sign_in")
	s.key(&fyne.KeyEvent{Name: fyne.KeyF3})
	s.until("the devices", func() bool { return s.page.Name == "doctor" && s.state.Doctor != nil })
	return c, s
}

// rowPresses presses a button of a device.
func (s *seat) rowPresses(name, label string) {
	s.t.Helper()
	for _, row := range s.shown.(view.Doctor).Rows {
		for _, a := range row.Actions {
			if row.Name == name && a.Label == label {
				s.do(a.Intent)
				return
			}
		}
	}
	s.t.Fatalf("%s has no button %q", name, label)
}

func TestDevicesAreTriedBeforeSigningIn(t *testing.T) {
	c, s := atDoctor(t)
	s.rowPresses("Left", "Test")
	if s.state.Trying == nil {
		t.Error("nobody is told what to do")
	}
	s.until("the trial's end", func() bool { return s.state.Tried != nil && !s.state.Busy && len(s.state.Doctor.Findings) == 1 })
	if s.state.Trying != nil {
		t.Error("the trial goes on")
	}
	s.rowPresses("Left", "Identify")
	s.until("which one it is", func() bool { return len(c.trials) == 2 && !s.state.Busy })
	if got := fmt.Sprint(c.trials); got != "[/v1/doctor/trial {Device:usb:1-4 Can:mrz_reader} /v1/doctor/identify {Device: Can:mrz_reader}]" {
		t.Errorf("asked %s", got)
	}
	s.presses("Print the report")
	s.until("the report", func() bool { return s.state.Said == "doctor.said.print" && !s.state.Busy })
	s.presses("Back")
	s.on("sign_in")
	if s.state.Tried != nil {
		t.Error("an old trial is shown again")
	}
}

func TestATrialThatFailsLeavesTheScreen(t *testing.T) {
	c, s := atDoctor(t)
	c.mu.Lock()
	c.problem = proof.KindDeviceBusy
	c.mu.Unlock()
	s.rowPresses("Left", "Test")
	s.until("the problem", func() bool { return s.state.Problem == proof.KindDeviceBusy && !s.state.Busy })
	if s.page.Name != "doctor" || s.state.Trying != nil {
		t.Errorf("on %s, trying %+v", s.page.Name, s.state.Trying)
	}
}

func TestTheLightIsLiveUntilItIsStopped(t *testing.T) {
	_, s := atDoctor(t)
	s.rowPresses("Webcam", "Light meter")
	s.until("figures that change", func() bool { return s.state.Light != nil && s.state.Light.Mean > 3 })
	if v := s.shown.(view.Doctor); v.Meter == nil || s.state.Light.Role != "face_camera" {
		t.Errorf("shown %+v", v)
	}
	s.presses("Stop the light meter")
	if s.state.Meter != "" || s.light != nil {
		t.Error("the meter goes on")
	}
	s.rowPresses("Webcam", "Light meter")
	s.until("figures", func() bool { return s.state.Light != nil })
	s.presses("Back")
	s.on("sign_in")
	if s.light != nil || s.state.Light != nil {
		t.Error("the meter goes on unseen")
	}
}
