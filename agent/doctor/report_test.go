package doctor_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
)

// update writes what the doctor says now over the expected texts.
var update = flag.Bool("update", false, "write the expected reports anew")

// checkup is what a counter's checkup of facts says.
func checkup(f doctor.Facts) api.Checkup {
	c := api.Checkup{At: at, Version: "0.1.0", Site: "FV123", Findings: doctor.Examine(f)}
	for _, d := range f.Devices {
		told := api.CheckedDevice{ID: string(d.ID), Name: d.Name, State: string(d.State), Can: []string{string(d.Can[0])}}
		for _, t := range f.Things {
			if t.ID == d.ID && t.Known {
				told.Profile, told.Tried = t.Profile.ID, string(t.Profile.Status)
			}
		}
		c.Devices = append(c.Devices, told)
	}
	return c
}

// planted are the faults whose whole report is quoted in testdata.
var planted = map[string]func(*doctor.Facts){
	"healthy": func(*doctor.Facts) {},
	"no-rule": func(f *doctor.Facts) {
		f.Rules, f.Things[2] = doctor.RulesMissing, passportReader(func(t *doctor.Thing) { t.Access = doctor.MayNotOpen })
		f.Devices[2].State, f.Devices[2].Kind = devices.Faulted, devices.Permission
	},
	"modem-manager": func(f *doctor.Facts) {
		f.Things[2] = passportReader(func(t *doctor.Thing) { t.Holders, t.Ignored = []string{"ModemManager"}, false })
		f.Devices[2].State, f.Devices[2].Kind = devices.Faulted, devices.InUse
	},
	"held": func(f *doctor.Facts) {
		f.Things[0] = camera(func(t *doctor.Thing) { t.Holders = []string{"cheese"} })
		f.Devices[0].State, f.Devices[0].Kind = devices.Faulted, devices.InUse
	},
	"keyboard-wedge": func(f *doctor.Facts) {
		f.Things[1] = wedge()
		f.Devices[1].State, f.Devices[1].Kind = devices.Faulted, devices.Unsupported
	},
	"pcsc-missing":    func(f *doctor.Facts) { f.Cards = doctor.CardsMissing },
	"camera-too-dark": func(f *doctor.Facts) { f.Lights[0].Mean, f.Lights[0].Finding = 21, api.CameraDark },
	"paper-out":       func(f *doctor.Facts) { f.Devices[3].State, f.Devices[3].Kind = devices.Faulted, devices.PaperOut },
	"unknown-reader": func(f *doctor.Facts) {
		f.Things[1] = scanner(func(t *doctor.Thing) {
			t.Known, t.Profile, t.Vendor, t.Product = false, profile.Profile{}, 0x1eab, 0x0c05
		})
		f.Devices = slices.Delete(f.Devices, 1, 2)
	},
	"everything": func(f *doctor.Facts) {
		f.Service, f.Disk.Free = doctor.ServiceAway, 120<<20
		f.Things[0] = camera(func(t *doctor.Thing) { t.Holders = []string{"cheese"} })
		f.Clock.Synced = false
	},
}

