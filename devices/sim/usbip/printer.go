package usbip

// Printer is a printer of the USB printer class 1.1, in both directions.
type Printer struct {
	*Device
	id      string
	status  byte
	printed []byte
	full    bool
	resets  int
	answer  func(sent []byte) []byte
}

// Port status bits (USB printer class 1.1 §4.2.2).
const (
	PrinterPaperOut = 0x20
	PrinterSelected = 0x10
	PrinterNoError  = 0x08
)

// The printer's endpoints.
const (
	PrinterOut = 0x01
	PrinterIn  = 0x82
	maxPrinted = 16 << 20
)

// Requests of the printer class.
const (
	getDeviceID   = 0
	getPortStatus = 1
	softReset     = 2
)

// NewPrinter makes a printer with its IEEE 1284 device identifier, such as
// "MFG:…;MDL:…;CMD:ESC/POS;". What answer returns for bytes that were sent is
// read back by the host; nil for a printer that says nothing.
func NewPrinter(id Identity, deviceID string, answer func(sent []byte) []byte) *Printer {
	p := &Printer{id: deviceID, status: PrinterSelected | PrinterNoError, answer: answer}
	p.Device = New(Spec{
		Identity: id, Interfaces: 1, Control: p.control, Out: p.out,
		Body: join(
			iface(0, 2, 7, 1, 2),
			endpoint(PrinterOut, bulk, bulkPacket, 0),
			endpoint(PrinterIn, bulk, bulkPacket, 0),
		),
	})
	return p
}

// Printed returns what was printed since it was last asked, and whether more came
// than the printer keeps.
func (p *Printer) Printed() (all []byte, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all, full = p.printed, p.full
	p.printed, p.full = nil, false
	return all, full
}

// Resets tells how often the host asked for a reset.
func (p *Printer) Resets() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resets
}

// Say sends bytes to the host unasked, as a printer does whose paper ends.
func (p *Printer) Say(b []byte) {
	p.Send(Transfer{Endpoint: PrinterIn, Data: b})
}

// SetStatus sets the port status.
func (p *Printer) SetStatus(bits byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = bits
}

// out prints, and lets the printer answer.
func (p *Printer) out(_ byte, data []byte) []Transfer {
	keep := min(len(data), maxPrinted-len(p.printed))
	p.printed = append(p.printed, data[:keep]...)
	p.full = p.full || keep < len(data)
	if p.answer == nil {
		return nil
	}
	if said := p.answer(data); len(said) > 0 {
		return []Transfer{{Endpoint: PrinterIn, Data: said}}
	}
	return nil
}

// control answers who the printer is and how it is.
func (p *Printer) control(s Setup, _ []byte) ([]byte, bool) {
	switch s.Request {
	case getDeviceID:
		n := len(p.id) + 2 // big-endian, counts itself
		return append([]byte{byte(n >> 8), byte(n)}, p.id...), true
	case getPortStatus:
		return []byte{p.status}, true
	case softReset:
		p.resets++
		return nil, true
	}
	return nil, false
}
