package usbip

// Standard requests and descriptors (USB 2.0 §9.4, HID 1.11 §7.1).
const (
	getStatus        = 0
	clearFeature     = 1
	setFeature       = 3
	setAddress       = 5
	getDescriptor    = 6
	getConfiguration = 8
	setConfiguration = 9
	getInterface     = 10
	setInterface     = 11

	typeDevice    = 1
	typeConfig    = 2
	typeString    = 3
	typeInterface = 4
	typeEndpoint  = 5
	typeHID       = 0x21
	typeReport    = 0x22

	toInterface = 0x01 // recipients and kinds of bmRequestType
	toEndpoint  = 0x02
	kindMask    = 0x60
	whoMask     = 0x1f
)

// english is the one language of a device's names (USB language identifiers).
const english = 0x0409

// control answers a request on endpoint 0.
func (d *Device) control(m message) {
	s := m.setup
	if m.in != (s.Type&0x80 != 0) && s.Length > 0 {
		d.answer(m, statusStall, 0, nil)
		return
	}
	data, ok := d.request(s, m.data)
	switch {
	case !ok:
		d.answer(m, statusStall, 0, nil)
	case m.in:
		data = data[:min(len(data), m.length, int(s.Length))]
		d.answer(m, statusOK, len(data), data)
	default:
		d.answer(m, statusOK, m.length, nil)
	}
}

// request tells the standard requests from those of classes and vendors, which
// the model answers.
func (d *Device) request(s Setup, data []byte) ([]byte, bool) {
	if s.Type&kindMask != 0 {
		if d.spec.Control == nil {
			return nil, false
		}
		return d.spec.Control(s, append([]byte(nil), data...))
	}
	switch s.Request {
	case getDescriptor:
		return d.descriptor(s)
	case getStatus:
		return d.status(s), true
	case setFeature, clearFeature:
		return nil, d.feature(s)
	case setAddress, setInterface:
		return nil, true
	case getInterface:
		return []byte{0}, true
	case getConfiguration:
		return []byte{d.configured}, true
	case setConfiguration:
		return nil, d.configure(s.Value)
	}
	return nil, false
}

// status of an endpoint tells whether it is halted.
func (d *Device) status(s Setup) []byte {
	if s.Type&whoMask == toEndpoint && d.at(byte(s.Index)).halted {
		return []byte{1, 0}
	}
	return []byte{0, 0}
}

// feature halts an endpoint or lets it go on; other features change nothing that
// a host could see.
func (d *Device) feature(s Setup) bool {
	if s.Type&whoMask == toEndpoint && s.Value == 0 {
		d.at(byte(s.Index)).halted = s.Request == setFeature
	}
	return true
}

// configure takes the one configuration, or none; both end every halt (§9.4.5).
func (d *Device) configure(value uint16) bool {
	if value > 1 {
		return false
	}
	d.configured = byte(value)
	for i := range d.pipes {
		d.pipes[i].halted = false
	}
	return true
}

// descriptor finds what GET_DESCRIPTOR asks for. What a device has not stalls:
// hosts ask for qualifiers and strings on the off chance.
func (d *Device) descriptor(s Setup) ([]byte, bool) {
	kind, n := byte(s.Value>>8), int(s.Value&0xff)
	switch {
	case s.Type&whoMask == toInterface:
		return d.reportDescriptor(kind, int(s.Index))
	case kind == typeDevice:
		return d.device, true
	case kind == typeConfig && n == 0:
		return d.config, true
	case kind == typeString && n == 0:
		return []byte{4, typeString, english & 0xff, english >> 8}, true
	case kind == typeString && n <= len(d.strings) && d.strings[n-1] != "":
		return stringDescriptor(d.strings[n-1]), true
	}
	return nil, false
}

// reportDescriptor is the one that the interface of that number has.
func (d *Device) reportDescriptor(kind byte, number int) ([]byte, bool) {
	if kind != typeReport || number >= len(d.spec.Reports) {
		return nil, false
	}
	return d.spec.Reports[number], true
}
