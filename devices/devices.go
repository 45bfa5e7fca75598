// Package devices holds the words of the counter's hardware: what a device is,
// what it can do, how it fails and how its life goes. Drivers, simulators and
// replayed recordings speak these words, and the desk hears nothing else.
//
// # The laws
//
//   - A device is what it can do: the desk asks for a capability, never for a
//     model. One box may offer several.
//   - Every device is optional. NoDevice stands where a device is absent and
//     refuses politely with a Fault of Kind Missing, so nobody checks for nil.
//   - A device has one user at a time. A second one is refused with a Fault of
//     Kind InUse and never waits in a queue.
//   - A capture is never repeated by itself: after a fault the device is opened
//     again, the person at the counter decides whether to capture again.
//   - An identity is the port path with vendor, product and serial number, never
//     a /dev name, which changes with the order of plugging.
//   - Health and faults carry no personal data; pictures and document lines
//     travel only as the answer to the one who asked.
//   - Everything a device sends is hostile: bounded, parsed, never trusted.
package devices

import (
	"context"
	"errors"
	"time"
)

// ID names one device for as long as it stays in its port:
// "usb:1-2.3/04b8:0202/SERIAL", "sim:document-camera".
type ID string

// Capability is one thing a device can do.
type Capability string

// The capabilities.
const (
	CanReadMRZ      Capability = "mrz_reader"
	CanReadChip     Capability = "chip_reader"
	CanFilm         Capability = "camera"
	CanScanDocument Capability = "document_scanner"
	CanReadBarcode  Capability = "barcode_reader"
	CanPrint        Capability = "printer"
)

// Role says what a site uses a device for where two could do it: the camera
// over the document and the one that sees the patient.
type Role string

// The roles.
const (
	DocumentCamera Role = "document_camera"
	FaceCamera     Role = "face_camera"
	SlipPrinter    Role = "slip_printer"
	LetterPrinter  Role = "letter_printer"
	AnyRole        Role = ""
)

// Device describes one device. It says nothing of what it has read.
type Device struct {
	ID       ID           `json:"id"`
	Name     string       `json:"name"` // as its maker calls it
	Roles    []Role       `json:"roles"`
	Can      []Capability `json:"can"`
	State    State        `json:"state"`
	Kind     Kind         `json:"kind,omitempty"` // of the last fault
	Training bool         `json:"training"`       // simulated: counts only in training
}

// State is where a device stands in its life.
type State string

// The states; Faulted goes back to Opening after a pause that grows.
const (
	Absent  State = "absent"
	Found   State = "found"
	Opening State = "opening"
	Ready   State = "ready"
	Busy    State = "busy"
	Faulted State = "faulted"
)

// Health is how a device has been doing: counts and ages, no content.
type Health struct {
	Since    time.Time      `json:"since"` // when it came to its present state
	Opened   int            `json:"opened"`
	LastGood time.Time      `json:"last_good"` // zero when nothing was read yet
	Faults   map[Kind]int   `json:"faults,omitempty"`
	Firmware string         `json:"firmware,omitempty"`
	Details  map[string]int `json:"details,omitempty"` // capability's own counters
}

// Event tells that a device changed; events come in one order for all devices.
type Event struct {
	At     time.Time     // wall clock
	Mono   time.Duration // since the hub started, never set back
	Device Device        // as it is now
}

// MRZ is what an MRZ reader read: the lines as the reader sent them, not yet
// parsed, at most three of at most 44 characters.
type MRZ struct {
	Lines []string
	Raw   []byte // bytes of the frame, for a recording
}

// MRZReader reads machine-readable zones by itself.
type MRZReader interface {
	// ReadMRZ waits for the next document. It returns when one was read, ctx
	// ended or the reader failed; it never re-reads a document by itself.
	ReadMRZ(ctx context.Context) (MRZ, error)
}

// ChipReader moves command and response APDUs (ISO 7816-4) between the desk and
// the chip of a document that lies on the reader. A conversation begins with
// Connect and has one user, who ends it with Disconnect.
type ChipReader interface {
	// Connect waits until a document lies on the reader, takes it for this
	// program alone, resets it and begins anew, also where a conversation was
	// under way. While nothing lies there it waits until ctx ends, which is a
	// Fault of Kind Cancelled; a document that does not answer is Timeout then,
	// one that another program holds is InUse.
	Connect(ctx context.Context) error
	// Transmit sends one command and returns its response with status words.
	// One caller at a time. Without a conversation it is a Fault of Kind Gone:
	// before Connect, after the document was taken away, and after a command
	// that failed or that the caller gave up on, because nobody knows then where
	// the chip stands. It stays Gone, also if the document lies there again,
	// until the next Connect.
	Transmit(ctx context.Context, command []byte) ([]byte, error)
	// Disconnect ends the conversation: the chip forgets it, and the document is
	// free for other programs. Without a conversation it does nothing. Its ctx
	// must not be the one whose end is the reason for it.
	Disconnect(ctx context.Context) error
}

// Frame is one picture of a camera.
type Frame struct {
	JPEG []byte
	Seq  uint64        // grows by one a frame since opening
	At   time.Duration // since opening
}

