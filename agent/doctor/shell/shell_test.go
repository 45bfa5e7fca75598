package shell_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/agent/doctor/shell"
)

// counter is a daemon of the test's own.
type counter struct {
	checkup api.Checkup
	light   api.FindingCode // what a camera's trial finds
	tried   []string
}

// serve answers on a socket until the test ends, and gives the counter's
// configuration.
func (c *counter) serve(t *testing.T) (config string) {
	t.Helper()
	config, socket := configured(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api.PathDoctor, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(c.checkup) })
	mux.HandleFunc("POST "+api.PathTrial, func(w http.ResponseWriter, r *http.Request) {
		var in api.Trial
		_ = json.NewDecoder(r.Body).Decode(&in)
		c.tried = append(c.tried, in.Device+" "+in.Can)
		out := api.TrialResult{Device: in.Device, Can: in.Can, Code: api.TrialRead}
		if in.Can == "camera" {
			out.Code, out.Light = api.TrialFilmed, &api.Light{Mean: 20, Rate: 15, Finding: c.light}
			if c.light != "" {
				c.checkup.Findings = []api.Finding{{Code: c.light, Weight: api.Hinders, Values: map[string]string{"role": "document_camera"}}}
			}
		}
		_ = json.NewEncoder(w).Encode(out)
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return config
}

// configured is a configuration of a counter without plugs in a short folder, and
// its socket.
func configured(t *testing.T) (config, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "doctor")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config, socket = filepath.Join(dir, "counter.json"), filepath.Join(dir, "s")
	b, err := json.Marshal(map[string]any{"data": dir, "socket": socket, "plugs": false})
	if err == nil {
		err = os.WriteFile(config, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return config, socket
}

// desk is a healthy desk.
func desk() api.Checkup {
	return api.Checkup{At: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), Version: "0.1.0", Site: "FV123", Devices: []api.CheckedDevice{
		{ID: "usb:1-2/046d:0825", Name: "Webcam", Can: []string{"camera"}, Roles: []string{"document_camera"}, State: "ready"},
		{ID: "usb:1-4/1234:5678", Name: "ID BOX One", Can: []string{"mrz_reader"}, State: "ready"},
		{ID: "usb:1-6/04b8:0202", Name: "TM-T20", Can: []string{"printer"}, State: "faulted"},
	}}
}

// run runs the command and gives its output and exit code.
func run(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := shell.Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	if err == nil {
		return out.String(), 0
	}
	return out.String(), doctor.ExitCode(err, 99)
}

func TestAHealthyCounter(t *testing.T) {
	c := &counter{checkup: desk()}
	config := c.serve(t)
	out, code := run(t, "--config", config)
	if code != 0 || !strings.Contains(out, "Nothing is wrong.") || !strings.Contains(out, "Webcam: ready") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if got := strings.Join(c.tried, ","); got != "usb:1-2/046d:0825 camera" {
		t.Errorf("tried %s: only the light is measured unasked", got)
	}
}

func TestTheLightIsMeasuredUnlessItIsNotWanted(t *testing.T) {
	c := &counter{checkup: desk(), light: api.CameraDark}
	config := c.serve(t)
	if out, code := run(t, "--config", config, "--quick"); code != 0 || len(c.tried) != 0 {
		t.Errorf("quick: exit %d, tried %v:\n%s", code, c.tried, out)
	}
	if out, code := run(t, "--config", config); code != 1 || !strings.Contains(out, "It is too dark before the document camera.") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

func TestEveryReadyDeviceIsTried(t *testing.T) {
	c := &counter{checkup: desk()}
	out, code := run(t, "--config", c.serve(t), "--test")
	if code != 0 || strings.Join(c.tried, ",") != "usb:1-2/046d:0825 camera,usb:1-4/1234:5678 mrz_reader" {
		t.Errorf("exit %d, tried %v", code, c.tried)
	}
	for _, want := range []string{"ID BOX One: Lay any document on it within 20 seconds.\n  it works", "15 pictures a second, brightness 20 of 255"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestJSONIsForPrograms(t *testing.T) {
	c := &counter{checkup: desk()}
	c.checkup.Findings = []api.Finding{{Code: api.PaperOut, Weight: api.Hinders, Device: "usb:1-6/04b8:0202", Name: "TM-T20"}}
	out, code := run(t, "--config", c.serve(t), "--json", "--quick", "--test")
	var got api.Checkup
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || len(got.Findings) != 1 || got.Findings[0].Code != api.PaperOut {
		t.Errorf("exit %d, %v:\n%s", code, err, out)
	}
}

func TestAReportIsWritten(t *testing.T) {
	c := &counter{checkup: desk()}
	file := filepath.Join(t.TempDir(), "report.txt")
	out, code := run(t, "--config", c.serve(t), "--quick", "--report", file)
	b, err := os.ReadFile(file)
	if err != nil || code != 0 || string(b) != out {
		t.Errorf("exit %d, %v:\n%s", code, err, b)
	}
	if _, code := run(t, "--config", c.serve(t), "--quick", "--report", filepath.Join(file, "no", "folder")); code != 2 {
		t.Errorf("a report that cannot be written: exit %d", code)
	}
}

func TestWithoutACounterItLooksForItself(t *testing.T) {
	config, _ := configured(t)
	out, code := run(t, "--config", config)
	if code != 1 || !strings.Contains(out, "STOPS WORK: The counter's program does not run.") || !strings.Contains(out, "sudo systemctl start counterproofd") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	plugged := filepath.Join(t.TempDir(), "counter.json")
	b, err := json.Marshal(map[string]any{"data": filepath.Join(t.TempDir(), "d"), "socket": filepath.Join(filepath.Dir(config), "none")})
	if err == nil {
		err = os.WriteFile(plugged, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, code := run(t, "--config", plugged, "--quick"); code != 1 || !strings.Contains(out, "does not run") {
		t.Errorf("with the plugs: exit %d:\n%s", code, out)
	}
}

func TestACounterThatDoesNotAnswerThisUser(t *testing.T) {
	config, socket := configured(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			_ = conn.Close() // as the daemon does with a stranger
		}
	}()
	out, code := run(t, "--config", config)
	if code != 1 || !strings.Contains(out, "does not answer this user") || strings.Contains(out, "does not run") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

func TestWhatCannotBeLookedAt(t *testing.T) {
	if _, code := run(t, "--config", filepath.Join(t.TempDir(), "none.json")); code != 2 {
		t.Errorf("without its configuration: exit %d", code)
	}
	if got := doctor.ExitCode(errors.New("other"), 7); got != 7 {
		t.Errorf("another command's error: exit %d", got)
	}
}
