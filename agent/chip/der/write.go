package der

import (
	"bytes"
	"math/big"
	"slices"
	"time"
)

// Write writes a value of parts.
func Write(t Tag, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := append(make([]byte, 0, n+6), byte(t))
	if n < short {
		b = append(b, byte(n))
	} else {
		size := new(big.Int).SetInt64(int64(n)).Bytes()
		b = append(append(b, byte(short+len(size))), size...)
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// Seq writes a sequence.
func Seq(parts ...[]byte) []byte { return Write(Sequence, parts...) }

// SetOf writes a set of values, in the order that the rules ask for.
func SetOf(parts ...[]byte) []byte {
	sorted := slices.Clone(parts)
	slices.SortFunc(sorted, bytes.Compare)
	return Write(Set, sorted...)
}

// Num writes an integer.
func Num(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return Write(Integer, b)
	}
	size := n.BitLen()/8 + 1
	b := new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size))).FillBytes(make([]byte, size))
	for len(b) > 1 && b[0] == 0xff && b[1]&0x80 != 0 {
		b = b[1:]
	}
	return Write(Integer, b)
}

// Int writes a small integer.
func Int(n int) []byte { return Num(big.NewInt(int64(n))) }

// ID writes an object identifier.
func ID(o OID) []byte {
	arcs := o.Arcs()
	if len(arcs) < 2 {
		return Write(Object)
	}
	arcs[1] += 40 * arcs[0]
	var b []byte
	for _, a := range arcs[1:] {
		low := []byte{byte(a & 0x7f)}
		for a >>= 7; a > 0; a >>= 7 {
			low = append(low, byte(a&0x7f)|0x80)
		}
		slices.Reverse(low)
		b = append(b, low...)
	}
	return Write(Object, b)
}

// Octets writes an octet string of parts.
func Octets(parts ...[]byte) []byte { return Write(OctetString, parts...) }

// BitsOf writes a bit string of whole bytes.
func BitsOf(b []byte) []byte { return Write(BitString, []byte{0}, b) }

// FlagsOf writes a bit string of named bits, as short as it can be.
func FlagsOf(flags uint16) []byte {
	var b [2]byte
	last := -1
	for i := range 16 {
		if flags&(1<<i) != 0 {
			b[i/8] |= 0x80 >> (i % 8)
			last = i
		}
	}
	n := (last + 8) / 8
	return Write(BitString, []byte{byte(8*n - last - 1)}, b[:n])
}

// Yes writes the truth value true.
func Yes() []byte { return Write(Boolean, []byte{0xff}) }

// Nil writes the null value.
func Nil() []byte { return Write(Null) }

// Instant writes a point in time to the second as RFC 5280 §4.1.2.5 asks.
func Instant(t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y < 2050 {
		return Write(UTCTime, []byte(t.Format(utcForm)))
	}
	return Write(GeneralizedTime, []byte(t.Format(generalForm)))
}

// String writes a string with one of the tags of strings.
func String(t Tag, s string) []byte { return Write(t, []byte(s)) }
