package der_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// TestDefinite: each freedom of the basic rules becomes the one form that is read.
func TestDefinite(t *testing.T) {
	t.Parallel()
	deep := func(n int) []byte {
		return slices.Concat(bytes.Repeat([]byte{0x30, 0x80}, n), make([]byte, 2*n))
	}
	for _, c := range []struct {
		rule     string
		in, want []byte
	}{
		{"as-it-is", der.Seq(der.Int(1), der.Octets([]byte{1, 2})), der.Seq(der.Int(1), der.Octets([]byte{1, 2}))},
		{"endless", []byte{0x30, 0x80, 2, 1, 5, 0, 0}, der.Seq(der.Int(5))},
		{"endless-in-endless", []byte{0x30, 0x80, 0xa0, 0x80, 2, 1, 5, 0, 0, 0, 0}, der.Seq(der.Write(der.Context(0, true), der.Int(5)))},
		{"endless-in-definite", []byte{0x30, 7, 0xa0, 0x80, 2, 1, 5, 0, 0}, der.Seq(der.Write(der.Context(0, true), der.Int(5)))},
		{"empty", []byte{0x30, 0x80, 0, 0}, der.Seq()},
		{"long-length", []byte{0x30, 0x82, 0, 3, 2, 1, 5}, der.Seq(der.Int(5))},
		{"length-with-zeros", []byte{4, 0x84, 0, 0, 0, 1, 7}, der.Octets([]byte{7})},
		{"string-in-pieces", []byte{0x24, 0x80, 4, 1, 1, 4, 2, 2, 3, 0, 0}, der.Octets([]byte{1, 2, 3})},
		{"string-in-definite-pieces", []byte{0x24, 7, 4, 1, 1, 4, 2, 2, 3}, der.Octets([]byte{1, 2, 3})},
		{"pieces-of-pieces", []byte{0x24, 0x80, 0x24, 0x80, 4, 1, 1, 0, 0, 4, 1, 2, 0, 0}, der.Octets([]byte{1, 2})},
		{"string-of-end-marks", []byte{0x30, 0x80, 4, 2, 0, 0, 0, 0}, der.Seq(der.Octets([]byte{0, 0}))},
		{"negative-number-as-it-is", []byte{0x30, 0x80, 2, 2, 0xff, 0xff, 0, 0}, []byte{0x30, 4, 2, 2, 0xff, 0xff}},
		{"24-deep", deep(25), der.Seq(unwrapped(24)...)},
		{"too-deep", deep(26), nil},
		{"endless-number", []byte{2, 0x80, 1, 0, 0}, nil},
		{"no-end", []byte{0x30, 0x80, 2, 1, 5}, nil},
		{"half-an-end", []byte{0x30, 0x80, 2, 1, 5, 0}, nil},
		{"end-outside", []byte{0x30, 3, 2, 1, 5, 0, 0}, nil},
		{"end-in-definite", []byte{0x30, 5, 2, 1, 5, 0, 0}, nil},
		{"string-of-numbers", []byte{0x24, 3, 2, 1, 5}, nil},
		{"beyond-its-frame", []byte{0x30, 4, 0xa0, 0x80, 2, 1, 5, 0, 0}, nil},
		{"too-long", []byte{4, 0x84, 0xff, 0xff, 0xff, 0xff, 1}, nil},
		{"five-bytes-of-length", []byte{4, 0x85, 0, 0, 0, 0, 1, 7}, nil},
		{"tag-of-two-bytes", []byte{0x3f, 0x81, 1, 0}, nil},
		{"nothing", nil, nil},
		{"larger-than-a-document", make([]byte, 1<<20+1), nil},
	} {
		got, err := der.Definite(c.in)
		if !bytes.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%s: got %x %v, want %x", c.rule, got, err, c.want)
		}
	}
}

// unwrapped is an empty sequence in sequences.
func unwrapped(n int) [][]byte {
	if n == 0 {
		return nil
	}
	return [][]byte{der.Seq(unwrapped(n - 1)...)}
}

// FuzzDefinite: what is rewritten is rewritten to itself, and what is in DER already
// stays as it is.
func FuzzDefinite(f *testing.F) {
	f.Add([]byte{0x30, 0x80, 0x24, 0x80, 4, 1, 1, 4, 2, 2, 3, 0, 0, 0x30, 0x82, 0, 3, 2, 1, 5, 0, 0})
	f.Add(der.Seq(der.Int(1), der.SetOf(der.ID("2.5.4.6"), der.Nil())))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := der.Definite(b)
		if err != nil {
			return
		}
		again, err := der.Definite(out)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%x becomes %x and then %x, %v", b, out, again, err)
		}
		if v, rest, err := der.Next(out); err != nil || len(rest) > 0 || !bytes.Equal(v.Raw, out) {
			t.Fatalf("%x becomes %x, which is not read: %v", b, out, err)
		}
	})
}
