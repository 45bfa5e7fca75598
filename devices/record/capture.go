package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Kind of a USB transfer, as usbmon numbers them (Documentation/usb/usbmon.rst of
// the kernel).
type Kind uint8

// The kinds of which a port is made.
const (
	Interrupt Kind = 1
	Control   Kind = 2
	Bulk      Kind = 3
)

// Wire says where a recorded device is plugged in, in a capture.
type Wire struct {
	Bus     uint16
	Address uint8 // on that bus
	In, Out uint8 // endpoints: 0x81 and the like are inward; 0 where there is none
	Packet  int   // bytes that one transfer inward asks for; 512 if 0
	Kind    Kind  // of both endpoints; Bulk if 0
}

// Transfer is one USB transfer: asked for, and ended.
type Transfer struct {
	At       time.Duration // when it ended; it is asked for just before
	Kind     Kind
	Endpoint uint8
	Setup    [8]byte // of a control transfer
	Asked    int     // bytes to move
	Data     []byte  // that were moved
	Status   int32   // 0, or a negative error number of Linux
}

// Formats of a capture: pcap files with times in microseconds, and the head that
// usbmon gives to each packet (LINKTYPE_USB_LINUX_MMAPPED).
const (
	pcapMagic      = 0xa1b2c3d4
	linkUSB        = 220
	headSize       = 64
	inwardBit      = 0x80
	inProgress     = -115     // EINPROGRESS, the state of what was only asked for
	maxOutward     = 16 << 10 // which libusb cuts transfers into
	defaultPacket  = 512
	maxSnap        = MaxPiece + headSize
	setupPresent   = 0
	setupAbsent    = '-'
	dataPresent    = 0
	dataInLater    = '<'
	dataOutEarlier = '>'
)

// errRedacted is why a recording makes no capture.
var errRedacted = errors.New("its bytes were not kept")

// Capture writes the recording as a capture that umockdev plays and Wireshark
// reads. A recording that was made without Clear has no bytes to write and is
// refused.
func (r Recording) Capture(w io.Writer, to Wire) error {
	packet, kind := to.Packet, to.Kind
	if packet <= 0 {
		packet = defaultPacket
	}
	if kind == 0 {
		kind = Bulk
	}
	var all []Transfer
	for _, e := range r.Events {
		if e.Fault != "" {
			continue // which has no transfer of its own
		}
		if e.Bytes == nil {
			return fmt.Errorf("writing a capture: %w", errRedacted)
		}
		// Inward a transfer asks for a packet however little comes; outward it is
		// as long as what is sent.
		size, endpoint := packet, to.In
		if e.Out {
			size, endpoint = maxOutward, to.Out
		}
		for data := range slices.Chunk(e.Bytes, size) {
			asked := packet
			if e.Out {
				asked = len(data)
			}
			all = append(all, Transfer{At: e.At, Kind: kind, Endpoint: endpoint, Asked: asked, Data: data})
		}
	}
	return WriteCapture(w, to, all)
}

// WriteCapture writes transfers of a device as a capture, in their order; of the
// wire only the place counts.
func WriteCapture(w io.Writer, to Wire, all []Transfer) error {
	head := binary.LittleEndian.AppendUint32(nil, pcapMagic)
	head = binary.LittleEndian.AppendUint16(head, 2) // version 2.4
	head = binary.LittleEndian.AppendUint16(head, 4)
	head = append(head, make([]byte, 8)...) // times are in UTC
	head = binary.LittleEndian.AppendUint32(head, maxSnap)
	head = binary.LittleEndian.AppendUint32(head, linkUSB)
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("writing a capture: %w", err)
	}
	for i, t := range all {
		for _, event := range []byte{'S', 'C'} {
			if _, err := w.Write(t.packet(to, uint64(i)+1, event)); err != nil {
				return fmt.Errorf("writing a capture: %w", err)
			}
		}
	}
	return nil
}

// packet is one of the two packets of a transfer, with pcap's head and usbmon's.
// What goes out is in the first, what comes in in the second.
func (t Transfer) packet(to Wire, id uint64, event byte) []byte {
	in := t.Endpoint&inwardBit != 0
	data, status, length := t.Data, t.Status, len(t.Data)
	dataFlag, setupFlag := byte(dataPresent), byte(setupAbsent)
	if event == 'S' {
		status, length = inProgress, t.Asked
		if t.Kind == Control {
			setupFlag = setupPresent
		}
	}
	if in != (event == 'C') { // the bytes are in the other packet
		data, dataFlag = nil, dataOutEarlier
		if in {
			dataFlag = dataInLater
		}
	}
	// pcap's head: the time and twice the length. Then usbmon's 64 bytes, in the
	// order of struct usbmon_packet.
	le := binary.LittleEndian
	second, micro := uint64(t.At/time.Second), uint32(t.At%time.Second/time.Microsecond)
	b := le.AppendUint32(nil, uint32(second))
	b = le.AppendUint32(b, micro)
	b = le.AppendUint32(b, uint32(headSize+len(data)))
	b = le.AppendUint32(b, uint32(headSize+len(data)))
	b = le.AppendUint64(b, id)
	b = append(b, event, byte(t.Kind), t.Endpoint, to.Address)
	b = le.AppendUint16(b, to.Bus)
	b = append(b, setupFlag, dataFlag)
	b = le.AppendUint64(b, second)
	b = le.AppendUint32(b, micro)
	b = le.AppendUint32(b, uint32(status))
	b = le.AppendUint32(b, uint32(length))
	b = le.AppendUint32(b, uint32(len(data)))
	b = append(b, t.Setup[:]...)
	b = append(b, make([]byte, 16)...) // interval, start of isochronous frames, flags, descriptors
	return append(b, data...)
}