// Camera films.
type Camera interface {
	// Frames delivers frames to deliver until it returns false, ctx ends or
	// the camera fails. The frame's bytes are the callee's to keep. It calls
	// from one goroutine and drops frames while deliver works, so a slow
	// reader sees the newest, never a queue. It returns nil when deliver had
	// enough, a Fault of Kind Cancelled when ctx ended, else the failure.
	Frames(ctx context.Context, deliver func(Frame) bool) error
}

// Light is what a document scanner shines.
type Light string

// The lights.
const (
	White    Light = "white"
	Infrared Light = "infrared"
	UV       Light = "uv"
)

// DocumentScanner takes flat pictures of a page.
type DocumentScanner interface {
	// Scan takes one picture for each light, in that order, as JPEG or PNG.
	Scan(ctx context.Context, lights []Light) ([][]byte, error)
}

// Symbol is one barcode: its content as bytes, never only as text.
type Symbol struct {
	Symbology string // AIM name: "QR", "Code128", "PDF417" …
	Bytes     []byte
}

// BarcodeReader reads symbols by itself.
type BarcodeReader interface {
	// ReadBarcode waits for the next symbol.
	ReadBarcode(ctx context.Context) (Symbol, error)
}

// Job is something to print, already laid out by the one who asks.
type Job struct {
	Title string // no personal data: it shows in the system's print queue
	Kind  JobKind
	Data  []byte
}

// JobKind says in which language a Job is written.
type JobKind string

// The job kinds.
const (
	ESCPOS JobKind = "escpos"
	PDF    JobKind = "pdf"
	Text   JobKind = "text" // UTF-8, lines of 42 characters
)

// Printer prints.
type Printer interface {
	// Accepts lists the kinds of job it takes, best first.
	Accepts() []JobKind
	// Print returns when the printer has taken the whole job, or a Fault; a
	// job that failed midway may lie half printed and is not repeated.
	Print(ctx context.Context, job Job) error
}

// Port is a stream of bytes to and from a device: serial line, USB endpoint
// pair, HID reports, a recording.
type Port interface {
	// Read fills p with what came; it waits until something came or ctx ends.
	// It returns 0 only with an error; after Gone every call is Gone.
	Read(ctx context.Context, p []byte) (int, error)
	// Write sends all of p or fails.
	Write(ctx context.Context, p []byte) error
	// Flush forgets what came and was not read; it is called after opening,
	// because bytes from before may lie in the kernel.
	Flush() error
	// Close frees the port and ends a Read that waits. It may be called twice.
	Close() error
}

// Kind says in one word how a device failed; the desk maps it to the words that
// the clerk is shown. Add only at the end.
type Kind string

// The kinds.
const (
	KindNone    Kind = ""
	Missing     Kind = "missing"     // no such device is plugged in
	Gone        Kind = "gone"        // it was unplugged while in use
	InUse       Kind = "in_use"      // another program holds it
	Permission  Kind = "permission"  // the system does not let us open it
	Timeout     Kind = "timeout"     // it did not answer in time
	Protocol    Kind = "protocol"    // it sent what makes no sense
	Unsupported Kind = "unsupported" // it cannot do this, or not on this system
	PaperOut    Kind = "paper_out"
	CoverOpen   Kind = "cover_open"
	Cancelled   Kind = "cancelled" // the one who asked gave up
)

// Fault is a device's failure: what was done, which kind, on which device, and
// the cause. It never holds what was read.
type Fault struct {
	Op     string
	Kind   Kind
	Device ID
	Holder string // for InUse: the program that has it, if known
	Rule   string // for Permission: the rule that would help
	Err    error
}

// Error writes the fault for a log.
func (f *Fault) Error() string {
	s := string(f.Kind)
	if f.Op != "" {
		s = f.Op + ": " + s
	}
	if f.Device != "" {
		s += " (" + string(f.Device) + ")"
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// KindOf finds the kind of an error; KindNone where it is no device's fault.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Kind
	}
	return KindNone
}

// NoDevice is every capability of a device that is not there: each call fails
// with a Fault of Kind Missing. It stands wherever a device would.
type NoDevice struct {
	Op string // what was wanted, for the fault's text
}

func (n NoDevice) missing() error { return &Fault{Op: n.Op, Kind: Missing} }

// ReadMRZ refuses: there is no reader.
func (n NoDevice) ReadMRZ(context.Context) (MRZ, error) { return MRZ{}, n.missing() }

// Connect refuses: there is no reader.
func (n NoDevice) Connect(context.Context) error { return n.missing() }

// Disconnect refuses: there is no reader.
func (n NoDevice) Disconnect(context.Context) error { return n.missing() }

// Transmit refuses: there is no reader.
func (n NoDevice) Transmit(context.Context, []byte) ([]byte, error) { return nil, n.missing() }

// Frames refuses: there is no camera.
func (n NoDevice) Frames(context.Context, func(Frame) bool) error { return n.missing() }

// Scan refuses: there is no scanner.
func (n NoDevice) Scan(context.Context, []Light) ([][]byte, error) { return nil, n.missing() }

// ReadBarcode refuses: there is no reader.
func (n NoDevice) ReadBarcode(context.Context) (Symbol, error) { return Symbol{}, n.missing() }

// Accepts names no kind: there is no printer.
func (n NoDevice) Accepts() []JobKind { return nil }

// Print refuses: there is no printer.
func (n NoDevice) Print(context.Context, Job) error { return n.missing() }