func TestReportsOfPlantedFaults(t *testing.T) {
	t.Parallel()
	for name, plant := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := healthy()
			plant(&f)
			got := strings.Join(doctor.Report(checkup(f), doctor.PageWidth), "\n") + "\n"
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

func TestASlipIsNoWiderThanItsPaper(t *testing.T) {
	t.Parallel()
	for name, plant := range planted {
		f := healthy()
		plant(&f)
		for _, line := range doctor.Report(checkup(f), doctor.Width) {
			if utf8.RuneCountInString(line) > doctor.Width || strings.ContainsAny(line, "`{}") {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}

// codesIn reads the constants of a type out of the vocabulary, so that a new one
// cannot be forgotten.
func codesIn(t *testing.T, typ string) (codes []string) {
	t.Helper()
	b, err := os.ReadFile("../api/doctor.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\t\w+ +`+typ+` += "(\w+)"`).FindAllSubmatch(b, -1) {
		codes = append(codes, string(m[1]))
	}
	return codes
}

func TestEveryFindingHasWords(t *testing.T) {
	t.Parallel()
	w, codes := doctor.English(), codesIn(t, "FindingCode")
	if len(codes) < 40 {
		t.Fatalf("only %v", codes)
	}
	left := regexp.MustCompile(`[{][a-z]+[}]`)
	for _, code := range codes {
		f := api.Finding{Code: api.FindingCode(code), Name: "N", Device: "D", Values: map[string]string{
			"node": "/dev/x", "rule": "r", "profile": "p", "holder": "h", "place": "1-2", "role": "face_camera", "free": "1 MB", "value": "v",
		}}
		what, why, do := w.Say(f)
		for _, s := range []string{what, why, do} {
			if s == "" || left.MatchString(s) || strings.Count(s, "`")%2 != 0 {
				t.Errorf("%s says %q", code, s)
			}
		}
	}
	for _, hint := range profile.Hints() {
		if !slices.Contains(codes, hint) {
			t.Errorf("hint %s is no finding", hint)
		}
	}
	for key := range w {
		if code, part, ok := strings.Cut(key, "."); ok && part != "" && code != "role" && !slices.Contains(codes, code) {
			t.Errorf("words for %s, which nobody finds", key)
		}
	}
	for _, weight := range codesIn(t, "Weight") {
		if w[weight] == "" {
			t.Errorf("no words for weight %s", weight)
		}
	}
}

// TestEveryFindingCanBeFound: a code that no facts lead to would be dead words. The
// light meter finds the others by itself.
func TestEveryFindingCanBeFound(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"camera_bright": true, "camera_glare": true, "camera_flicker": true, "camera_slow": true}
	for _, c := range faults {
		for _, code := range strings.Fields(strings.Trim(c.want, "[]")) {
			seen[code] = true
		}
	}
	for _, hint := range profile.Hints() {
		f := healthy()
		f.Things = []doctor.Thing{camera(func(t *doctor.Thing) { t.Profile.Hint = hint })}
		for _, found := range doctor.Examine(f) {
			seen[string(found.Code)] = true
		}
	}
	f := healthy()
	f.Devices[0].Kind = devices.Permission
	f.Things = nil // a device of another source
	for _, found := range doctor.Examine(f) {
		seen[string(found.Code)] = true
	}
	for _, code := range codesIn(t, "FindingCode") {
		if !seen[code] {
			t.Errorf("%s is never found", code)
		}
	}
}

func TestAFindingOfANewerProgramStillSaysWhatToDo(t *testing.T) {
	t.Parallel()
	what, _, do := doctor.English().Say(api.Finding{Code: "flux_low"})
	if what != "flux low." || do == "" {
		t.Errorf("%q, %q", what, do)
	}
}

// TestReportsTellNobody: facts have no place for a person, so what is tested is
// that every text of a finding is one of a closed list, and that what the system
// tells does not carry a user's folder.
func TestReportsTellNobody(t *testing.T) {
	t.Parallel()
	allowed := []string{"node", "rule", "profile", "holder", "place", "role", "free", "value"}
	for name, plant := range planted {
		f := healthy()
		plant(&f)
		f.Queue = api.Queue{Alarms: 1, Problem: proof.KindCentreRefused}
		c := checkup(f)
		for _, line := range doctor.Report(c, doctor.PageWidth) {
			for _, private := range []string{"/home", "SPECIMEN", "P<", "CP-", "@"} {
				if strings.Contains(line, private) {
					t.Errorf("%s: %q stands in %q", name, private, line)
				}
			}
		}
		for _, found := range c.Findings {
			for key := range found.Values {
				if !slices.Contains(allowed, key) {
					t.Errorf("%s tells %s", found.Code, key)
				}
			}
		}
	}
}
