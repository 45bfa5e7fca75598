package look_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/agent/doctor/look"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
)

// now is the moment of these tests.
var now = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

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

// computer is a computer in a folder: a passport reader on a serial line that the
// site has pinned, and a chip reader.
func computer(t *testing.T) (pc look.PC, root string) {
	t.Helper()
	root = t.TempDir()
	usb := filepath.Join(root, "sys/devices/usb1/1-4")
	for name, text := range map[string]string{
		"idVendor": "1234", "idProduct": "5678", "product": "ID BOX One", "1-4:1.0/bInterfaceNumber": "00",
		"1-4:1.0/bInterfaceClass": "02", "1-4:1.0/bInterfaceSubClass": "02", "1-4:1.0/bInterfaceProtocol": "01",
	} {
		write(t, text+"\n", usb, name)
	}
	write(t, "", usb, "1-4:1.0/tty/ttyACM0/dev")
	link(t, filepath.Join(usb, "1-4:1.0"), usb, "1-4:1.0/tty/ttyACM0/device")
	link(t, filepath.Join(usb, "1-4:1.0/tty/ttyACM0"), root, "sys/class/tty/ttyACM0")
	chip := filepath.Join(root, "sys/devices/usb1/1-5")
	for name, text := range map[string]string{
		"idVendor": "076b", "idProduct": "3031", "product": "OMNIKEY 3x21", "1-5:1.0/bInterfaceNumber": "00",
		"1-5:1.0/bInterfaceClass": "0b", "1-5:1.0/bInterfaceSubClass": "00", "1-5:1.0/bInterfaceProtocol": "00",
	} {
		write(t, text+"\n", chip, name)
	}
	link(t, filepath.Join(chip, "1-5:1.0"), root, "sys/bus/usb/devices/1-5:1.0")
	write(t, "", root, "dev/ttyACM0")
	write(t, `{"id": "our-reader", "like": "elyctis-idbox", "match": [{"bus": "serial", "vendor": "1234", "product": "5678"}]}`, root, "profiles/reader.json")
	write(t, "counterproofd\n", root, "proc/self/comm")
	write(t, "", root, "data/queue")
	if err := os.Chtimes(filepath.Join(root, "data/queue"), now, now); err != nil {
		t.Fatal(err)
	}
	return look.PC{
		Sys: filepath.Join(root, "sys"), Dev: filepath.Join(root, "dev"), Proc: filepath.Join(root, "proc"), Run: filepath.Join(root, "run"),
		Etc: filepath.Join(root, "etc"), Lib: filepath.Join(root, "usr/lib"), Data: filepath.Join(root, "data"), Profiles: filepath.Join(root, "profiles"),
		Cards: func() error { return nil }, Readers: func() int { return 1 },
	}, root
}

// line is the passport reader among the things.
func line(t *testing.T, f doctor.Facts) doctor.Thing {
	t.Helper()
	for _, thing := range f.Things {
		if thing.Bus == profile.BusSerial {
			return thing
		}
	}
	t.Fatalf("no serial line among %+v", f.Things)
	return doctor.Thing{}
}

func TestAComputerIsSeen(t *testing.T) {
	t.Parallel()
	pc, root := computer(t)
	f := look.Gather(t.Context(), pc, now)
	got := line(t, f)
	if got.Profile.ID != "our-reader" || !got.Known || got.Access != doctor.MayOpen || len(got.Holders) != 0 || got.Node != filepath.Join(root, "dev/ttyACM0") {
		t.Errorf("the reader is %+v", got)
	}
	if f.Rules != doctor.RulesMissing || f.ModemManager || f.Cards != doctor.CardsThere || f.Disk.Total == 0 || f.Clock.Behind > 0 || f.Clock.Old {
		t.Errorf("got %+v", f)
	}
	if len(f.Profiles) != 0 {
		t.Errorf("profiles: %v", f.Profiles)
	}
}

func TestHoldersAndModemManager(t *testing.T) {
	t.Parallel()
	pc, root := computer(t)
	node := filepath.Join(root, "dev/ttyACM0")
	write(t, "ModemManager\n", root, "proc/301/comm")
	link(t, node, root, "proc/301/fd/7")
	link(t, node, root, "proc/301/fd/8")
	write(t, "counterproofd\n", root, "proc/302/comm") // the counter itself
	link(t, node, root, "proc/302/fd/7")
	write(t, "minicom\x1b\n", root, "proc/303/comm")
	link(t, "/dev/null", root, "proc/303/fd/1")
	f := look.Gather(t.Context(), pc, now)
	if got := line(t, f).Holders; len(got) != 1 || got[0] != "ModemManager" || !f.ModemManager {
		t.Errorf("held by %q, ModemManager runs: %t", got, f.ModemManager)
	}
	if got := doctor.Examine(f); len(got) == 0 || got[0].Code != "modem_manager" {
		t.Errorf("findings %+v", got)
	}
}

