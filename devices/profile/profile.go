// Package profile holds the counter's readers, cameras and printers as data: how
// each is recognised, which transport and framing it speaks, what it is sent and
// how long it may take. The program carries profiles of its own, and a site adds
// others or replaces them without a build.
//
// It opens nothing, sends nothing and never guesses: a device that no profile
// fits stays untouched.
//
// # The laws
//
//   - Never write to a port that no profile matched: a profile whose match would
//     fit what it does not know is refused when it is read. A serial port has to
//     be named by vendor and product or by the port it is plugged into.
//   - An id that no public source gives is not invented: such a reader comes with
//     an empty match and is pinned by the site.
//   - Each profile says how far it was tried: spec (written from a text), trace
//     (fits a recording), bench (worked at a counter).
//   - The more specific match wins, then the site, then the name; the order of
//     files means nothing.
//   - What may be written in a profile stands in schema.json and nowhere else;
//     the parser reads it from there. What must fit together stands in check.go.
//
// # How a site adds a reader
//
// A site drops one JSON file into its folder of profiles. A reader that is known
// but whose ids are not, or one that sits in a certain port, is pinned in three
// lines; every other key may be given too and replaces that of the profile it is
// like:
//
//	{"id": "counter-2-reader", "like": "elyctis-idbox",
//	 "match": [{"bus": "serial", "vendor": "1234", "product": "5678"}]}
//
// The port that it is plugged into serves as well, and is the only way to tell
// two equal readers or two equal adapter cables apart:
//
//	"match": [{"bus": "serial", "port_path": "1-2.3"}]
//
// A reader of another maker with a known framing is written in full; the files
// in the folder readers are examples, and Pin writes a pin for a device that was
// found. Then the rules that Udev writes are installed again.
package profile

