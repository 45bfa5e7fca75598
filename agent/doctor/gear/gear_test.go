package gear_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/bench"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/agent/doctor/gear"
	"github.com/counterproof/counterproof/devices/profile"
)

// write makes a file with its folders.
func write(t *testing.T, content string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// link makes a link with its folders.
func link(t *testing.T, to string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, file); err != nil {
		t.Fatal(err)
	}
}

// desk is a computer with a reader on a serial line that no profile knows.
type desk struct{ root string }

func newDesk(t *testing.T) desk {
	t.Helper()
	d := desk{t.TempDir()}
	usb := filepath.Join(d.root, "sys/devices/usb1/1-4")
	for name, text := range map[string]string{
		"idVendor": "1234", "idProduct": "5678", "product": "ID BOX One", "1-4:1.0/bInterfaceNumber": "00",
		"1-4:1.0/bInterfaceClass": "02", "1-4:1.0/bInterfaceSubClass": "02", "1-4:1.0/bInterfaceProtocol": "01",
	} {
		write(t, text+"\n", usb, name)
	}
	link(t, filepath.Join(usb, "1-4:1.0"), usb, "1-4:1.0/tty/ttyACM0/device")
	link(t, filepath.Join(usb, "1-4:1.0/tty/ttyACM0"), d.root, "sys/class/tty/ttyACM0")
	return d
}

// run runs a subcommand on the desk.
func (d desk) run(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := gear.Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	args = append(args, "--data", filepath.Join(d.root, "data"), "--sys", filepath.Join(d.root, "sys"), "--dev", filepath.Join(d.root, "dev"), "--locks", filepath.Join(d.root, "locks"))
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	if err != nil {
		return out.String() + err.Error(), doctor.ExitCode(err, 99)
	}
	return out.String(), 0
}

// must runs a subcommand that has to succeed.
func (d desk) must(t *testing.T, args ...string) string {
	t.Helper()
	out, code := d.run(t, args...)
	if code != 0 {
		t.Fatalf("%v: exit %d: %s", args, code, out)
	}
	return out
}

const reader = "usb:1-4/1234:5678"

func TestAReaderIsListedPinnedAndRuled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if out := d.must(t, "list"); !strings.Contains(out, reader) || !strings.Contains(out, "unknown") || !strings.Contains(out, "The counter does not answer") {
		t.Errorf("before:\n%s", out)
	}
	if out := d.must(t, "rules"); strings.Contains(out, `"1234"`) || strings.Contains(out, "ID_MM_DEVICE_IGNORE") {
		t.Errorf("rules before:\n%s", out)
	}
	if out := d.must(t, "pin", reader, "elyctis-idbox"); !strings.Contains(out, "Install the rules again") {
		t.Errorf("pinning says %s", out)
	}
	var row struct{ ID, State, Profile, Tried, Node string }
	if out := d.must(t, "list", "--json"); json.Unmarshal([]byte(out), &row) != nil || row.ID != reader || row.Profile != "site-elyctis-idbox" || row.Tried != "spec" || row.State != "plugged in" {
		t.Errorf("after: %s", out)
	}
	if out := d.must(t, "rules"); !strings.Contains(out, `ATTRS{idVendor}=="1234", ATTRS{idProduct}=="5678"`) || !strings.Contains(out, "# site-elyctis-idbox:") || !strings.Contains(out, "ID_MM_DEVICE_IGNORE") {
		t.Errorf("rules after:\n%s", out)
	}
	if out, code := d.run(t, "pin", reader, "elyctis-idbox"); code != 2 || !strings.Contains(out, "already") {
		t.Errorf("pinned twice: exit %d: %s", code, out)
	}
}

func TestKindsAreListed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	write(t, `{"id": "wrong", "colour": 1}`, d.root, "data/profiles/wrong.json")
	out := d.must(t, "list", "--profiles")
	for _, want := range []string{"elyctis-idbox", "keyboard_wedge", "wrong.json"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
	if out := d.must(t, "rules"); !strings.Contains(out, "a profile is left out: wrong.json") {
		t.Errorf("rules say %s", out)
	}
}

func TestWhatCannotBeDone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "r.jsonl")
	for name, args := range map[string][]string{
		"pin/not-there":     {"pin", "usb:9-9/0000:0001", "elyctis-idbox"},
		"pin/no-such-kind":  {"pin", reader, "tea-kettle"},
		"pin/evil-name":     {"pin", reader, "elyctis-idbox", "--name", "../../etc/x"},
		"record/not-there":  {"record", "usb:9-9/0000:0001", file},
		"record/no-profile": {"record", reader, file},
		"replay/no-file":    {"replay", file},
		"replay/no-profile": {"replay", write(t, `{"recording":1,"clear":false,"profile":"tea-kettle"}`+"\n", d.root, "x.jsonl")},
		"replay/no-decoder": {"replay", write(t, `{"recording":1,"clear":false,"profile":"uvc"}`+"\n", d.root, "y.jsonl")},
		"replay/not-one":    {"replay", write(t, "P<UTOSPECIMEN", d.root, "z.jsonl")},
		"sim/evil-name":     {"sim", "unplug", "../counter"},
		"sim/no-such-fault": {"sim", "fault", "printer", "on_fire"},
		"config/not-there":  {"list", "--config", file},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := d.run(t, args...)
			if code != 2 || strings.Contains(out, "SPECIMEN") {
				t.Errorf("exit %d: %s", code, out)
			}
		})
	}
}

