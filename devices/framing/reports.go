package framing

import (
	"errors"
	"slices"
)

// HIDLayout says where a HID barcode report keeps what. Offsets count from the
// first byte that a read gives: the report's number where reports are numbered.
type HIDLayout struct {
	ReportID  byte  // number of the report; 0 where reports have none
	Size      int   // bytes of a whole report, its number included
	Length    int   // offset of the length byte
	Symbology []int // offsets of the symbology bytes; three of them are an AIM identifier
	Data      int   // offset of the content
	Max       int   // most bytes of content
	More      int   // offset of the byte that says "continued"
	MoreMask  byte  // its bit; 0 where a symbol is never continued
}

// sizeHID is a whole report of a full-speed interrupt endpoint, in bytes.
const sizeHID = 64

// The layouts that are known by name. aim5: Access-IS LSR118 manual page 68.
// plain2: ID TECH FX100 manual page 43, Unitech MS842N manual page 23. len0:
// Symbol 05e0:0600.
var (
	layoutAIM5 = HIDLayout{
		ReportID: 2, Size: sizeHID, Length: 1, Symbology: []int{2, 3, 4}, Data: 5, Max: 56, More: 63, MoreMask: 1,
	}
	layoutPlain2 = HIDLayout{ReportID: 2, Size: sizeHID, Length: 1, Data: 2, Max: 56, More: 63, MoreMask: 1}
	layoutLen0   = HIDLayout{Size: sizeHID, Data: 1, Max: sizeHID - 1}
)

// errLayout is a layout that points outside its report.
var errLayout = errors.New("the layout of the HID report makes no sense")

// Valid tells that every part lies within the report.
func (l HIDLayout) Valid() bool {
	within := func(at int) bool { return at >= 0 && at < l.Size }
	for _, at := range l.Symbology {
		if !within(at) {
			return false
		}
	}
	return l.Size <= maxBytes && within(l.Length) && within(l.More) && within(l.Data) &&
		l.Max > 0 && l.Max <= l.Size-l.Data && len(l.Symbology) <= 3
}

// reports reads barcode reports: a read is a report, a symbol may go over
// several of them.
//
// Ours: a part with another symbology drops the parts before it. After a
// damaged part the rest of its symbol is dropped too, because a symbol with a
// hole or without its head looks like a good one. Reports with other numbers
// disturb nothing, and an empty one takes nothing from the symbol in hand.
type reports struct {
	layout HIDLayout
	limit  int
	code   []byte
	marks  string // symbology bytes of the symbol in hand
	open   bool
	broken bool // the rest of the symbol is dropped
}

// openReports picks the layout: the profile's before that of the name.
func openReports(name string, s Settings) (Decoder, error) {
	d := &reports{limit: s.max(ownMaxCode)}
	switch {
	case s.Layout != nil:
		d.layout = *s.Layout
	case name == HIDPOS:
		return nil, errors.New("the layout of the HID report is missing")
	case name == HIDPOSPlain2:
		d.layout = layoutPlain2
	case name == HIDLen0:
		d.layout = layoutLen0
	default:
		d.layout = layoutAIM5
	}
	if !d.layout.Valid() {
		return nil, errLayout
	}
	return d, nil
}

// Feed takes one report: first whether it is whole, then what it holds.
func (d *reports) Feed(r []byte) []Frame {
	l := d.layout
	switch {
	case len(r) == 0:
		return nil
	case l.ReportID != 0 && r[0] != l.ReportID:
		return []Frame{Error{Code: UnknownReport, Report: int(r[0])}}
	case len(r) < l.Size:
		d.broken = d.broken || d.open
		d.drop()
		return []Frame{Error{Code: ShortReport, Have: len(r), Want: l.Size}}
	}
	length, more, marks := int(r[l.Length]), r[l.More]&l.MoreMask != 0, l.marks(r)
	if length > l.Max {
		d.broken, d.marks = more, marks
		d.drop()
		return []Frame{Error{Code: BadLength, Length: length}}
	}
	if d.broken && marks == d.marks {
		d.broken = more
		return nil
	}
	d.broken = false
	if length == 0 {
		return []Frame{Error{Code: Empty}}
	}
	return d.part(marks, r[l.Data:l.Data+length], more)
}

// marks are the symbology bytes of a report.
func (l HIDLayout) marks(r []byte) string {
	var b []byte
	for _, at := range l.Symbology {
		b = append(b, r[at])
	}
	return string(b)
}

// part takes one part of a symbol.
func (d *reports) part(marks string, content []byte, more bool) []Frame {
	var out []Frame
	if d.open && marks != d.marks {
		out = append(out, Error{Code: AIMChanged})
		d.drop()
	}
	d.marks = marks
	if len(d.code)+len(content) > d.limit {
		d.broken = more
		d.drop()
		return append(out, Error{Code: Overflow, Limit: d.limit})
	}
	d.code, d.open = append(d.code, content...), more
	if more {
		return out
	}
	code := Barcode{Bytes: slices.Clone(d.code), AIM: aimID([]byte(marks))}
	d.drop()
	return append(out, code)
}

// drop forgets the parts in hand.
func (d *reports) drop() { d.code, d.open = d.code[:0], false }

// Expire gives up a symbol whose next part did not come.
func (d *reports) Expire() []Frame {
	open, have := d.open, len(d.code)
	d.drop()
	d.broken = false
	if !open {
		return nil
	}
	return partial(have)
}

// Pending tells that a part is awaited.
func (d *reports) Pending() bool { return d.open || d.broken }
