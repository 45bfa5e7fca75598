package doctor_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
)

// at is the moment of these tests.
var at = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// known are the program's own profiles.
var known = sync.OnceValue(profile.Embedded)

// thing is something that is plugged in, with the profile of the program's own
// that fits it.
func thing(id devices.ID, found profile.Found, change func(*doctor.Thing)) doctor.Thing {
	t := doctor.Thing{Found: found, ID: id, Access: doctor.MayOpen, Ignored: true}
	t.Profile, t.Known = known().Match(found)
	if change != nil {
		change(&t)
	}
	return t
}

// The things of these tests. The numbers are of makers, the serial numbers
// invented.
func camera(change func(*doctor.Thing)) doctor.Thing {
	return thing("usb:1-2/046d:0825/7A", profile.Found{
		Bus: profile.BusVideo, PortPath: "1-2", Vendor: 0x046d, Product: 0x0825, Serial: "7A", Name: "Webcam C270", Class: "0e/01/00", Node: "/dev/video0",
	}, change)
}

func scanner(change func(*doctor.Thing)) doctor.Thing {
	return thing("usb:1-3/0c2e:0b61", profile.Found{
		Bus: profile.BusHID, PortPath: "1-3", Vendor: 0x0c2e, Product: 0x0b61, Name: "Xenon 1900", Class: "03/00/00", UsagePage: 0x8c, Usage: 2, Node: "/dev/hidraw3",
	}, change)
}

func wedge() doctor.Thing {
	return thing("usb:1-3/0c2e:0b61", profile.Found{
		Bus: profile.BusHID, PortPath: "1-3", Vendor: 0x0c2e, Product: 0x0b61, Name: "Xenon 1900", Class: "03/01/01", UsagePage: 1, Usage: 6, Node: "/dev/hidraw3",
	}, nil)
}

func passportReader(change func(*doctor.Thing)) doctor.Thing {
	t := doctor.Thing{
		Found: profile.Found{Bus: profile.BusSerial, PortPath: "1-4", Vendor: 0x1234, Product: 0x5678, Name: "ID BOX One", Node: "/dev/ttyACM0"},
		ID:    "usb:1-4/1234:5678", Access: doctor.MayOpen, Known: true, Ignored: true,
	}
	t.Profile, _ = known().Find("elyctis-idbox")
	t.Profile.Match = []profile.Match{{Bus: profile.BusSerial, Vendor: 0x1234, Product: 0x5678}}
	if change != nil {
		change(&t)
	}
	return t
}

func cardReader() doctor.Thing {
	return thing("usb:1-5/076b:3031", profile.Found{
		Bus: profile.BusUSB, PortPath: "1-5", Vendor: 0x076b, Product: 0x3031, Name: "OMNIKEY 3x21", Class: "0b/00/00",
	}, nil)
}

func mouse() doctor.Thing {
	return thing("usb:1-9/046d:c077", profile.Found{
		Bus: profile.BusHID, PortPath: "1-9", Vendor: 0x046d, Product: 0xc077, Name: "USB Optical Mouse", Class: "03/01/02", UsagePage: 1, Usage: 2, Node: "/dev/hidraw0",
	}, nil)
}

func onBoard() doctor.Thing {
	return thing("serial:ttyS0", profile.Found{Bus: profile.BusSerial, PortPath: "ttyS0", Node: "/dev/ttyS0"}, nil)
}

// device is a device as the counter has it.
func device(id devices.ID, name string, can devices.Capability, state devices.State, kind devices.Kind) devices.Device {
	return devices.Device{ID: id, Name: name, Can: []devices.Capability{can}, State: state, Kind: kind}
}

// healthy is a desk on which all is well, with a mouse and a serial port of the
// board, which are nobody's business.
func healthy() doctor.Facts {
	return doctor.Facts{
		Service: doctor.ServiceRuns, Rules: doctor.RulesThere, Cards: doctor.CardsThere, Complete: true, ModemManager: true,
		Things: []doctor.Thing{camera(nil), scanner(nil), passportReader(nil), cardReader(), mouse(), onBoard()},
		Devices: []devices.Device{
			device("usb:1-2/046d:0825/7A", "Webcam C270", devices.CanFilm, devices.Ready, ""),
			device("usb:1-3/0c2e:0b61", "Xenon 1900", devices.CanReadBarcode, devices.Ready, ""),
			device("usb:1-4/1234:5678", "ID BOX One", devices.CanReadMRZ, devices.Busy, ""),
			device("usb:1-6/04b8:0202", "TM-T20", devices.CanPrint, devices.Ready, ""),
		},
		Lights: []api.Light{{Role: "document_camera", Mean: 140, Contrast: 80, Rate: 15, Frames: 30}},
		Disk:   doctor.Disk{Free: 40 << 30, Total: 200 << 30},
		Clock:  doctor.Clock{Known: true, Synced: true},
	}
}

