package weights

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

// tab is a table of a flatbuffer in the making: a nil field has its default,
// int8 and int32 stand in it, everything else is led to.
type tab []any

// flatbuffer writes a root table and all that it leads to.
func flatbuffer(root tab) []byte {
	b := []byte{0, 0, 0, 0, 'T', 'F', 'L', '3'}
	b, at := appendTable(b, root)
	binary.LittleEndian.PutUint32(b, uint32(at))
	return b
}

// appendTable appends the list of fields, the table and its children, and gives
// where the table begins.
func appendTable(b []byte, t tab) ([]byte, int) {
	fields := len(b)
	b = append(b, make([]byte, 4+2*len(t))...)
	at := len(b)
	b = append(b, make([]byte, 4+4*len(t))...)
	binary.LittleEndian.PutUint16(b[fields:], uint16(4+2*len(t)))
	binary.LittleEndian.PutUint16(b[fields+2:], uint16(4+4*len(t)))
	binary.LittleEndian.PutUint32(b[at:], uint32(at-fields))
	for i, v := range t {
		if v == nil {
			continue
		}
		slot := at + 4 + 4*i
		binary.LittleEndian.PutUint16(b[fields+4+2*i:], uint16(slot-at))
		switch v := v.(type) {
		case int8:
			b[slot] = byte(v)
		case int32:
			binary.LittleEndian.PutUint32(b[slot:], uint32(v))
		default:
			var to int
			b, to = appendValue(b, v)
			binary.LittleEndian.PutUint32(b[slot:], uint32(to-slot))
		}
	}
	return b, at
}

func appendValue(b []byte, v any) ([]byte, int) {
	at := len(b)
	switch v := v.(type) {
	case tab:
		return appendTable(b, v)
	case string:
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...), at
	case []byte:
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...), at
	case []int32:
		b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
		for _, n := range v {
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		}
	case []tab:
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), make([]byte, 4*len(v))...)
		for i, t := range v {
			var to int
			b, to = appendTable(b, t)
			slot := at + 4 + 4*i
			binary.LittleEndian.PutUint32(b[slot:], uint32(to-slot))
		}
	}
	return b, at
}

func TestFlatReads(t *testing.T) {
	b := flatbuffer(tab{int8(7), int32(-3), nil, "name", []int32{1, -2, 3}, []tab{{int8(1)}, {int8(2)}}, tab{int32(9)}})
	f := &flat{b: b}
	root := f.root()
	if got := root.byte(0); got != 7 {
		t.Errorf("byte: got %d, want 7", got)
	}
	if got := root.int(1, 0); got != -3 {
		t.Errorf("int: got %d, want -3", got)
	}
	if got := root.int(2, 5); got != 5 {
		t.Errorf("a field left out: got %d, want its default 5", got)
	}
	if got := root.int(40, 5); got != 5 {
		t.Errorf("a field of a newer schema: got %d, want its default 5", got)
	}
	if got := string(root.bytes(3, 10)); got != "name" {
		t.Errorf("bytes: got %q", got)
	}
	if got := root.ints(4, 10); !slices.Equal(got, []int{1, -2, 3}) {
		t.Errorf("ints: got %v", got)
	}
	if got := root.tables(5, 10); len(got) != 2 || got[1].byte(0) != 2 {
		t.Errorf("tables: got %d of them", len(got))
	}
	if got := root.child(6).int(0, 0); got != 9 {
		t.Errorf("child: got %d, want 9", got)
	}
	if got := root.child(2).int(0, 4); got != 4 || f.err != nil {
		t.Errorf("a child left out: got %d, %v, want its default and no error", got, f.err)
	}
}

func TestFlatBounds(t *testing.T) {
	whole := flatbuffer(tab{[]int32{1, 2, 3}, "text"})
	t.Run("every-cut-fails-or-reads-whole", func(t *testing.T) {
		for n := range whole {
			f := &flat{b: whole[:n]}
			root := f.root()
			numbers, text := root.ints(0, 10), root.bytes(1, 10)
			if f.err == nil && (len(numbers) != 3 || string(text) != "text") {
				t.Errorf("cut after %d bytes: got %v and %q without an error", n, numbers, text)
			}
		}
	})
	t.Run("too-many-elements", func(t *testing.T) {
		f := &flat{b: whole}
		if got := f.root().ints(0, 2); len(got) != 0 || f.err == nil {
			t.Errorf("got %v, %v, want nothing and an error", got, f.err)
		}
	})
	t.Run("offset-behind-the-end", func(t *testing.T) {
		b := slices.Clone(whole)
		binary.LittleEndian.PutUint32(b, 1<<31)
		f := &flat{b: b}
		f.root().ints(0, 10)
		if !errors.Is(f.err, errShort) {
			t.Errorf("got %v, want %v", f.err, errShort)
		}
	})
	t.Run("fields-before-the-start", func(t *testing.T) {
		b := slices.Clone(whole)
		at := binary.LittleEndian.Uint32(b)
		binary.LittleEndian.PutUint32(b[at:], 1<<20)
		f := &flat{b: b}
		f.root().ints(0, 10)
		if !errors.Is(f.err, errShort) {
			t.Errorf("got %v, want %v", f.err, errShort)
		}
	})
}
