// Package der reads and writes the Distinguished Encoding Rules of ASN.1 (ITU-T
// X.690 §10), as far as certificates, lists and signatures of travel documents
// need them.
//
// It knows no structure: others say what they expect, one value after another, so
// that nothing is followed deeper than the code that reads it goes.
//
// # The laws
//
//   - Lengths are definite, of at most four bytes and as short as they can be; a
//     value never reaches beyond what it stands in.
//   - A number may be negative or have a byte too many: certificates of states
//     have such serial numbers.
//   - Nothing is copied and nothing is kept but slices of what was given.
package der

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Tag is the first byte of a value: class, form and number below 31.
type Tag byte

// The tags that occur.
const (
	Boolean         Tag = 0x01
	Integer         Tag = 0x02
	BitString       Tag = 0x03
	OctetString     Tag = 0x04
	Null            Tag = 0x05
	Object          Tag = 0x06
	Enumerated      Tag = 0x0a
	UTF8String      Tag = 0x0c
	PrintableString Tag = 0x13
	TeletexString   Tag = 0x14
	IA5String       Tag = 0x16
	UTCTime         Tag = 0x17
	GeneralizedTime Tag = 0x18
	BMPString       Tag = 0x1e
	Sequence        Tag = 0x30
	Set             Tag = 0x31
)

// Context is a tag of the context's own, primitive or constructed.
func Context(n byte, constructed bool) Tag {
	if constructed {
		return Tag(0xa0 | n)
	}
	return Tag(0x80 | n)
}

// ErrEncoding says that bytes are not in the encoding, or not what is expected.
var ErrEncoding = errors.New("the encoding is wrong")

// Value is one value.
type Value struct {
	Tag     Tag
	Content []byte
	Raw     []byte // with tag and length
}

// lengths of the length.
const (
	short   = 0x80
	maxSize = 4
)

// Next reads the first value of b and gives what follows it.
func Next(b []byte) (v Value, rest []byte, err error) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return Value{}, nil, ErrEncoding
	}
	n, at := int(b[1]), 2
	if n >= short {
		size := n - short
		if size == 0 || size > maxSize || len(b) < at+size || b[at] == 0 {
			return Value{}, nil, ErrEncoding
		}
		n = 0
		for _, c := range b[at : at+size] {
			n = n<<8 | int(c)
		}
		at += size
		if n < short {
			return Value{}, nil, ErrEncoding
		}
	}
	if n < 0 || n > len(b)-at {
		return Value{}, nil, ErrEncoding
	}
	return Value{Tag(b[0]), b[at : at+n], b[:at+n]}, b[at+n:], nil
}

// Whole reads b as one value with a tag, and nothing after it.
func Whole(b []byte, want Tag) (Value, error) {
	v, rest, err := Next(b)
	if err != nil || len(rest) > 0 || v.Tag != want {
		return Value{}, ErrEncoding
	}
	return v, nil
}

// Reader reads the values in a value, one after another. After the first error
// it gives no more values; Err tells.
type Reader struct {
	rest []byte
	err  error
}

// In reads what is in b.
func In(b []byte) *Reader { return &Reader{rest: b} }

// Inside reads what is in a value.
func (v Value) Inside() *Reader { return In(v.Content) }

// More reports whether a value follows.
func (r *Reader) More() bool { return r.err == nil && len(r.rest) > 0 }

// Peek is the tag of the value that follows; 0 where there is none.
func (r *Reader) Peek() Tag {
	if !r.More() {
		return 0
	}
	return Tag(r.rest[0])
}

// Any reads the value that follows.
func (r *Reader) Any() Value {
	if r.err != nil {
		return Value{}
	}
	v, rest, err := Next(r.rest)
	if err != nil {
		r.err = err
		return Value{}
	}
	r.rest = rest
	return v
}

// Want reads the value that follows, which has a tag.
func (r *Reader) Want(t Tag) Value {
	v := r.Any()
	if r.err == nil && v.Tag != t {
		r.err = ErrEncoding
		return Value{}
	}
	return v
}

// Optional reads the value that follows if it has a tag.
func (r *Reader) Optional(t Tag) (Value, bool) {
	if r.Peek() != t {
		return Value{}, false
	}
	v := r.Any()
	return v, r.err == nil
}

// Into reads the values inside the value that follows, which has a tag.
func (r *Reader) Into(t Tag) *Reader {
	v := r.Want(t)
	return &Reader{rest: v.Content, err: r.err}
}

// Fail ends the reading for a reason that the caller found.
func (r *Reader) Fail() { r.err = ErrEncoding }

// Err is why the reading ended early.
func (r *Reader) Err() error { return r.err }