// codes are the findings' codes.
func codes(all []api.Finding) (out []api.FindingCode) {
	for _, f := range all {
		out = append(out, f.Code)
	}
	return out
}

func TestAHealthyDeskHasNoFindings(t *testing.T) {
	t.Parallel()
	if got := doctor.Examine(healthy()); len(got) != 0 {
		t.Errorf("a healthy desk has %+v", got)
	}
	if got := doctor.Examine(doctor.Facts{}); len(got) != 0 {
		t.Errorf("what nobody looked at has %+v", got)
	}
}

// faults are what each planted fault is told as, and as nothing else.
var faults = []struct {
	name  string
	plant func(*doctor.Facts)
	want  string
}{
	{"service/stopped", func(f *doctor.Facts) { f.Service = doctor.ServiceAway }, "[service_stopped]"},
	{"service/other-user", func(f *doctor.Facts) { f.Service = doctor.ServiceShut }, "[service_refuses]"},
	{"service/not-enrolled", func(f *doctor.Facts) { f.Service = doctor.ServiceUnenrolled }, "[not_enrolled]"},
	{"records/alarm", func(f *doctor.Facts) { f.Queue.Alarms = 2 }, "[records_alarm]"},
	{"disk/full", func(f *doctor.Facts) { f.Disk.Free = 100 << 20 }, "[disk_full]"},
	{"disk/low", func(f *doctor.Facts) { f.Disk.Free = 1 << 30 }, "[disk_low]"},
	{"clock/loose", func(f *doctor.Facts) { f.Clock.Synced = false }, "[clock_loose]"},
	{"clock/file-from-the-future", func(f *doctor.Facts) { f.Clock.Behind = time.Hour }, "[clock_off]"},
	{"clock/before-the-program", func(f *doctor.Facts) { f.Clock = doctor.Clock{Old: true} }, "[clock_off]"},
	{"clock/a-minute-is-nothing", func(f *doctor.Facts) { f.Clock.Behind = time.Minute }, "[]"},
	{"rule/missing", func(f *doctor.Facts) {
		f.Rules, f.Things[1] = doctor.RulesMissing, scanner(func(t *doctor.Thing) { t.Access = doctor.MayNotOpen })
	}, "[no_rule]"},
	{"rule/missing-and-nobody-minds", func(f *doctor.Facts) { f.Rules = doctor.RulesMissing }, "[]"},
	{"rule/old", func(f *doctor.Facts) {
		f.Rules, f.Devices[0].Kind = doctor.RulesOld, devices.Permission
	}, "[old_rule]"},
	{"rule/not-applied", func(f *doctor.Facts) { f.Devices[0].Kind = devices.Permission }, "[rule_unused]"},
	{"modem/holds-the-line", func(f *doctor.Facts) {
		f.Things[2] = passportReader(func(t *doctor.Thing) { t.Holders = []string{"ModemManager"} })
	}, "[modem_manager]"},
	{"modem/may-take-the-line", func(f *doctor.Facts) {
		f.Things[2] = passportReader(func(t *doctor.Thing) { t.Ignored = false })
	}, "[modem_manager]"},
	{"modem/not-there", func(f *doctor.Facts) {
		f.ModemManager, f.Things[2] = false, passportReader(func(t *doctor.Thing) { t.Ignored = false })
	}, "[]"},
	{"held/by-a-program", func(f *doctor.Facts) {
		f.Things[0] = camera(func(t *doctor.Thing) { t.Holders = []string{"cheese", "zoom"} })
	}, "[held]"},
	{"held/unseen", func(f *doctor.Facts) { f.Devices[0].Kind = devices.InUse }, "[held_unseen]"},
	{"wedge", func(f *doctor.Facts) { f.Things[1] = wedge() }, "[keyboard_wedge_honeywell]"},
	{"wedge/listed-as-device", func(f *doctor.Facts) {
		f.Things[1], f.Devices[1].Kind = wedge(), devices.Unsupported
	}, "[keyboard_wedge_honeywell]"},
	{"unknown/scanner", func(f *doctor.Facts) {
		f.Things[1] = scanner(func(t *doctor.Thing) { t.Known, t.Profile, t.Vendor = false, profile.Profile{}, 0x1eab })
	}, "[unknown_reader]"},
	{"unknown/of-a-maker", func(f *doctor.Facts) {
		f.Things[1] = scanner(func(t *doctor.Thing) {
			t.Known, t.Profile, t.UsagePage, t.Bus = false, profile.Profile{}, 0, profile.BusUSB
		})
	}, "[unknown_reader]"},
	{"unknown/line", func(f *doctor.Facts) {
		f.Things[2] = passportReader(func(t *doctor.Thing) { t.Known, t.Profile = false, profile.Profile{} })
	}, "[unknown_line]"},
	{"unknown/printer", func(f *doctor.Facts) {
		f.Things = append(f.Things, doctor.Thing{Found: profile.Found{Bus: profile.BusUSB, PortPath: "1-8", Class: "07/01/02", Vendor: 0x03f0}})
	}, "[unknown_printer]"},
	{"profile/wrong", func(f *doctor.Facts) { f.Profiles = []string{`desk.json: transport: "carrier" is none of serial, usb`} }, "[profile_wrong]"},
	{"cards/missing", func(f *doctor.Facts) { f.Cards = doctor.CardsMissing }, "[cards_missing]"},
	{"cards/stopped", func(f *doctor.Facts) { f.Cards = doctor.CardsStopped }, "[cards_stopped]"},
	{"cards/refuse", func(f *doctor.Facts) { f.Cards = doctor.CardsRefuse }, "[cards_refuse]"},
	{"cards/reader-unseen", func(f *doctor.Facts) { f.Cards = doctor.CardsEmpty }, "[card_reader_quiet]"},
	{"cards/nobody-wants-them", func(f *doctor.Facts) {
		f.Things, f.Cards = []doctor.Thing{camera(nil)}, doctor.CardsMissing
	}, "[]"},
	{"cards/the-configuration-wants-them", func(f *doctor.Facts) {
		f.Things, f.Cards, f.Pinned = []doctor.Thing{camera(nil)}, doctor.CardsMissing, []devices.ID{"pcsc:OMNIKEY"}
	}, "[cards_missing]"},
	{"device/pinned-away", func(f *doctor.Facts) {
		f.Pinned, f.Devices[0].State, f.Devices[0].Kind = []devices.ID{f.Devices[0].ID}, devices.Absent, devices.Missing
	}, "[pinned_away]"},
	{"device/unplugged", func(f *doctor.Facts) {
		f.Devices[0].State, f.Devices[0].Kind = devices.Absent, devices.Missing
	}, "[unplugged]"},
	{"device/silent", func(f *doctor.Facts) { f.Devices[2].Kind = devices.Timeout }, "[silent]"},
	{"device/garbled", func(f *doctor.Facts) { f.Devices[2].Kind = devices.Protocol }, "[garbled]"},
	{"printer/paper-out", func(f *doctor.Facts) { f.Devices[3].Kind = devices.PaperOut }, "[paper_out]"},
	{"printer/cover-open", func(f *doctor.Facts) { f.Devices[3].Kind = devices.CoverOpen }, "[cover_open]"},
	{"printer/held-and-simulated", func(f *doctor.Facts) { f.Devices[3].Kind = devices.InUse }, "[held_unseen]"},
	{"nothing-reads", func(f *doctor.Facts) { f.Things, f.Devices = nil, f.Devices[3:] }, "[nothing_reads]"},
	{"twins", func(f *doctor.Facts) {
		other := f.Devices[0]
		other.ID = "usb:1-7/046d:0825/7B"
		f.Devices = append(f.Devices, other)
	}, "[twins]"},
	{"twins/pinned", func(f *doctor.Facts) {
		other := f.Devices[0]
		other.ID = "usb:1-7/046d:0825/7B"
		f.Devices, f.Pinned = append(f.Devices, other), []devices.ID{other.ID}
	}, "[]"},
	{"light/dark", func(f *doctor.Facts) { f.Lights[0].Finding = api.CameraDark }, "[camera_dark]"},
}

func TestPlantedFaultsAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := healthy()
			c.plant(&f)
			if got := fmt.Sprint(codes(doctor.Examine(f))); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheWorstGoesFirst(t *testing.T) {
	t.Parallel()
	f := healthy()
	f.Clock.Synced, f.Service = false, doctor.ServiceAway
	f.Things[0] = camera(func(t *doctor.Thing) { t.Holders = []string{"cheese"} })
	if got := fmt.Sprint(codes(doctor.Examine(f))); got != "[service_stopped held clock_loose]" {
		t.Errorf("got %s", got)
	}
}

// TestOneBoxIsToldOnce: a scanner that types shows a keyboard twice, once on each
// bus.
func TestOneBoxIsToldOnce(t *testing.T) {
	t.Parallel()
	f := healthy()
	second := wedge()
	second.Bus, second.ID, second.Node = profile.BusUSB, "usb:1-3/0c2e:0b61#1", ""
	f.Things = append(f.Things, wedge(), second)
	f.Things[1] = wedge()
	if got := fmt.Sprint(codes(doctor.Examine(f))); got != "[keyboard_wedge_honeywell]" {
		t.Errorf("got %s", got)
	}
}

func TestWhatASystemTellsIsMadePlain(t *testing.T) {
	t.Parallel()
	f := healthy()
	f.Things[0] = camera(func(t *doctor.Thing) {
		t.Name, t.Holders = "Cam\x1b[31m\u202e"+string(make([]byte, 99))+"\xff", []string{"evil\nprogram"}
	})
	got := doctor.Examine(f)
	if len(got) != 1 || got[0].Name != "Cam[31m" || got[0].Values["holder"] != "evilprogram" {
		t.Errorf("got %+v", got)
	}
}
