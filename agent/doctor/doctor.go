// Package doctor says what is wrong with a counter PC and how to mend it, from
// facts that others have gathered: what is plugged in, who may open it and who
// has it open, how the devices stand, the light before the cameras, the disk,
// the clock and the service. Each finding has what is wrong, why it matters and
// what to do, in words of a closed list.
//
// It looks at nothing itself, changes nothing and asks nobody.
//
// # The laws
//
//   - The same facts give the same findings, the worst first.
//   - Every finding has words; a test counts them.
//   - What is not known is no finding: only what was seen to be wrong is told.
//   - Nothing that it tells is about a patient or a clerk: it names devices,
//     programs and files of the system, cut and made printable.
package doctor

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
)

// Facts are what was seen at a counter PC. What nobody looked at keeps its zero
// value, which says nothing.
type Facts struct {
	Service      Service
	Things       []Thing          // what is plugged in
	Devices      []devices.Device // as the counter has them
	Pinned       []devices.ID     // that the configuration names
	Rules        Rules            // udev's, for our devices
	ModemManager bool             // it runs
	Cards        Cards            // the smart-card service
	Lights       []api.Light      // before the cameras, where they were measured
	Disk         Disk
	Clock        Clock
	Profiles     []string // what is wrong with the site's own profiles
	Queue        api.Queue
	Complete     bool // the devices were looked at, so that a lack of them tells
}

// Service is how the counter's own program stands.
type Service string

// The states of the service. The zero value is that nobody asked.
const (
	ServiceRuns       Service = "runs"
	ServiceUnenrolled Service = "unenrolled" // it runs without an identity
	ServiceAway       Service = "away"
	ServiceShut       Service = "shut" // it runs and does not answer this user
)

// Thing is one thing that is plugged in, and what the system lets us do with it.
type Thing struct {
	profile.Found
	ID      devices.ID
	Profile profile.Profile // zero where none fits
	Known   bool
	Access  Access
	// Holders are the programs that have its node open, without this one.
	Holders []string
	// Ignored tells that ModemManager was told to leave it alone.
	Ignored bool
}

// Access is whether this program may open a node.
type Access string

// Whether it may. The zero value is that nobody looked.
const (
	MayOpen    Access = "yes"
	MayNotOpen Access = "no"
)

// Rules is how our rules of udev are installed.
type Rules string

// How they are. The zero value is that nobody looked.
const (
	RulesMissing Rules = "missing"
	RulesOld     Rules = "old" // other than the profiles of today say
	RulesThere   Rules = "there"
)

// Cards is how the smart-card service stands.
type Cards string

// How it stands. The zero value is that nobody looked.
const (
	CardsMissing Cards = "missing" // not installed
	CardsStopped Cards = "stopped"
	CardsRefuse  Cards = "refuse" // it does not let this program in
	CardsEmpty   Cards = "empty"  // it runs and sees no reader
	CardsThere   Cards = "there"
)

// Disk is the disk on which the counter keeps its records.
type Disk struct{ Free, Total uint64 } // bytes; Total 0 is that nobody looked

// Clock is how far the computer's clock can be believed.
type Clock struct {
	Known  bool          // whether something keeps it right could be asked
	Synced bool          // it does
	Behind time.Duration // by how much a file of the counter's own is from the future
	Old    bool          // it shows a day before this program was made
}

// Bounds of what is told.
const (
	diskFull  = 200 << 20 // bytes; below, a visit may not be kept
	diskLow   = 2 << 30
	clockSlip = 2 * time.Minute
	maxWord   = 48 // characters of what a system tells
)

// weights is how bad each finding is; what is not here hinders.
var weights = map[api.FindingCode]api.Weight{
	api.ServiceStopped: api.Stops, api.ServiceRefuses: api.Stops, api.NotEnrolled: api.Stops, api.RecordsAlarm: api.Stops,
	api.DiskFull: api.Stops, api.ClockOff: api.Stops,
	api.DiskLow: api.Advises, api.ClockLoose: api.Advises, api.ProfileWrong: api.Advises, api.Twins: api.Advises,
	api.UnknownLine: api.Advises, api.ChooseDevice: api.Advises, api.NothingReads: api.Advises,
	api.CameraGlare: api.Advises, api.CameraFlicker: api.Advises, api.CameraSlow: api.Advises,
}

// Weigh tells how bad a finding is.
func Weigh(code api.FindingCode) api.Weight { return cmp.Or(weights[code], api.Hinders) }

// Examine says what is wrong, the worst first.
func Examine(f Facts) []api.Finding {
	var all []api.Finding
	for _, check := range []func(Facts) []api.Finding{
		service, disk, clock, plugs, cards, states, twins, lights, profiles,
	} {
		all = append(all, check(f)...)
	}
	for i := range all {
		all[i].Weight = Weigh(all[i].Code)
	}
	rank := map[api.Weight]int{api.Stops: 0, api.Hinders: 1, api.Advises: 2}
	slices.SortStableFunc(all, func(a, b api.Finding) int { return cmp.Compare(rank[a.Weight], rank[b.Weight]) })
	return slices.CompactFunc(all, func(a, b api.Finding) bool { return a.Code == b.Code && a.Device == b.Device && a.Name == b.Name })
}

// one is a list of one finding, none where it is not so.
func one(so bool, code api.FindingCode, values ...string) []api.Finding {
	if !so {
		return nil
	}
	return []api.Finding{finding(code, "", "", values...)}
}

// finding makes a finding about a device; values are names and values in turn.
func finding(code api.FindingCode, id devices.ID, name string, values ...string) api.Finding {
	f := api.Finding{Code: code, Device: Plain(string(id), 160), Name: Plain(name, maxWord)}
	for i := 0; i+1 < len(values); i += 2 {
		if f.Values == nil {
			f.Values = map[string]string{}
		}
		f.Values[values[i]] = Plain(values[i+1], 160)
	}
	return f
}

// Plain is a text of the system's or a device's as it may be shown: printable, on
// one line, of a length.
func Plain(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "") {
		if n == most {
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			n++
		}
	}
	return strings.TrimSpace(b.String())
}