func TestRulesAreCompared(t *testing.T) {
	t.Parallel()
	pc, root := computer(t)
	file := write(t, "# of last year\n", root, "usr/lib/udev/rules.d", profile.RulesFile)
	if f := look.Gather(t.Context(), pc, now); f.Rules != doctor.RulesOld {
		t.Errorf("other rules are %q", f.Rules)
	}
	own, err := profile.Parse([]byte(`{"id": "our-reader", "like": "elyctis-idbox", "match": [{"bus": "serial", "vendor": "1234", "product": "5678"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	write(t, string(profile.Embedded().With(own).Udev()), file)
	if f := look.Gather(t.Context(), pc, now); f.Rules != doctor.RulesThere {
		t.Errorf("today's rules are %q", f.Rules)
	}
}

func TestTheSmartCardService(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		err     error
		socket  bool
		readers int
		want    doctor.Cards
	}{
		{"there", nil, true, 1, doctor.CardsThere},
		{"sees-nothing", nil, true, 0, doctor.CardsEmpty},
		{"not-installed", &devices.Fault{Kind: devices.Missing}, false, 0, doctor.CardsMissing},
		{"stopped", &devices.Fault{Kind: devices.Missing}, true, 0, doctor.CardsStopped},
		{"refuses", &devices.Fault{Kind: devices.Permission}, true, 0, doctor.CardsRefuse},
		{"broken", errors.New("no answer"), true, 0, doctor.CardsStopped},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pc, root := computer(t)
			pc.Cards, pc.Readers = func() error { return c.err }, func() int { return c.readers }
			if c.socket {
				write(t, "", root, "run/pcscd/pcscd.comm")
			}
			if f := look.Gather(t.Context(), pc, now); f.Cards != c.want {
				t.Errorf("got %q, want %q", f.Cards, c.want)
			}
		})
	}
}

// TestNobodyAsksForCardsInVain: without a chip reader the service is not asked at
// all.
func TestNobodyAsksForCardsInVain(t *testing.T) {
	t.Parallel()
	pc, root := computer(t)
	pc.Cards = func() error {
		t.Error("the service was asked")
		return nil
	}
	if err := os.RemoveAll(filepath.Join(root, "sys/bus")); err != nil {
		t.Fatal(err)
	}
	if f := look.Gather(t.Context(), pc, now); f.Cards != "" {
		t.Errorf("got %q", f.Cards)
	}
}

func TestAClockThatWentBack(t *testing.T) {
	t.Parallel()
	pc, _ := computer(t)
	if f := look.Gather(t.Context(), pc, now.Add(-3*time.Hour)); f.Clock.Behind != 3*time.Hour {
		t.Errorf("behind by %s", f.Clock.Behind)
	}
	if f := look.Gather(t.Context(), pc, time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)); !f.Clock.Old {
		t.Error("the year 2001 is believed")
	}
}

func TestAProfileThatIsWrongIsTold(t *testing.T) {
	t.Parallel()
	pc, root := computer(t)
	write(t, `{"id": "x", "colour": "red"}`, root, "profiles/wrong.json")
	f := look.Gather(t.Context(), pc, now)
	if len(f.Profiles) != 1 || line(t, f).Profile.ID != "our-reader" {
		t.Errorf("got %q", f.Profiles)
	}
}

func TestNothingThereIsNothingWrong(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	f := look.Gather(t.Context(), look.PC{
		Sys: none, Dev: none, Proc: none, Run: none, Etc: none, Lib: none, Data: filepath.Join(none, "data"),
		Cards: func() error { return nil }, Readers: func() int { return 0 },
	}, now)
	f.Clock.Synced = true // the machine of this test is its own
	f.Disk.Free = f.Disk.Total
	for _, found := range doctor.Examine(f) {
		t.Errorf("a computer without anything has %+v", found)
	}
}

// TestThisComputer looks at the real one: whatever it has, the look ends and names
// no program as holding what does not exist.
func TestThisComputer(t *testing.T) {
	t.Parallel()
	f := look.Gather(t.Context(), look.PC{Data: t.TempDir()}, time.Now())
	if f.Disk.Total == 0 || f.Clock.Old {
		t.Errorf("got disk %+v, clock %+v", f.Disk, f.Clock)
	}
	for _, thing := range f.Things {
		if thing.Node == "" && len(thing.Holders) > 0 {
			t.Errorf("%s is held by %v", thing.ID, thing.Holders)
		}
	}
}
