package profile

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Bus is where a device was found.
type Bus string

// The buses. BusPCSC and BusSANE are lists that another program keeps.
const (
	BusUSB    Bus = "usb"    // one interface of a USB device
	BusSerial Bus = "serial" // a terminal line, over USB or soldered in
	BusHID    Bus = "hid"
	BusVideo  Bus = "video"
	BusNet    Bus = "net" // announced by DNS-SD, or named by the site
	BusPCSC   Bus = "pcsc"
	BusSANE   Bus = "sane"
)

// Class is a USB class, subclass and protocol as "07/01/02"; in a Match it may
// end earlier.
type Class string

// ClassOf writes a class.
func ClassOf(class, subclass, protocol uint8) Class {
	return Class(fmt.Sprintf("%02x/%02x/%02x", class, subclass, protocol))
}

// within tells whether c is in the group of classes.
func (c Class) within(group Class) bool {
	return group == "" || c == group || strings.HasPrefix(string(c), string(group)+"/")
}

// Found is what a bus says of one thing on it. A device with several interfaces
// is found once for each, all with the same PortPath. All of it comes from the
// device and is not to be trusted.
type Found struct {
	Bus Bus
	// PortPath is the place it is plugged into, which stays the same however
	// often it is plugged: "1-2.3" (USB), "ttyS0" (soldered in), "host:port"
	// (net).
	PortPath                   string
	Interface                  int // number on a USB device
	Vendor, Product            uint16
	Serial, Manufacturer, Name string
	Class                      Class  // of the interface; on other buses of the USB interface behind
	UsagePage, Usage           uint16 // of the HID collection
	DeviceID                   string // IEEE 1284, of a printer
	Service                    string // DNS-SD type: "_uscan._tcp"
	Node                       string // what is opened: "/dev/ttyACM0", an address
}

// Match is what must be so for a device to be of a kind. Zero values say
// nothing, all others must fit.
type Match struct {
	Bus             Bus
	Vendor, Product uint16
	SerialNumber    string
	PortPath        string
	Class           Class // or a group of classes: "0e", "07/01"
	UsagePage       uint16
	Usage           uint16
	// DeviceID is a field of the IEEE 1284 id and a value that it lists:
	// "CMD:ESC/POS".
	DeviceID string
	// NoCommandSet fits printers that do not say which commands they take.
	NoCommandSet bool
	Service      string
	Name         string // a part of the name
}

// matchFile is a Match as it is written.
type matchFile struct {
	Bus          Bus    `json:"bus"`
	Vendor       number `json:"vendor,omitzero"`
	Product      number `json:"product,omitzero"`
	SerialNumber string `json:"serial_number,omitempty"`
	PortPath     string `json:"port_path,omitempty"`
	Class        Class  `json:"class,omitempty"`
	UsagePage    number `json:"usage_page,omitzero"`
	Usage        number `json:"usage,omitzero"`
	DeviceID     string `json:"device_id,omitempty"`
	NoCommandSet bool   `json:"no_command_set,omitempty"`
	Service      string `json:"service,omitempty"`
	Name         string `json:"name,omitempty"`
}

// MarshalJSON writes the match as a profile has it.
func (m Match) MarshalJSON() ([]byte, error) {
	return json.Marshal(matchFile{
		m.Bus, number(m.Vendor), number(m.Product), m.SerialNumber, m.PortPath, m.Class,
		number(m.UsagePage), number(m.Usage), m.DeviceID, m.NoCommandSet, m.Service, m.Name,
	})
}

// UnmarshalJSON reads a match of a profile.
func (m *Match) UnmarshalJSON(raw []byte) error {
	var in matchFile
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	*m = Match{
		in.Bus, uint16(in.Vendor), uint16(in.Product), in.SerialNumber, in.PortPath, in.Class,
		uint16(in.UsagePage), uint16(in.Usage), in.DeviceID, in.NoCommandSet, in.Service, in.Name,
	}
	return nil
}

// fits tells whether the thing is one of these.
func (m Match) fits(f Found) bool {
	return m.Bus != "" && m.Bus == f.Bus &&
		or(m.Vendor, f.Vendor) && or(m.Product, f.Product) &&
		or(m.SerialNumber, f.Serial) && or(m.PortPath, f.PortPath) &&
		or(m.UsagePage, f.UsagePage) && or(m.Usage, f.Usage) && or(m.Service, f.Service) &&
		f.Class.within(m.Class) && strings.Contains(f.Name, m.Name) && m.fitsPrinter(f.DeviceID)
}

// or tells that nothing is wanted, or just this.
func or[T comparable](want, have T) bool {
	var nothing T
	return want == nothing || want == have
}

// fitsPrinter compares the IEEE 1284 id.
func (m Match) fitsPrinter(id string) bool {
	if m.NoCommandSet && len(field(id, "CMD")) > 0 {
		return false
	}
	key, value, _ := strings.Cut(m.DeviceID, ":")
	if key == "" {
		return true
	}
	for _, have := range field(id, key) {
		if strings.EqualFold(have, value) {
			return true
		}
	}
	return false
}

// longKeys are the long names of IEEE 1284 fields, which mean the same.
var longKeys = map[string]string{
	"MANUFACTURER": "MFG", "COMMAND SET": "CMD", "MODEL": "MDL", "CLASS": "CLS",
}

// field lists the values of a field in an IEEE 1284 device id, such as
// "MFG:EPSON;CMD:ESC/POS,PCL;".
func field(id, key string) []string {
	var out []string
	for part := range strings.SplitSeq(id, ";") {
		name, values, _ := strings.Cut(part, ":")
		name = strings.ToUpper(strings.TrimSpace(name))
		if short, ok := longKeys[name]; ok {
			name = short
		}
		if name != key {
			continue
		}
		for v := range strings.SplitSeq(values, ",") {
			if v = strings.TrimSpace(v); v != "" {
				out = append(out, v)
			}
		}
	}
	return out
}

// weight is how much a match asks for, the telling things first: each has a bit
// of its own, so that who asks for more always weighs more. Of equal ones the
// longer text weighs more.
func (m Match) weight() (weight, text int) {
	depth := 0
	if m.Class != "" {
		depth = 1 + strings.Count(string(m.Class), "/")
	}
	asks := []bool{ // lightest first; the class has two bits
		depth&1 != 0, depth&2 != 0, m.NoCommandSet, m.UsagePage != 0, m.Usage != 0, m.Service != "", m.Name != "",
		m.DeviceID != "", m.Vendor != 0, m.Product != 0, m.SerialNumber != "", m.PortPath != "",
	}
	for i, asked := range asks {
		if asked {
			weight |= 1 << i
		}
	}
	return weight, len(m.DeviceID) + len(m.Name)
}

// bare tells that a match asks for nothing but the bus.
func (m Match) bare() bool {
	w, _ := m.weight()
	return w == 0
}
