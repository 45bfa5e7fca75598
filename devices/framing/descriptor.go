package framing

import (
	"errors"
	"slices"
)

// Usages of a barcode report, page and usage (HID Point of Sale Usage Tables
// 1.02, page 0x8C; Generic Desktop page for the length).
const (
	usageByteCount = 0x0001_003b
	usageSymbology = 0x008c_00fb // and the two after it
	usageData      = 0x008c_00fe
	usageMore      = 0x008c_00ff
)

// Bounds of a report descriptor: a device has 64 KiB at most, and no report of
// a scanner needs more bytes than these.
const (
	maxDescriptor = 1 << 16
	maxReportBits = 8 * 4096
	maxFields     = 1024
	maxUsages     = 256
	maxPushed     = 16
)

// errNoCode is a descriptor of something else than a barcode scanner.
var errNoCode = errors.New("parsing a report descriptor: it has no report with decoded data of a barcode")

// ParseReportDescriptor finds the report that carries barcodes and where it
// keeps what (HID 1.11 section 6.2.2). The first input report with decoded data
// counts. Its length byte is the one with usage Byte Count, else the byte
// before everything else. Errors say what is missing and where.
func ParseReportDescriptor(raw []byte) (HIDLayout, error) {
	if len(raw) > maxDescriptor {
		return HIDLayout{}, errors.New("parsing a report descriptor: it is too long")
	}
	p := descriptor{bits: map[byte]int{}}
	for len(raw) > 0 {
		used, err := p.item(raw)
		if err != nil {
			return HIDLayout{}, err
		}
		raw = raw[used:]
	}
	at := slices.IndexFunc(p.fields, func(f field) bool { return f.usage == usageData })
	if at < 0 {
		return HIDLayout{}, errNoCode
	}
	return p.layout(p.fields[at].report)
}

// globals are the items that hold until they are changed.
type globals struct {
	page        uint32
	size, count int
	report      byte
}

// field is a run of bits of an input report with one usage.
type field struct {
	report    byte
	usage     uint32
	bit, size int
}

// descriptor is a descriptor that is being read.
type descriptor struct {
	now      globals
	pushed   []globals
	usages   []uint32 // page and usage
	from     uint32
	bits     map[byte]int // of each report, its number not counted
	fields   []field
	numbered bool
}

// item takes one item and says how many bytes it had. Long items are skipped.
func (p *descriptor) item(raw []byte) (int, error) {
	if raw[0] == 0xfe {
		if len(raw) < 3 || len(raw) < 3+int(raw[1]) {
			return 0, errCut
		}
		return 3 + int(raw[1]), nil
	}
	n := []int{0, 1, 2, 4}[raw[0]&3]
	if len(raw) < 1+n {
		return 0, errCut
	}
	value := uint32(0)
	for i, b := range raw[1 : 1+n] {
		value |= uint32(b) << (8 * i)
	}
	return 1 + n, p.take(raw[0]&0xfc, value, n)
}

// errCut is a descriptor that ends inside an item.
var errCut = errors.New("parsing a report descriptor: it ends inside an item")

// Types of an item, in bits 2 and 3 of its first byte.
const (
	mainItem   = 0x00
	globalItem = 0x04
	localItem  = 0x08
)

// take takes an item by its tag and type. What places no bits is not looked at.
func (p *descriptor) take(tag byte, value uint32, n int) error {
	switch tag & 0x0c {
	case globalItem:
		return p.global(tag, value)
	case localItem:
		p.local(tag, p.paged(value, n))
		return nil
	case mainItem:
		if tag == 0x80 {
			return p.input(value)
		}
		p.usages, p.from = nil, 0 // output, feature, collection and its end
	}
	return nil
}

// global takes an item that holds until it is changed.
func (p *descriptor) global(tag byte, value uint32) error {
	switch tag {
	case 0x04:
		p.now.page = value << 16
	case 0x74:
		p.now.size = int(min(value, maxReportBits+1))
	case 0x94:
		p.now.count = int(min(value, maxReportBits+1))
	case 0x84:
		if value == 0 || value > 0xff {
			return errors.New("parsing a report descriptor: a report has no number between 1 and 255")
		}
		p.now.report, p.numbered = byte(value), true
	case 0xa4:
		return p.push()
	case 0xb4:
		return p.pop()
	}
	return nil
}

