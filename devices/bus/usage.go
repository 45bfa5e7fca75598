package bus

// Items of a HID report descriptor (HID 1.11 §6.2.2).
const (
	itemUsagePage  = 0x04
	itemUsage      = 0x08
	itemCollection = 0xa0
	itemLong       = 0xfe
	itemKind       = 0xfc // without the size
)

// usage is the page and the usage of the first collection of a HID report
// descriptor: what kind of thing it is. Zero where it does not tell.
func usage(descriptor []byte) (page, use uint16) {
	for len(descriptor) > 0 {
		head := descriptor[0]
		if head == itemLong {
			if len(descriptor) < 3 || len(descriptor) < 3+int(descriptor[1]) {
				return 0, 0
			}
			descriptor = descriptor[3+int(descriptor[1]):]
			continue
		}
		size := []int{0, 1, 2, 4}[head&3]
		if len(descriptor) < 1+size {
			return 0, 0
		}
		var value uint32
		for i := range size {
			value |= uint32(descriptor[1+i]) << (8 * i)
		}
		switch head & itemKind {
		case itemUsagePage:
			page = uint16(value)
		case itemUsage:
			use = uint16(value)
			if size == 4 {
				page = uint16(value >> 16)
			}
		case itemCollection:
			return page, use
		}
		descriptor = descriptor[1+size:]
	}
	return 0, 0
}
