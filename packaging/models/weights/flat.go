package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

// flat reads a flatbuffer. The first offset that leads out of the data makes
// every further read give zero, and err tells of it.
type flat struct {
	b   []byte
	err error
}

// span gives n bytes from at on, or nil where they are not there.
func (f *flat) span(at, n int) []byte {
	if f.err != nil || at < 0 || n < 0 || at > len(f.b) || n > len(f.b)-at {
		f.fail(errShort)
		return nil
	}
	return f.b[at : at+n]
}

// fail keeps the first failure.
func (f *flat) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// u8, u16, u32 and i32 read little-endian numbers.
func (f *flat) u8(at int) int {
	if s := f.span(at, 1); s != nil {
		return int(s[0])
	}
	return 0
}

func (f *flat) u16(at int) int {
	if s := f.span(at, 2); s != nil {
		return int(binary.LittleEndian.Uint16(s))
	}
	return 0
}

// u32 reads an offset or a count; what a file of less than 2 GiB cannot hold
// fails.
func (f *flat) u32(at int) int {
	s := f.span(at, 4)
	if s == nil {
		return 0
	}
	v := binary.LittleEndian.Uint32(s)
	if v > math.MaxInt32 {
		f.fail(errShort)
		return 0
	}
	return int(v)
}

func (f *flat) i32(at int) int {
	if s := f.span(at, 4); s != nil {
		return int(int32(binary.LittleEndian.Uint32(s)))
	}
	return 0
}

// table is a table of a flatbuffer. It begins with the signed way back to the
// list of its fields, which tables may share: where it stands and where its fields are
// listed. The zero table has no fields, so every field has its default.
type table struct {
	f      *flat
	at     int
	fields int // of the vtable; 0 where there is no table
}

// root is the table that the file begins with.
func (f *flat) root() table { return f.table(f.u32(0)) }

// table is the table at a position.
func (f *flat) table(at int) table { return table{f, at, at - f.i32(at)} }

// field is where field i stands; 0 where it has its default, which a writer leaves
// out, as it does with fields that its schema did not have yet. The list begins
// with its own length and the table's.
func (t table) field(i int) int {
	if t.f == nil {
		return 0
	}
	slot := 4 + 2*i
	if slot+2 > t.f.u16(t.fields) {
		return 0
	}
	if off := t.f.u16(t.fields + slot); off != 0 {
		return t.at + off
	}
	return 0
}

// byte and int are fields of 8 and of 32 bits.
func (t table) byte(i int) int {
	if at := t.field(i); at != 0 {
		return t.f.u8(at)
	}
	return 0
}

func (t table) int(i, otherwise int) int {
	if at := t.field(i); at != 0 {
		return t.f.i32(at)
	}
	return otherwise
}

// child is the table that field i leads to. Ways lead forward only, so tables
// cannot go in circles.
func (t table) child(i int) table {
	at := t.field(i)
	if at == 0 {
		return table{}
	}
	return t.f.table(at + t.f.u32(at))
}

// list is where the elements of a vector begin and how many there are; each is
// size bytes long and all of them are within the data.
func (t table) list(i, size, most int) (start, n int) {
	at := t.field(i)
	if at == 0 {
		return 0, 0
	}
	at += t.f.u32(at)
	n = t.f.u32(at)
	if n > most {
		t.f.fail(fmt.Errorf("%d elements where at most %d are read", n, most))
		return 0, 0
	}
	if t.f.span(at+4, n*size) == nil {
		return 0, 0
	}
	return at + 4, n
}

// bytes, ints and tables are vectors of at most so many elements. Each caller
// states its bound: many small tables may lead to one large vector.
func (t table) bytes(i, most int) []byte {
	start, n := t.list(i, 1, most)
	if n == 0 {
		return nil
	}
	return t.f.span(start, n)
}

func (t table) ints(i, most int) []int {
	start, n := t.list(i, 4, most)
	out := make([]int, n)
	for k := range out {
		out[k] = t.f.i32(start + 4*k)
	}
	return out
}

func (t table) tables(i, most int) []table {
	start, n := t.list(i, 4, most)
	out := make([]table, n)
	for k := range out {
		at := start + 4*k
		out[k] = t.f.table(at + t.f.u32(at))
	}
	return out
}
