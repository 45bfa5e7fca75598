package usbip

import (
	"bytes"
	"encoding/binary"
)

// Kinds of endpoint (USB 2.0 §9.6.6).
const (
	bulk      = 2
	interrupt = 3
)

// High speed's largest packets.
const (
	bulkPacket   = 512
	reportPacket = 64
)

// deviceDescriptor writes the 18 bytes of USB 2.0 §9.6.1.
func deviceDescriptor(s Spec) []byte {
	b := []byte{18, typeDevice, 0x00, 0x02, s.Class[0], s.Class[1], s.Class[2], 64}
	b = append(b, le16(s.Vendor)...)
	b = append(b, le16(s.Product)...)
	b = append(b, 0x00, 0x01)
	for i, name := range []string{s.Maker, s.Name, s.Serial} {
		if name == "" {
			b = append(b, 0)
		} else {
			b = append(b, byte(i+1))
		}
	}
	return append(b, 1)
}

// configuration puts the nine bytes of USB 2.0 §9.6.3 before the rest: powered by
// the bus, 500 mA.
func configuration(interfaces int, body []byte) []byte {
	head := join([]byte{9, typeConfig}, le16(uint16(9+len(body))), []byte{byte(interfaces), 1, 0, 0x80, 250})
	return join(head, body)
}

// iface describes an interface with its number, endpoints, class, subclass and
// protocol.
func iface(number, ends, class, subclass, protocol byte) []byte {
	return []byte{9, typeInterface, number, 0, ends, class, subclass, protocol, 0}
}

// endpoint describes one; every is the interval as high speed counts it.
func endpoint(address, kind byte, packet uint16, every byte) []byte {
	return join([]byte{7, typeEndpoint, address, kind}, le16(packet), []byte{every})
}

// stringDescriptor writes a name in UTF-16, cut to what a descriptor holds.
func stringDescriptor(s string) []byte {
	b := []byte{0, typeString}
	for _, r := range s {
		if len(b) >= 254 {
			break
		}
		b = append(b, le16(uint16(r))...)
	}
	b[0] = byte(len(b))
	return b
}

// le16 and le32 write numbers as USB has them, lowest byte first.
func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
