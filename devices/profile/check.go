package profile

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/counterproof/counterproof/devices"
)

// carrier is what a transport carries.
type carrier struct {
	buses  []Bus // where its devices are found
	can    []devices.Capability
	framed bool // bytes that need a framing
}

// carriers tells what each transport carries.
var carriers = map[Transport]carrier{
	OverSerial: {
		[]Bus{BusSerial}, []devices.Capability{devices.CanReadMRZ, devices.CanReadBarcode, devices.CanPrint}, true,
	},
	OverUSB: {
		[]Bus{BusUSB}, []devices.Capability{devices.CanReadMRZ, devices.CanReadBarcode, devices.CanPrint}, true,
	},
	OverHID:   {[]Bus{BusHID}, []devices.Capability{devices.CanReadMRZ, devices.CanReadBarcode}, true},
	OverLP:    {[]Bus{BusUSB}, []devices.Capability{devices.CanPrint}, true},
	OverVideo: {[]Bus{BusVideo}, []devices.Capability{devices.CanFilm}, false},
	OverPCSC:  {[]Bus{BusPCSC, BusUSB}, []devices.Capability{devices.CanReadChip}, false},
	OverESCL:  {[]Bus{BusNet}, []devices.Capability{devices.CanScanDocument}, false},
	OverSANE:  {[]Bus{BusSANE}, []devices.Capability{devices.CanScanDocument}, false},
	OverNothing: {
		[]Bus{BusUSB, BusSerial, BusHID, BusVideo, BusNet, BusPCSC, BusSANE},
		[]devices.Capability{
			devices.CanReadMRZ, devices.CanReadChip, devices.CanFilm, devices.CanScanDocument, devices.CanReadBarcode, devices.CanPrint,
		}, false,
	},
}

// speech is what a framing works with.
type speech struct {
	over  []Transport
	gives []devices.Capability
	takes []string // settings that it knows
}

var (
	overStream  = []Transport{OverSerial, OverUSB}
	overReports = []Transport{OverHID, OverUSB}
	givesMRZ    = []devices.Capability{devices.CanReadMRZ}
	givesCode   = []devices.Capability{devices.CanReadBarcode}
	givesEither = []devices.Capability{devices.CanReadMRZ, devices.CanReadBarcode}
	takesText   = []string{"start", "end", "content", "aim_prefix"}
	takesLayout = []string{"layout"}
)

// speeches tells of every framing, by the names of devices/framing.
var speeches = map[string]speech{
	"elyctis":               {overStream, givesMRZ, []string{"letters"}},
	"3m-rte-native":         {overStream, givesMRZ, []string{"length", "check"}},
	"3m-rte-native/text":    {overStream, givesMRZ, []string{"length"}},
	"cute-ocr":              {overStream, givesMRZ, []string{"start", "end"}},
	"hid-pos":               {overReports, givesCode, takesLayout},
	"hid-pos/aim5":          {overReports, givesCode, takesLayout},
	"hid-pos/plain2":        {overReports, givesCode, takesLayout},
	"hid-raw/len0":          {overReports, givesCode, takesLayout},
	"honeywell-hid-command": {overReports, givesCode, takesLayout},
	"honeywell-menu":        {overStream, nil, nil}, // answers to settings only
	"honeywell-ocr":         {overStream, givesEither, takesText},
	"escpos-status":         {[]Transport{OverLP, OverUSB, OverSerial}, []devices.Capability{devices.CanPrint}, nil},
	"crlf":                  {overStream, givesEither, takesText},
	"stx-etx":               {overStream, givesEither, takesText},
}

// Framings lists the framings that a profile can name, sorted.
func Framings() []string { return slices.Sorted(maps.Keys(speeches)) }

// roleNeeds tells what a device of a role can do.
var roleNeeds = map[devices.Role][]devices.Capability{
	devices.DocumentCamera: {devices.CanFilm},
	devices.FaceCamera:     {devices.CanFilm},
	devices.SlipPrinter:    {devices.CanPrint},
	devices.LetterPrinter:  {devices.CanPrint},
}

