package usbip

// HID is a human interface device of any kind, in the sense of the HID class
// 1.11: reports of up to 64 bytes, each in a packet of its own.
type HID struct{ *Device }

// The endpoints of a HID device.
const (
	HIDIn  = 0x81
	hidOut = 0x02
)

// setReport is how a host sends a report to a device without an endpoint for it
// (HID 1.11 §7.2.2); what it sends otherwise needs no answer.
const setReport = 9

// NewHID makes a device with its report descriptor. Reports of the host go to
// take, which may be nil: then the device has no endpoint for them, and those
// that come on endpoint 0 are lost.
func NewHID(id Identity, reports []byte, take func(report []byte)) *HID {
	body := join(
		[]byte{9, typeHID, 0x11, 0x01, 0, 1, typeReport}, le16(uint16(len(reports))),
		endpoint(HIDIn, interrupt, reportPacket, 4),
	)
	s := Spec{
		Identity: id, Interfaces: 1, Body: join(iface(0, 1, 3, 0, 0), body), Reports: [][]byte{reports},
		Control: func(s Setup, data []byte) ([]byte, bool) {
			if s.Request == setReport && take != nil {
				take(data)
			}
			return nil, true
		},
	}
	if take != nil {
		s.Body = join(iface(0, 2, 3, 0, 0), body, endpoint(hidOut, interrupt, reportPacket, 4))
		s.Out = func(_ byte, data []byte) []Transfer {
			take(data)
			return nil
		}
	}
	return &HID{New(s)}
}

// Say sends one report, with its number first if the descriptor numbers them.
func (h *HID) Say(report []byte) {
	h.Send(Transfer{Endpoint: HIDIn, Data: report})
}