// clear is a recording of two documents, in pieces, the second broken off.
const clear = `{"recording":1,"clear":true,"device":"usb:1-4/1234:5678","profile":"desko-cute"}
{"t":1000,"dir":"out","hex":"0102","len":2}
{"t":310000,"dir":"in","hex":"02503c55544f53504543494d454e","len":14}
{"t":320000,"dir":"in","hex":"3c3c4e49410d4c38393839303243333655544f0d03","len":21}
{"t":900000,"dir":"in","hex":"024142434445","len":6}
{"t":9000000,"dir":"in","fault":"gone"}
`

func TestReplay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	file := write(t, clear, d.root, "r.jsonl")
	p, _ := profile.Embedded().Find("desko-cute")
	out := d.must(t, "replay", file)
	for _, want := range []string{
		reader + ", decoded as desko-cute (" + p.Framing.Name + ")", "    0.001 s  out  2 bytes 0102", "    0.310 s  in   14 bytes\n",
		"=>  zone of 2 lines (18, 13 characters)\n", "=>  no frame: timeout_partial", "failed: gone", "2 frames.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, "SPECIMEN") || strings.Contains(out, "53504543") {
		t.Errorf("what was read is shown unasked:\n%s", out)
	}
	if out := d.must(t, "replay", file, "--show"); !strings.Contains(out, "P<UTOSPECIMEN<<NIA | L898902C36UTO") {
		t.Errorf("asked for, it is not shown:\n%s", out)
	}
	if out := d.must(t, "replay", file, "--profile", "hidpos"); !strings.Contains(out, "no frame") || !strings.Contains(out, "hid-pos/aim5") {
		t.Errorf("as another kind:\n%s", out)
	}
}

func TestReplayOfWhatWasNotKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	hash := strings.Repeat("ab", 32)
	file := write(t, `{"recording":1,"clear":false,"profile":"desko-cute"}
{"t":1000,"dir":"in","hash":"`+hash+`","len":93}
`, d.root, "r.jsonl")
	if out := d.must(t, "replay", file); !strings.Contains(out, "93 bytes, not kept") || !strings.Contains(out, "nothing to decode") {
		t.Errorf("got\n%s", out)
	}
}

func TestSimulatedDevicesAreHandled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := func(name string) string { return filepath.Join(d.root, "data", bench.TrainerFolder, name) }
	d.must(t, "sim", "unplug", "sim:document_camera")
	if _, err := os.Stat(at("document_camera.unplugged")); err != nil {
		t.Error(err)
	}
	for range 2 { // plugging in twice is no mistake
		d.must(t, "sim", "plug", "document_camera")
	}
	if _, err := os.Stat(at("document_camera.unplugged")); !os.IsNotExist(err) {
		t.Errorf("still unplugged: %v", err)
	}
	d.must(t, "sim", "fault", "printer", "paper_out")
	if b, err := os.ReadFile(at("printer.fault")); err != nil || string(b) != "paper_out" {
		t.Errorf("%q, %v", b, err)
	}
	d.must(t, "sim", "fault", "printer", "none")
	if _, err := os.Stat(at("printer.fault")); !os.IsNotExist(err) {
		t.Errorf("still out of paper: %v", err)
	}
}

func TestADeskOfSoftwareIsMade(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	folder := filepath.Join(t.TempDir(), "training")
	if out := d.must(t, "sim", "start", folder); !strings.Contains(out, "counterproofd run --config "+filepath.Join(folder, "counter.json")) {
		t.Errorf("says %s", out)
	}
	cfg, err := config.Read(filepath.Join(folder, "counter.json"))
	if err != nil || cfg.Data != filepath.Join(d.root, "data") || cfg.DocumentCamera != "sim:"+filepath.Join(folder, "document") {
		t.Fatalf("%+v: %v", cfg, err)
	}
	if _, err := bench.Open(cfg, true); err != nil {
		t.Errorf("the counter cannot use it: %v", err)
	}
	if out, code := d.run(t, "sim", "start", folder); code != 2 || !strings.Contains(out, "counter.json already") {
		t.Errorf("a second desk in the same folder: exit %d: %s", code, out)
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "list", "record", "replay", "sim", "sim start", "sim unplug", "sim plug", "sim fault", "pin", "rules"} {
		cmd := gear.Command()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetArgs(append(strings.Fields(path), "--help"))
		if err := cmd.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), "Usage:") || strings.Contains(out.String(), "--dev string") {
			t.Errorf("%q: %v:\n%s", path, err, out.String())
		}
	}
}
