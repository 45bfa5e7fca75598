package api

import (
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Paths of the doctor. They need no session, because a counter where nobody can
// sign in must be mended too; while a visit is open all but the first need the
// session of the operator who has it.
const (
	PathDoctor   Path = "/v1/doctor"          // GET → Checkup
	PathTrial    Path = "/v1/doctor/trial"    // POST Trial → TrialResult, after up to half a minute
	PathIdentify Path = "/v1/doctor/identify" // POST Trial without a device → TrialResult
	PathLight    Path = "/v1/doctor/light"    // GET ?role=… → text/event-stream of Light
	PathFindings Path = "/v1/doctor/report"   // POST prints what Checkup tells
)

// Checkup is what is wrong with a counter, and how its devices stand. Nothing in
// it tells who a patient or a clerk is.
type Checkup struct {
	At       time.Time       `json:"at"`
	Version  string          `json:"version,omitempty"`
	Site     string          `json:"site,omitempty"`
	Findings []Finding       `json:"findings"` // worst first
	Devices  []CheckedDevice `json:"devices"`
}

// Finding is one thing that is wrong. Its words are the reader's own.
type Finding struct {
	Code   FindingCode `json:"code"`
	Weight Weight      `json:"weight"`
	Device string      `json:"device,omitempty"` // id of a device, "" where it is about none
	Name   string      `json:"name,omitempty"`   // what the device is called
	// Values go into the words: "node", "rule", "profile", "holder", "place",
	// "role", "free", "value".
	Values map[string]string `json:"values,omitempty"`
}

// Weight says how bad a finding is.
type Weight string

// The weights, worst first.
const (
	Stops   Weight = "stops"   // no visit can be finished, or a record is in danger
	Hinders Weight = "hinders" // a device cannot be used
	Advises Weight = "advises" // it works, and could work better
)

// FindingCode names what is wrong.
type FindingCode string

// What can be wrong. The words of package profile.Hints are codes of this list
// too.
const (
	ServiceStopped FindingCode = "service_stopped"
	ServiceRefuses FindingCode = "service_refuses"
	NotEnrolled    FindingCode = "not_enrolled"
	RecordsAlarm   FindingCode = "records_alarm"
	DiskFull       FindingCode = "disk_full"
	DiskLow        FindingCode = "disk_low"
	ClockOff       FindingCode = "clock_off"
	ClockLoose     FindingCode = "clock_loose" // nothing keeps it right

	NoRule         FindingCode = "no_rule"
	OldRule        FindingCode = "old_rule"
	RuleUnused     FindingCode = "rule_unused" // it is there and does not serve
	ModemManager   FindingCode = "modem_manager"
	Held           FindingCode = "held"
	HeldUnseen     FindingCode = "held_unseen" // by a program that we may not see
	UnknownReader  FindingCode = "unknown_reader"
	UnknownPrinter FindingCode = "unknown_printer"
	UnknownLine    FindingCode = "unknown_line"
	ProfileWrong   FindingCode = "profile_wrong"
	Twins          FindingCode = "twins"

	CardsMissing    FindingCode = "cards_missing"     // the smart-card service is not installed
	CardsStopped    FindingCode = "cards_stopped"     // it does not run
	CardsRefuse     FindingCode = "cards_refuse"      // it does not let us in
	CardReaderQuiet FindingCode = "card_reader_quiet" // it is plugged in, and the service does not see it

	PinnedAway   FindingCode = "pinned_away" // the configuration names a device that is not there
	Unplugged    FindingCode = "unplugged"
	Silent       FindingCode = "silent"
	Garbled      FindingCode = "garbled"
	CannotServe  FindingCode = "cannot_serve"
	PaperOut     FindingCode = "paper_out"
	CoverOpen    FindingCode = "cover_open"
	NothingReads FindingCode = "nothing_reads" // neither a camera nor a reader

	CameraDark    FindingCode = "camera_dark"
	CameraBright  FindingCode = "camera_bright"
	CameraGlare   FindingCode = "camera_glare"
	CameraFlicker FindingCode = "camera_flicker"
	CameraSlow    FindingCode = "camera_slow"

	KeyboardWedge          FindingCode = "keyboard_wedge"
	KeyboardWedgeHoneywell FindingCode = "keyboard_wedge_honeywell"
	KeyboardWedgeZebra     FindingCode = "keyboard_wedge_zebra"
	KeyboardWedgeDatalogic FindingCode = "keyboard_wedge_datalogic"
	KeyboardWedgeAccessIS  FindingCode = "keyboard_wedge_access_is"
	MakersKit              FindingCode = "makers_kit"
	ChooseDevice           FindingCode = "choose_device"
)

// CheckedDevice is one device with how it has been doing.
type CheckedDevice struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Can      []string   `json:"can"`
	Roles    []string   `json:"roles,omitempty"`
	State    string     `json:"state"`             // as package devices names it
	Problem  proof.Kind `json:"problem,omitempty"` // of the last fault
	Training bool       `json:"training,omitempty"`
	Profile  string     `json:"profile,omitempty"`
	Tried    string     `json:"tried,omitempty"` // bench, trace, spec: how far its profile was tried
	Opened   int        `json:"opened,omitempty"`
	LastGood time.Time  `json:"last_good,omitzero"`
	Faults   int        `json:"faults,omitempty"`
}

// Trial asks for a trial of what a device can do.
type Trial struct {
	Device string `json:"device,omitempty"`
	Can    string `json:"can"` // as package devices names it
}

// TrialCode says what a trial came to.
type TrialCode string

// What trials come to.
const (
	TrialFilmed    TrialCode = "filmed"     // with Light
	TrialRead      TrialCode = "read"       // this reader has read something
	TrialReadOther TrialCode = "read_other" // another one has: Values has its name
	TrialNothing   TrialCode = "nothing"    // nothing was laid on it in time
	TrialPrinted   TrialCode = "printed"
	TrialScanned   TrialCode = "scanned" // Values has width and height
	TrialCard      TrialCode = "card"    // a card answers
	TrialNoCard    TrialCode = "no_card" // none lay there in time
	TrialFailed    TrialCode = "failed"  // with Problem
)

// TrialResult is what a trial came to. What was read, filmed or scanned is
// forgotten; only that it was is told.
type TrialResult struct {
	Device  string            `json:"device,omitempty"`
	Name    string            `json:"name,omitempty"`
	Can     string            `json:"can"`
	Code    TrialCode         `json:"code"`
	Problem proof.Kind        `json:"problem,omitempty"`
	Values  map[string]string `json:"values,omitempty"`
	Light   *Light            `json:"light,omitempty"`
}

// Light is how bright a camera's place is, over the last second or so. No picture
// leaves the daemon with it.
type Light struct {
	Role     string      `json:"role,omitempty"`
	Mean     float64     `json:"mean"`     // 0 to 255
	Contrast float64     `json:"contrast"` // between the dark and the light parts, 0 to 255
	Glare    float64     `json:"glare"`    // share that is washed out, 0 to 1
	Flicker  float64     `json:"flicker"`  // change from frame to frame by the mean, 0 to 1
	Rate     float64     `json:"rate"`     // frames a second
	Frames   int         `json:"frames"`
	Finding  FindingCode `json:"finding,omitempty"` // what is wrong with it, "" nothing
}