// check holds together what the schema cannot: keys that contradict each other,
// and a match that would fit what nobody knows. A profile that is like another
// is checked for its own keys here and as a whole in Set.With.
func (p Profile) check() error {
	whole := []func() error{p.checkComplete, p.checkRefusal, p.checkCan, p.checkFraming, p.checkKeys, p.checkQuirks}
	checks := []func() error{p.checkMatches, p.checkCommands, p.checkLimits, p.checkLayout}
	if p.Like == "" {
		checks = append(whole, checks...)
	} else if len(p.Match) == 0 {
		return errors.New("match is empty: a profile that is like another says which device it pins")
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkComplete asks for what only a profile that is like another may leave out.
func (p Profile) checkComplete() error {
	for _, k := range []struct {
		key   string
		given bool
	}{
		{"name", p.Name != ""}, {"status", p.Status != ""}, {"sources", len(p.Sources) > 0},
		{"transport", p.Transport != ""}, {"can", len(p.Can) > 0},
	} {
		if !k.given {
			return fmt.Errorf("%s is missing: only a profile that is like another may leave it out", k.key)
		}
	}
	return nil
}

// checkRefusal wants a reason where nothing is opened.
func (p Profile) checkRefusal() error {
	chosen := p.Hint == hintChooseDevice
	switch {
	case p.Transport == OverNothing && (p.Hint == "" || chosen):
		return errors.New("hint has to say why there is no transport")
	case p.Transport != OverNothing && p.Hint != "" && !chosen:
		return fmt.Errorf("hint %s contradicts transport %s: it is for transport none", p.Hint, p.Transport)
	}
	return nil
}

// checkCan holds abilities and roles to what the transport carries.
func (p Profile) checkCan() error {
	for i, c := range p.Can {
		if !slices.Contains(carriers[p.Transport].can, c) {
			return fmt.Errorf("can[%d]: transport %s does not carry a %s", i, p.Transport, c)
		}
	}
	for i, r := range p.Roles {
		if !slices.ContainsFunc(p.Can, func(c devices.Capability) bool { return slices.Contains(roleNeeds[r], c) }) {
			return fmt.Errorf("roles[%d]: what it can do is not enough for a %s", i, r)
		}
	}
	return nil
}

// checkFraming holds the framing to the transport, the abilities and its own
// settings.
func (p Profile) checkFraming() error {
	name := p.Framing.Name
	if framed := carriers[p.Transport].framed; framed != (name != "") {
		if framed {
			return fmt.Errorf("framing is missing: transport %s carries bytes", p.Transport)
		}
		return fmt.Errorf("framing contradicts transport %s, which has none", p.Transport)
	}
	if name == "" {
		return nil
	}
	s := speeches[name]
	if !slices.Contains(s.over, p.Transport) {
		return fmt.Errorf("framing.name: %s does not go over transport %s", name, p.Transport)
	}
	for i, c := range p.Can {
		if !slices.Contains(p.Framing.gives(), c) {
			return fmt.Errorf("can[%d]: framing %s gives nothing for a %s", i, name, c)
		}
	}
	for _, key := range p.Framing.settings() {
		if !slices.Contains(s.takes, key) {
			return fmt.Errorf("framing.%s: framing %s has no such setting", key, name)
		}
	}
	return nil
}

// gives is what frames can hold, with the content that is set.
func (f Framing) gives() []devices.Capability {
	s := speeches[f.Name]
	if !slices.Contains(s.takes, "content") {
		return s.gives
	}
	if f.Content == "mrz" || f.Content == "" && f.Name == "honeywell-ocr" {
		return givesMRZ
	}
	return givesCode
}

// settings lists the keys that are set besides the name.
func (f Framing) settings() []string {
	var out []string
	for _, k := range []struct {
		key string
		set bool
	}{
		{"start", len(f.Start) > 0}, {"end", len(f.End) > 0}, {"content", f.Content != ""}, {"aim_prefix", f.AIMPrefix},
		{"length", f.Length != ""}, {"check", f.Check != ""}, {"letters", f.Letters != ""}, {"layout", f.Layout != nil},
	} {
		if k.set {
			out = append(out, k.key)
		}
	}
	return out
}

// checkLayout keeps every offset within the report.
func (p Profile) checkLayout() error {
	l := p.Framing.Layout
	if l == nil {
		return nil
	}
	for _, at := range append([]int{l.Length, l.Data, l.More, l.Data + l.Max - 1}, l.Symbology...) {
		if at >= l.Size {
			return fmt.Errorf("framing.layout: offset %d lies outside a report of %d bytes", at, l.Size)
		}
	}
	return nil
}

// checkKeys refuses keys that the transport has no use for.
func (p Profile) checkKeys() error {
	bytes := carriers[p.Transport].framed
	switch {
	case p.Serial != (Serial{}) && p.Transport != OverSerial:
		return fmt.Errorf("serial contradicts transport %s: only a serial line is set", p.Transport)
	case len(p.Commands) > 0 && !bytes:
		return fmt.Errorf("commands contradict transport %s, over which none are sent", p.Transport)
	case p.Limits != (Limits{}) && !bytes:
		return fmt.Errorf("limits contradict transport %s, which has no frames", p.Transport)
	}
	return nil
}

// checkQuirks wants each quirk to have what it speaks of.
func (p Profile) checkQuirks() error {
	switch {
	case p.Has(Poll) && len(p.Commands["read"]) == 0:
		return errors.New("quirks: poll needs commands.read")
	case p.Has(Rearm) && len(p.Commands["trigger"]) == 0:
		return errors.New("quirks: rearm needs commands.trigger")
	case p.Has(USBFallback) && p.Transport != OverLP:
		return fmt.Errorf("quirks: usb_fallback contradicts transport %s", p.Transport)
	case p.Has(NoStatus) && !slices.Contains(p.Can, devices.CanPrint):
		return errors.New("quirks: no_status is for printers")
	}
	return nil
}

// maxCommand bounds one message, in bytes; the schema has it too.
const maxCommand = 256

func (p Profile) checkCommands() error {
	for _, name := range slices.Sorted(maps.Keys(p.Commands)) {
		for i, s := range p.Commands[name] {
			if b, err := hex.DecodeString(s); err != nil || len(b) > maxCommand {
				return fmt.Errorf("commands.%s[%d] has to be at most %d bytes in hexadecimal", name, i, maxCommand)
			}
		}
	}
	if len(p.Commands["untrigger"]) > 0 && len(p.Commands["trigger"]) == 0 {
		return errors.New("commands.untrigger ends what commands.trigger has to begin, and there is none")
	}
	return nil
}

func (p Profile) checkLimits() error {
	if l := p.Limits; l.Total != 0 && l.Total < l.InterByte {
		return errors.New("limits.total_millis is shorter than limits.inter_byte_millis")
	}
	return nil
}

// checkMatches checks each way to recognise the device.
func (p Profile) checkMatches() error {
	for i, m := range p.Match {
		for _, check := range []func(Match) error{p.checkBus, checkParts, checkPort, p.checkTelling} {
			if err := check(m); err != nil {
				return fmt.Errorf("match[%d]%w", i, err)
			}
		}
	}
	return nil
}

// checkBus wants the transport's bus.
func (p Profile) checkBus(m Match) error {
	if p.Transport != "" && !slices.Contains(carriers[p.Transport].buses, m.Bus) {
		return fmt.Errorf(".bus: transport %s does not go to bus %s", p.Transport, m.Bus)
	}
	return nil
}

// buses tells on which buses a key of a match means anything.
var buses = map[string][]Bus{
	"vendor":         {BusUSB, BusSerial, BusHID, BusVideo},
	"serial_number":  {BusUSB, BusSerial, BusHID, BusVideo},
	"class":          {BusUSB, BusHID, BusVideo},
	"usage_page":     {BusHID},
	"device_id":      {BusUSB},
	"no_command_set": {BusUSB},
	"service":        {BusNet},
	"name":           {BusVideo, BusPCSC, BusSANE},
	"port_path":      {BusUSB, BusSerial, BusHID, BusVideo, BusNet},
}

// checkParts refuses keys that mean nothing on the bus or without each other.
func checkParts(m Match) error {
	given := map[string]bool{
		"vendor": m.Vendor != 0, "serial_number": m.SerialNumber != "", "class": m.Class != "",
		"usage_page": m.UsagePage != 0, "device_id": m.DeviceID != "", "no_command_set": m.NoCommandSet,
		"service": m.Service != "", "name": m.Name != "", "port_path": m.PortPath != "",
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if given[key] && !slices.Contains(buses[key], m.Bus) {
			return fmt.Errorf(".%s means nothing on bus %s", key, m.Bus)
		}
	}
	switch {
	case m.Product != 0 && m.Vendor == 0:
		return errors.New(".product needs vendor: another maker may use the same number")
	case m.SerialNumber != "" && m.Product == 0:
		return errors.New(".serial_number needs vendor and product: another maker may use the same number")
	case m.Usage != 0 && m.UsagePage == 0:
		return errors.New(".usage needs usage_page")
	case m.NoCommandSet && m.DeviceID != "":
		return errors.New(".no_command_set contradicts device_id")
	case m.NoCommandSet && m.Vendor == 0:
		return errors.New(".no_command_set needs vendor: it says nothing about the printer")
	}
	return nil
}

// nodes are names that the system gives in the order of plugging.
var nodes = regexp.MustCompile(`^(tty(ACM|USB)|hidraw|video|lp)[0-9]+$`)

// checkPort refuses a node as a port.
func checkPort(m Match) error {
	if nodes.MatchString(m.PortPath) {
		return fmt.Errorf(".port_path: %s changes with the order of plugging; name the port, such as 1-2.3", m.PortPath)
	}
	return nil
}

// adapters are chips that turn a serial line into USB. Their ids say nothing of
// what hangs on the line (the list of the Linux USB project, usb.ids).
var adapters = map[uint32]string{
	0x0403_6001: "FTDI", 0x0403_6010: "FTDI", 0x0403_6011: "FTDI", 0x0403_6014: "FTDI", 0x0403_6015: "FTDI",
	0x067b_2303: "Prolific", 0x067b_23a3: "Prolific", 0x10c4_ea60: "Silicon Labs", 0x10c4_ea70: "Silicon Labs",
	0x1a86_5523: "QinHeng", 0x1a86_7522: "QinHeng", 0x1a86_7523: "QinHeng",
}

// checkTelling refuses a match that would fit what nobody knows, the more
// strictly the more could be sent to it.
func (p Profile) checkTelling(m Match) error {
	if m.bare() && m.Bus != BusPCSC && m.Bus != BusSANE {
		return fmt.Errorf(" says only bus %s, which fits everything on it", m.Bus)
	}
	told := m.Vendor != 0 || m.DeviceID != "" || m.PortPath != ""
	switch p.Transport {
	case OverNothing:
		if !told && m.UsagePage == 0 && m.Name == "" {
			return errors.New(" would refuse devices that nobody knows: add vendor")
		}
		return nil
	case OverLP, OverUSB:
		if !told {
			return errors.New(" would fit devices that nobody knows: add vendor, device_id or port_path")
		}
	case OverHID:
		return p.checkReports(m, told)
	case OverESCL, OverSANE:
		return p.checkScanner(m)
	}
	if m.Bus == BusSerial { // also of a profile that is like another, whose transport comes later
		return m.checkLine()
	}
	return nil
}

// checkScanner wants the scanner to be the one that was chosen.
func (p Profile) checkScanner(m Match) error {
	if !m.pins() && p.Hint == "" {
		return errors.New(" would open whichever scanner announces itself: name the one, or let the site by hint choose_device")
	}
	return nil
}

// checkLine wants a serial port to be named; there is no other way to know what
// is at its end.
func (m Match) checkLine() error {
	if m.PortPath != "" {
		return nil
	}
	if m.Vendor == 0 || m.Product == 0 {
		return errors.New(" would fit serial ports that nobody knows: name vendor and product, or port_path")
	}
	if maker, cable := adapters[uint32(m.Vendor)<<16|uint32(m.Product)]; cable && m.SerialNumber == "" {
		return fmt.Errorf(" is an adapter cable by %s and does not tell what is plugged into it: add serial_number or port_path", maker)
	}
	return nil
}

// checkReports keeps off keyboards and mice, and commands off devices of
// unknown makers.
func (p Profile) checkReports(m Match, told bool) error {
	switch {
	case len(p.Commands) > 0 && !told:
		return errors.New(" would send commands to devices that nobody knows: add vendor or port_path")
	case m.UsagePage == 0 && m.Class == "":
		return errors.New(" would fit a keyboard too, which the same device may have beside: add usage_page or class")
	}
	return nil
}

// pins tells whether a match names one device or one model.
func (m Match) pins() bool {
	return m.PortPath != "" || m.Vendor != 0 && m.Product != 0 || m.Name != ""
}
