package daemon_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/proof"
)

// ready waits until a device is.
func (c *counter) ready(id string) api.CheckedDevice {
	c.t.Helper()
	var found api.CheckedDevice
	until(c.t, id+" is ready", func() bool {
		checkup, err := c.client.Doctor(c.t.Context())
		if err != nil {
			c.t.Fatalf("asking the doctor: %v", err)
		}
		i := slices.IndexFunc(checkup.Devices, func(d api.CheckedDevice) bool { return d.ID == id })
		if i >= 0 {
			found = checkup.Devices[i]
		}
		return i >= 0 && found.State == "ready"
	})
	return found
}

// codes are what the doctor finds, without what the machine of the test has.
func (c *counter) codes() (all []api.FindingCode) {
	c.t.Helper()
	checkup, err := c.client.Doctor(c.t.Context())
	if err != nil {
		c.t.Fatalf("asking the doctor: %v", err)
	}
	for _, f := range checkup.Findings {
		if f.Code != api.ClockLoose && f.Code != api.DiskLow && f.Code != api.DiskFull {
			all = append(all, f.Code)
		}
	}
	return all
}

func TestTheDoctorIsThereBeforeAnybodySignsIn(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	camera, printer := c.ready("sim:document_camera"), c.ready("sim:printer")
	if !camera.Training || !slices.Contains(camera.Roles, "document_camera") {
		t.Errorf("the camera is %+v", camera)
	}
	if got := c.codes(); len(got) != 0 {
		t.Errorf("a healthy counter has %v", got)
	}
	got, err := c.client.Try(t.Context(), api.Trial{Device: camera.ID, Can: "camera"})
	if err != nil || got.Code != api.TrialFilmed || got.Light == nil || got.Light.Finding != "" {
		t.Errorf("the camera's trial: %+v: %v", got, err)
	}
	if got, err = c.client.Try(t.Context(), api.Trial{Device: printer.ID, Can: "printer"}); err != nil || got.Code != api.TrialPrinted {
		t.Errorf("the printer's trial: %+v: %v", got, err)
	}
	if err := c.client.PrintFindings(t.Context()); err != nil {
		t.Errorf("printing the report: %v", err)
	}
	if got, err := c.client.Identify(t.Context(), "mrz_reader"); err != nil || got.Problem != proof.KindDeviceMissing {
		t.Errorf("which reader: %+v: %v", got, err)
	}
	n := 0
	if err := c.client.Light(t.Context(), "document_camera", func(l api.Light) bool { n++; return n < 2 && l.Mean > 0 }); err != nil || n != 2 {
		t.Errorf("%d figures of the light: %v", n, err)
	}
	if err := c.client.Light(t.Context(), "face_camera", nil); proof.KindOf(err) != proof.KindDeviceMissing {
		t.Errorf("the light without a camera: %v", err)
	}
}

func TestTheDoctorSeesADeviceGoAndCome(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	c.ready("sim:document_camera")
	file := filepath.Join(c.conf.Data, "trainer", "document_camera.unplugged")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	until(t, "the doctor misses the camera", func() bool { return slices.Contains(c.codes(), api.Unplugged) })
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	until(t, "the doctor has nothing to say", func() bool { return len(c.codes()) == 0 })
}

// TestNobodyTriesDevicesDuringAnothersVisit: only the operator who has the visit
// may, and what the doctor says then tells nothing of the patient.
func TestNobodyTriesDevicesDuringAnothersVisit(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	c.first()
	c.ready("sim:printer")
	doc := newPassport(t, 7, nil, nil)
	c.goTo(c.start(), proof.ExamineDocument, doc.lines)
	stranger := client.New(c.conf.SocketPath())
	trial := api.Trial{Device: "sim:printer", Can: "printer"}
	if _, err := stranger.Try(t.Context(), trial); proof.KindOf(err) != proof.KindSignIn && proof.KindOf(err) != proof.KindSessionEnded {
		t.Errorf("a trial by nobody: %v", err)
	}
	if err := stranger.PrintFindings(t.Context()); err == nil {
		t.Error("a report by nobody was printed")
	}
	if err := stranger.Light(t.Context(), "document_camera", func(api.Light) bool { return false }); err == nil {
		t.Error("the light was told to nobody")
	}
	if got, err := c.client.Try(t.Context(), trial); err != nil || got.Code != api.TrialPrinted {
		t.Errorf("a trial by the operator: %+v: %v", got, err)
	}
	checkup, err := stranger.Doctor(t.Context())
	if err != nil {
		t.Fatalf("asking the doctor: %v", err)
	}
	b, err := json.Marshal(checkup)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"SPECIMEN", doc.lines[0], doc.lines[1][:9], "Robin", "robin", c.conf.Data} {
		if strings.Contains(string(b), private) {
			t.Errorf("the doctor tells %q in %s", private, b)
		}
	}
}
