package usbip

import (
	"encoding/binary"
	"time"
)

// Camera films JPEG pictures as a USB Video Class 1.0 device with one bulk
// endpoint, one format and one size.
type Camera struct {
	*Device
	spec    CameraSpec
	rest    []byte // of the picture that is being sent
	toggle  byte   // bit 0 of the payload header: changes with each picture
	next    time.Time
	filming bool
	taken   int
}

// CameraSpec is what a camera films.
type CameraSpec struct {
	Width, Height int           // pixels
	Every         time.Duration // from one picture to the next
	// Picture returns the nth picture as JPEG, counted from 0.
	Picture func(n int) []byte
}

// CameraIn is where the camera's pictures come from.
const CameraIn = 0x81

// maxPayload is the largest piece of a picture, with its header.
const maxPayload = 16 << 10

// USB Video Class 1.0: requests (§A.8), controls of the streaming interface
// (§A.9.8) and the bits of a payload header (§2.4.3.3).
const (
	setCurrent = 0x01
	getLength  = 0x85
	getInfo    = 0x86
	probe      = 1
	commit     = 2

	payloadHeader = 2
	endOfPicture  = 0x02
	endOfHeader   = 0x80
)

// NewCamera makes a camera that films when the host asks it to.
func NewCamera(id Identity, s CameraSpec) *Camera {
	c := &Camera{spec: s}
	c.Device = New(Spec{
		Identity: id, Class: [3]byte{0xef, 2, 1}, Interfaces: 2, Body: c.describe(),
		Control: c.control, Next: c.piece,
	})
	return c
}

// Taken tells how many pictures were begun since the camera was made.
func (c *Camera) Taken() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken
}

// interval is the time between pictures in units of 100 ns.
func (c *Camera) interval() uint32 { return uint32(c.spec.Every / 100) }

// largest is the room that the host keeps for one picture.
func (c *Camera) largest() uint32 { return uint32(2 * c.spec.Width * c.spec.Height) }

// describe writes both interfaces (§3.7 and §3.9).
func (c *Camera) describe() []byte {
	terminals := join(
		[]byte{18, 0x24, 2, 1}, le16(0x0201), make([]byte, 8), []byte{3, 0, 0, 0}, // lens
		[]byte{9, 0x24, 3, 2}, le16(0x0101), []byte{0, 1, 0}, // to the host
	)
	control := join([]byte{13, 0x24, 1, 0x00, 0x01}, le16(uint16(13+len(terminals))), le32(48_000_000), []byte{1, 1}, terminals)
	formats := join(
		[]byte{11, 0x24, 6, 1, 1, 1, 1, 0, 0, 0, 0}, // Motion-JPEG
		[]byte{30, 0x24, 7, 1, 0}, le16(uint16(c.spec.Width)), le16(uint16(c.spec.Height)),
		le32(1_000_000), le32(90_000_000), le32(c.largest()), le32(c.interval()), []byte{1}, le32(c.interval()),
	)
	stream := join([]byte{14, 0x24, 1, 1}, le16(uint16(14+len(formats))), []byte{CameraIn, 0, 2, 0, 0, 0, 1, 0}, formats)
	return join(
		[]byte{8, 11, 0, 2, 14, 3, 0, 0}, // both belong together
		iface(0, 0, 14, 1, 0), control,
		iface(1, 1, 14, 2, 0), stream,
		endpoint(CameraIn, bulk, bulkPacket, 0),
	)
}

// control negotiates: there is one choice, whatever the host would like.
func (c *Camera) control(s Setup, _ []byte) ([]byte, bool) {
	selector := s.Value >> 8
	if s.Index != 1 || selector != probe && selector != commit {
		return nil, false
	}
	switch s.Request {
	case setCurrent:
		if selector == commit { // with a bulk endpoint there is no other sign to begin
			c.filming, c.rest, c.next = true, nil, time.Time{}
			c.at(CameraIn).empty() // of what was left of an earlier film
		}
		return nil, true
	case getLength:
		return []byte{26, 0}, true
	case getInfo:
		return []byte{3}, true
	}
	return c.choice(), true
}

// choice is the 26 bytes of §4.3.1.1.
func (c *Camera) choice() []byte {
	b := make([]byte, 26)
	b[2], b[3] = 1, 1
	binary.LittleEndian.PutUint32(b[4:], c.interval())
	binary.LittleEndian.PutUint32(b[18:], c.largest())
	binary.LittleEndian.PutUint32(b[22:], maxPayload)
	return b
}

// piece gives the next payload of a picture.
func (c *Camera) piece(byte) (Transfer, bool) {
	if !c.filming {
		return Transfer{}, false
	}
	t := Transfer{Endpoint: CameraIn}
	if len(c.rest) == 0 {
		now := time.Now()
		// A host that asks late gets its picture at once, and the pace goes on
		// from there.
		t.After = max(0, c.next.Sub(now))
		c.next = now.Add(t.After + c.spec.Every)
		c.rest = c.spec.Picture(c.taken)
		c.taken++
		c.toggle ^= 1
	}
	n := min(len(c.rest), maxPayload-payloadHeader)
	flags := endOfHeader | c.toggle
	if n == len(c.rest) {
		flags |= endOfPicture
	}
	t.Data = join([]byte{payloadHeader, flags}, c.rest[:n])
	c.rest = c.rest[n:]
	return t, true
}