// local takes an item that holds for the next main item: usages.
func (p *descriptor) local(tag byte, usage uint32) {
	switch tag {
	case 0x08:
		p.use(usage)
	case 0x18:
		p.from = usage
	case 0x28:
		for u := p.from; u <= usage && len(p.usages) < maxUsages; u++ {
			p.use(u)
		}
	}
}

// paged puts the page on a usage of less than four bytes.
func (p *descriptor) paged(value uint32, n int) uint32 {
	if n == 4 {
		return value
	}
	return p.now.page | value
}

// use notes a usage for the next main item.
func (p *descriptor) use(u uint32) {
	if len(p.usages) < maxUsages {
		p.usages = append(p.usages, u)
	}
}

// push keeps the globals.
func (p *descriptor) push() error {
	if len(p.pushed) == maxPushed {
		return errors.New("parsing a report descriptor: it pushes too deep")
	}
	p.pushed = append(p.pushed, p.now)
	return nil
}

// pop takes the globals back.
func (p *descriptor) pop() error {
	if len(p.pushed) == 0 {
		return errors.New("parsing a report descriptor: it pops what was not pushed")
	}
	p.now = p.pushed[len(p.pushed)-1]
	p.pushed = p.pushed[:len(p.pushed)-1]
	return nil
}

// input places the fields of an input item. Each usage takes one field, the
// last one all that are left; constants are padding.
func (p *descriptor) input(flags uint32) error {
	g, usages := p.now, p.usages
	p.usages, p.from = nil, 0
	start := p.bits[g.report]
	if g.count > 0 && g.size > (maxReportBits-start)/g.count || len(p.fields) > maxFields {
		return errors.New("parsing a report descriptor: a report is too large")
	}
	p.bits[g.report] = start + g.size*g.count
	if flags&1 != 0 || g.size == 0 {
		return nil
	}
	for i, u := range usages[:min(len(usages), g.count)] {
		f := field{report: g.report, usage: u, bit: start + i*g.size, size: g.size}
		if i == len(usages)-1 {
			f.size = (g.count - i) * g.size
		}
		p.fields = append(p.fields, f)
	}
	return nil
}

// layout makes the layout of a report.
func (p *descriptor) layout(report byte) (HIDLayout, error) {
	l := HIDLayout{ReportID: report, Length: -1, Size: (p.bits[report] + 7) / 8}
	head := 0
	if p.numbered {
		head = 1
		l.Size++
	}
	first := l.Size
	for _, f := range p.fields {
		if f.report != report {
			continue
		}
		at := head + f.bit/8
		if f.usage>>16 == usageData>>16 {
			first = min(first, at)
		}
		if err := l.place(f, at); err != nil {
			return HIDLayout{}, err
		}
	}
	if l.Length < 0 && first > head {
		l.Length = head
	}
	if !l.Valid() {
		return HIDLayout{}, errLayout
	}
	return l, nil
}

// place puts one field into the layout. The first field of a usage counts.
func (l *HIDLayout) place(f field, at int) error {
	whole := f.bit%8 == 0 && f.size%8 == 0
	mark := f.usage >= usageSymbology && f.usage <= usageSymbology+2
	switch {
	case f.usage == usageMore && l.MoreMask == 0:
		l.More, l.MoreMask = at, 1<<(f.bit%8)
	case (mark || f.usage == usageByteCount || f.usage == usageData) && !whole:
		return errLayout
	case f.usage == usageByteCount && l.Length < 0:
		l.Length = at
	case f.usage == usageData && l.Max == 0:
		l.Data, l.Max = at, f.size/8
	case mark && len(l.Symbology) < 3:
		l.Symbology = append(l.Symbology, at)
	}
	return nil
}