// End is why the reading ended early, or that something is left over.
func (r *Reader) End() error {
	if r.err == nil && len(r.rest) > 0 {
		return ErrEncoding
	}
	return r.err
}

// OID is an object identifier in its dotted form, "2.5.29.15".
type OID string

// Bounds of an object identifier.
const (
	maxArcs = 40
	maxArc  = 1 << 40
)

// OID reads an object identifier; empty where it is none.
func (v Value) OID() OID {
	if v.Tag != Object || len(v.Content) == 0 || v.Content[len(v.Content)-1]&0x80 != 0 {
		return ""
	}
	b := make([]byte, 0, 32)
	arc, arcs := 0, 0
	for _, c := range v.Content {
		arc = arc<<7 | int(c&0x7f)
		if arc > maxArc || arcs > maxArcs {
			return ""
		}
		if c&0x80 != 0 {
			continue
		}
		if arcs == 0 {
			first := min(arc/40, 2)
			b = strconv.AppendInt(b, int64(first), 10)
			arc -= 40 * first
		}
		b = strconv.AppendInt(append(b, '.'), int64(arc), 10)
		arc, arcs = 0, arcs+1
	}
	return OID(b)
}

// Arcs are the numbers of an object identifier.
func (o OID) Arcs() []int {
	var arcs []int
	for part := range strings.SplitSeq(string(o), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		arcs = append(arcs, n)
	}
	return arcs
}

// maxNumber bounds a number, in bytes: a long RSA key.
const maxNumber = 2050

// Number reads an integer, negative ones too; nil where it is none.
func (v Value) Number() *big.Int {
	if (v.Tag != Integer && v.Tag != Enumerated) || len(v.Content) == 0 || len(v.Content) > maxNumber {
		return nil
	}
	n := new(big.Int).SetBytes(v.Content)
	if v.Content[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v.Content))))
	}
	return n
}

// Small reads an integer from 0 to 2³¹-1; -1 where it is none.
func (v Value) Small() int {
	n := v.Number()
	if n == nil || n.Sign() < 0 || n.BitLen() > 31 {
		return -1
	}
	return int(n.Int64())
}

// True reads a truth value; anything but 0 is true, as in BER.
func (v Value) True() bool { return v.Tag == Boolean && len(v.Content) == 1 && v.Content[0] != 0 }

// Bits reads a bit string of whole bytes; nil where it is none.
func (v Value) Bits() []byte {
	if v.Tag != BitString || len(v.Content) < 1 || v.Content[0] != 0 {
		return nil
	}
	return v.Content[1:]
}

// Flags reads a bit string of at most 16 named bits: bit n of the result is the
// nth bit of the string.
func (v Value) Flags() (flags uint16, ok bool) {
	if v.Tag != BitString || len(v.Content) < 1 || len(v.Content) > 3 || v.Content[0] > 7 {
		return 0, false
	}
	for i, c := range v.Content[1:] {
		for j := range 8 {
			if c&(0x80>>j) != 0 {
				flags |= 1 << (8*i + j)
			}
		}
	}
	return flags, true
}

// Text reads a string of any kind; false where it is none, or no text.
func (v Value) Text() (string, bool) {
	switch v.Tag {
	case PrintableString, IA5String, UTF8String, Context(0, false):
		return string(v.Content), utf8.Valid(v.Content)
	case TeletexString: // in practice Latin 1
		runes := make([]rune, len(v.Content))
		for i, c := range v.Content {
			runes[i] = rune(c)
		}
		return string(runes), true
	case BMPString:
		if len(v.Content)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(v.Content)/2)
		for i := range units {
			units[i] = uint16(v.Content[2*i])<<8 | uint16(v.Content[2*i+1])
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}

// Forms of a time: RFC 5280 asks for the first of each, states write the others.
const (
	utcForm     = "060102150405Z"
	utcShort    = "0601021504Z"
	generalForm = "20060102150405Z"
	fineForm    = "20060102150405.999Z"
)

// Time reads a point in time. Two digits of a year are 1950 to 2049.
func (v Value) Time() (time.Time, bool) {
	text := string(v.Content)
	switch v.Tag {
	case UTCTime:
		form := utcForm
		if len(text) == len(utcShort) {
			form = utcShort
		}
		t, err := time.Parse(form, text)
		if err == nil && t.Year() >= 2050 {
			t = t.AddDate(-100, 0, 0)
		}
		return t, err == nil
	case GeneralizedTime:
		t, err := time.Parse(generalForm, text)
		if err != nil {
			t, err = time.Parse(fineForm, text)
		}
		return t, err == nil
	}
	return time.Time{}, false
}