import (
	_ "embed" // the schema
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Status says how far a profile was tried.
type Status string

// The states of trial.
const (
	Spec  Status = "spec"  // written from a text; no device was seen
	Trace Status = "trace" // fits a recording of a device
	Bench Status = "bench" // worked with a device at a counter
)

// Transport is the way to a device.
type Transport string

// The transports. OverNothing is no way: the profile only says why, by its Hint.
const (
	OverSerial  Transport = "serial"
	OverUSB     Transport = "usb" // endpoints claimed through libusb
	OverHID     Transport = "hidraw"
	OverVideo   Transport = "video"
	OverLP      Transport = "lp" // the kernel's printer node
	OverPCSC    Transport = "pcsc"
	OverESCL    Transport = "escl" // document scanner over HTTP
	OverSANE    Transport = "sane" // document scanner through a child process
	OverNothing Transport = "none"
)

// Quirk is a habit of a device that a driver must know.
type Quirk string

// The quirks.
const (
	// Poll: it answers only when asked, so the command read is sent again until
	// a document lies there.
	Poll Quirk = "poll"
	// Rearm: its waiting ends by itself with each document, so the command
	// trigger is sent again for the next.
	Rearm Quirk = "rearm"
	// USBFallback: where the system has no printer node, its interface is
	// claimed over USB.
	USBFallback Quirk = "usb_fallback"
	// NoStatus: it never answers a query of its state.
	NoStatus Quirk = "no_status"
)

// Why a device is recognised and not opened; the screen has the words.
const (
	hintWedge           = "keyboard_wedge" // it types like a keyboard: switch its mode
	hintWedgeHoneywell  = "keyboard_wedge_honeywell"
	hintWedgeZebra      = "keyboard_wedge_zebra"
	hintWedgeDatalogic  = "keyboard_wedge_datalogic"
	hintWedgeAccessIS   = "keyboard_wedge_access_is"
	hintMakersKit       = "makers_kit"    // it speaks only through its maker's own program
	hintChooseDevice    = "choose_device" // several may be in reach: the site pins one
	defaultBetweenBytes = 500 * time.Millisecond
	defaultTotal        = 3 * time.Second
)

// Hints lists every Hint that a profile can have.
func Hints() []string {
	return []string{
		hintWedge, hintWedgeHoneywell, hintWedgeZebra, hintWedgeDatalogic, hintWedgeAccessIS, hintMakersKit, hintChooseDevice,
	}
}

// Profile is one kind of device. Its JSON is the file's, with schema.json.
type Profile struct {
	ID      string   `json:"id"`
	Name    string   `json:"name,omitempty"` // maker and model, for people
	Status  Status   `json:"status,omitempty"`
	Sources []string `json:"sources,omitempty"` // where each fact is from
	// Like names the profile that gives every key that this one leaves out. It
	// is empty in a Set, where the keys have been filled in.
	Like string `json:"like,omitempty"`
	// Match lists ways to recognise it; one that fits is enough. Without any it
	// waits for a site to pin it.
	Match     []Match              `json:"match"`
	Transport Transport            `json:"transport,omitempty"`
	Can       []devices.Capability `json:"can,omitempty"`
	Roles     []devices.Role       `json:"roles,omitempty"` // empty: any
	Serial    Serial               `json:"serial,omitzero"`
	Framing   Framing              `json:"framing,omitzero"`
	// Commands are bytes in hexadecimal, just as they go over the wire: init
	// once after opening, read to ask for what lies there, trigger and
	// untrigger to begin and end waiting, close before closing.
	Commands map[string][]string `json:"commands,omitempty"`
	Limits   Limits              `json:"limits,omitzero"`
	Quirks   []Quirk             `json:"quirks,omitempty"`
	// Hint is why a device of this kind is not opened, of Hints; "" is that it
	// is opened.
	Hint string `json:"hint,omitempty"`
	// Site tells that it came from the site and not with the program.
	Site bool `json:"-"`
}

// Serial is how a serial line is set; Parse fills in 9600 8N1.
type Serial struct {
	Baud     int    `json:"baud"`
	DataBits int    `json:"data_bits"`
	Parity   string `json:"parity"` // none, odd, even
	StopBits int    `json:"stop_bits"`
}

// Framing names how bytes become frames, with what differs from the framing's
// own habit. The fields mean what those of framing.Settings do.
type Framing struct {
	Name       string
	Start, End []byte
	Content    string // mrz, barcode
	AIMPrefix  bool
	Length     string
	Check      string
	Letters    string
	Layout     *Layout // of HID barcode reports, instead of the descriptor's
}

// Layout says where a HID barcode report keeps what; offsets count from the
// first byte of the report, its number included.
type Layout struct {
	ReportID  int   `json:"report_id"`
	Size      int   `json:"size"`      // bytes of a whole report
	Length    int   `json:"length"`    // offset of the length byte
	Symbology []int `json:"symbology"` // offsets; three of them are an AIM identifier
	Data      int   `json:"data"`      // offset of the content
	Max       int   `json:"max"`       // most bytes of content
	More      int   `json:"more"`      // offset of the byte that says "continued"
	MoreMask  int   `json:"more_mask"` // its bit; 0 where nothing is continued
}

// Limits bound what a device may send. MaxBytes 0 is the framing's own bound.
// In JSON the times are milliseconds.
type Limits struct {
	MaxBytes  int
	InterByte time.Duration // between two bytes of a frame; 0.5 s unless set
	Total     time.Duration // from a frame's first byte, or a command, to its end; 3 s unless set
}

// Opens tells whether a device of this kind may be opened. If not, Hint says
// why.
func (p Profile) Opens() bool { return p.Transport != OverNothing && p.Hint == "" }

// Has tells whether it has a quirk.
func (p Profile) Has(q Quirk) bool { return slices.Contains(p.Quirks, q) }

// Command is the messages of a command in the order in which they are sent;
// none where the profile has no such command.
func (p Profile) Command(name string) [][]byte {
	var out [][]byte
	for _, s := range p.Commands[name] {
		if b, err := hex.DecodeString(s); err == nil { // which Parse has seen to
			out = append(out, b)
		}
	}
	return out
}

// framingFile is a Framing as it is written.
type framingFile struct {
	Name      string  `json:"name"`
	Start     string  `json:"start,omitempty"`
	End       string  `json:"end,omitempty"`
	Content   string  `json:"content,omitempty"`
	AIMPrefix bool    `json:"aim_prefix,omitempty"`
	Length    string  `json:"length,omitempty"`
	Check     string  `json:"check,omitempty"`
	Letters   string  `json:"letters,omitempty"`
	Layout    *Layout `json:"layout,omitempty"`
}

// MarshalJSON writes the framing as a profile has it.
func (f Framing) MarshalJSON() ([]byte, error) {
	return json.Marshal(framingFile{
		Name: f.Name, Start: hex.EncodeToString(f.Start), End: hex.EncodeToString(f.End), Content: f.Content,
		AIMPrefix: f.AIMPrefix, Length: f.Length, Check: f.Check, Letters: f.Letters, Layout: f.Layout,
	})
}

// UnmarshalJSON reads the framing of a profile.
func (f *Framing) UnmarshalJSON(raw []byte) error {
	var in framingFile
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("framing: %w", err)
	}
	start, err := hex.DecodeString(in.Start)
	if err != nil {
		return fmt.Errorf("framing.start: %w", err)
	}
	end, err := hex.DecodeString(in.End)
	if err != nil {
		return fmt.Errorf("framing.end: %w", err)
	}
	*f = Framing{in.Name, start, end, in.Content, in.AIMPrefix, in.Length, in.Check, in.Letters, in.Layout}
	return nil
}

// IsZero tells that no framing is named, so that none is written.
func (f Framing) IsZero() bool { return f.Name == "" }

// limitsFile is Limits as they are written.
type limitsFile struct {
	MaxBytes        int   `json:"max_bytes,omitempty"`
	InterByteMillis int64 `json:"inter_byte_millis,omitempty"`
	TotalMillis     int64 `json:"total_millis,omitempty"`
}

// MarshalJSON writes the limits as a profile has them.
func (l Limits) MarshalJSON() ([]byte, error) {
	return json.Marshal(limitsFile{l.MaxBytes, l.InterByte.Milliseconds(), l.Total.Milliseconds()})
}

// UnmarshalJSON reads the limits of a profile.
func (l *Limits) UnmarshalJSON(raw []byte) error {
	var in limitsFile
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	*l = Limits{
		in.MaxBytes, time.Duration(in.InterByteMillis) * time.Millisecond, time.Duration(in.TotalMillis) * time.Millisecond,
	}
	return nil
}

// number is a USB or HID number as it is written: four hexadecimal digits, or
// nothing for any.
type number uint16

func (n number) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%04x", uint16(n)), nil }

func (n *number) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 16, 16)
	*n = number(v)
	return err
}
