package der_test

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/der"
)

func TestNext(t *testing.T) {
	t.Parallel()
	long := append([]byte{0x04, 0x81, 0x80}, make([]byte, 0x80)...)
	for _, c := range []struct {
		rule string
		in   []byte
		n    int // of the content; -1 where it is refused
	}{
		{"empty-content", []byte{0x05, 0x00}, 0},
		{"short-length", []byte{0x04, 0x02, 1, 2, 9}, 2},
		{"long-length", long, 0x80},
		{"nothing", nil, -1},
		{"tag-only", []byte{0x30}, -1},
		{"tag-of-several-bytes", []byte{0x5f, 0x1f, 0x00}, -1},
		{"indefinite", []byte{0x30, 0x80, 0x00, 0x00}, -1},
		{"length-of-five-bytes", []byte{0x30, 0x85, 0, 0, 0, 0, 1, 0}, -1},
		{"length-with-a-leading-zero", []byte{0x04, 0x82, 0x00, 0x01, 0x00}, -1},
		{"length-longer-than-needed", []byte{0x04, 0x81, 0x01, 0x00}, -1},
		{"beyond-the-end", []byte{0x04, 0x03, 1, 2}, -1},
		{"far-beyond-the-end", []byte{0x04, 0x84, 0xff, 0xff, 0xff, 0xff}, -1},
	} {
		v, rest, err := der.Next(c.in)
		if (err == nil) != (c.n >= 0) {
			t.Errorf("%s: got %v", c.rule, err)
		}
		if err == nil && (len(v.Content) != c.n || len(v.Raw)+len(rest) != len(c.in)) {
			t.Errorf("%s: got %d bytes, want %d", c.rule, len(v.Content), c.n)
		}
	}
}

func TestOID(t *testing.T) {
	t.Parallel()
	for _, o := range []der.OID{"0.4.0.127.0.7.2.2.1.2", "1.2.840.113549.1.1.10", "2.5.29.15", "2.23.136.1.1.1", "2.999.1", "2.16.840.1.101.3.4.2.1", "1.3.36.3.3.2.8.1.1.7"} {
		raw := der.ID(o)
		want, err := asn1.Marshal(asn1.ObjectIdentifier(o.Arcs()))
		if err != nil || !bytes.Equal(raw, want) {
			t.Errorf("%s: wrote %x, want %x %v", o, raw, want, err)
		}
		v, err := der.Whole(raw, der.Object)
		if err != nil || v.OID() != o {
			t.Errorf("got %s %v, want %s", v.OID(), err, o)
		}
	}
	for _, bad := range [][]byte{{0x06, 0x00}, {0x06, 0x01, 0x80}, append([]byte{0x06, 0x0a}, bytes.Repeat([]byte{0xff}, 10)...), {0x04, 0x01, 0x2a}} {
		if v, _, _ := der.Next(bad); v.OID() != "" {
			t.Errorf("%x: got %q", bad, v.OID())
		}
	}
	if der.OID("x.y").Arcs() != nil {
		t.Error("letters have numbers")
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, 127, 128, 255, 256, 1 << 40, -1, -127, -128, -129, -255, -256, -1 << 40} {
		raw := der.Num(big.NewInt(n))
		want, err := asn1.Marshal(big.NewInt(n))
		if err != nil || !bytes.Equal(raw, want) {
			t.Errorf("%d: wrote %x, want %x %v", n, raw, want, err)
		}
		v, _ := der.Whole(raw, der.Integer)
		if got := v.Number(); got == nil || got.Int64() != n {
			t.Errorf("%d: got %v", n, got)
		}
		small := int(n)
		if n < 0 || n > 1<<31-1 {
			small = -1
		}
		if v.Small() != small {
			t.Errorf("%d: got %d, want %d", n, v.Small(), small)
		}
	}
	padded, _ := der.Whole([]byte{0x02, 0x03, 0x00, 0x00, 0x05}, der.Integer)
	if padded.Small() != 5 {
		t.Error("a number with zeros before it is refused")
	}
	for _, bad := range [][]byte{{0x02, 0x00}, {0x04, 0x01, 0x01}, append([]byte{0x02, 0x82, 0x08, 0x03}, make([]byte, 0x803)...)} {
		if v, _, err := der.Next(bad); err != nil || v.Number() != nil {
			t.Errorf("%x… is a number (%v)", bad[:2], err)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag  der.Tag
		text string
		want string // empty where it is none
	}{
		{der.UTCTime, "261122120000Z", "2026-11-22T12:00:00Z"},
		{der.UTCTime, "491231235959Z", "2049-12-31T23:59:59Z"},
		{der.UTCTime, "500101000000Z", "1950-01-01T00:00:00Z"},
		{der.UTCTime, "690101000000Z", "1969-01-01T00:00:00Z"},
		{der.UTCTime, "2611221200Z", "2026-11-22T12:00:00Z"},
		{der.GeneralizedTime, "20510101000000Z", "2051-01-01T00:00:00Z"},
		{der.GeneralizedTime, "20251122120000.5Z", "2025-11-22T12:00:00.5Z"},
		{der.UTCTime, "261322120000Z", ""},
		{der.UTCTime, "261122120000+0100", ""},
		{der.UTCTime, "", ""},
		{der.GeneralizedTime, "20251122", ""},
		{der.Integer, "261122120000Z", ""},
	} {
		got, ok := der.Value{Tag: c.tag, Content: []byte(c.text)}.Time()
		if ok != (c.want != "") || ok && got.Format(time.RFC3339Nano) != c.want {
			t.Errorf("%q: got %s %t, want %s", c.text, got, ok, c.want)
		}
	}
	for _, at := range []string{"1950-01-01T00:00:00Z", "2026-11-22T12:00:01Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "1949-12-31T00:00:00Z"} {
		want, _ := time.Parse(time.RFC3339, at)
		v, _, err := der.Next(der.Instant(want))
		if got, ok := v.Time(); err != nil || !ok || !got.Equal(want) {
			t.Errorf("%s: got %s", at, got)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag      der.Tag
		in, want string
		ok       bool
	}{
		{der.PrintableString, "GB", "GB", true},
		{der.UTF8String, "Österreich", "Österreich", true},
		{der.UTF8String, "\xff", "\xff", false},
		{der.TeletexString, "\xd6sterreich", "Österreich", true},
		{der.BMPString, "\x00D\x00E", "DE", true},
		{der.BMPString, "\x00D\x00", "", false},
		{der.Integer, "1", "", false},
	} {
		if got, ok := (der.Value{Tag: c.tag, Content: []byte(c.in)}).Text(); got != c.want || ok != c.ok {
			t.Errorf("%q: got %q %t, want %q %t", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, flags := range []uint16{1, 1 << 5, 1<<5 | 1<<6, 1 << 8, 1<<15 | 1} {
		v, err := der.Whole(der.FlagsOf(flags), der.BitString)
		if got, ok := v.Flags(); err != nil || !ok || got != flags {
			t.Errorf("%b: got %b %v", flags, got, err)
		}
	}
	if got := der.FlagsOf(1<<5 | 1<<6); !bytes.Equal(got, []byte{0x03, 0x02, 0x01, 0x06}) {
		t.Errorf("keyCertSign and cRLSign: wrote %x", got)
	}
	for _, bad := range [][]byte{{0x03, 0x00}, {0x03, 0x02, 0x08, 0xff}, {0x03, 0x04, 0, 0, 0, 0}, {0x04, 0x01, 0x00}} {
		v, _, _ := der.Next(bad)
		if _, ok := v.Flags(); ok {
			t.Errorf("%x are flags", bad)
		}
	}
	if v, _ := der.Whole(der.BitsOf([]byte{7}), der.BitString); !bytes.Equal(v.Bits(), []byte{7}) {
		t.Error("bits are lost")
	}
	if (der.Value{Tag: der.BitString, Content: []byte{3, 8}}).Bits() != nil {
		t.Error("a part of a byte is taken for bytes")
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	b := der.Seq(der.Int(1), der.Yes(), der.Write(der.Context(0, true), der.Octets([]byte{9})))
	v, err := der.Whole(b, der.Sequence)
	if err != nil {
		t.Fatal(err)
	}
	r := v.Inside()
	if _, ok := r.Optional(der.Boolean); ok {
		t.Error("an optional value is there that is not")
	}
	if r.Want(der.Integer).Small() != 1 || !r.Want(der.Boolean).True() {
		t.Error("values are lost")
	}
	in := r.Into(der.Context(0, true))
	if got := in.Want(der.OctetString).Content; !bytes.Equal(got, []byte{9}) || in.End() != nil || r.End() != nil {
		t.Errorf("got %x, %v, %v", got, in.Err(), r.Err())
	}
	left := v.Inside()
	left.Any()
	if left.End() == nil {
		t.Error("what is left over is not told")
	}
	wrong := v.Inside()
	if wrong.Want(der.Null); wrong.Err() == nil || wrong.More() || wrong.Any().Raw != nil || wrong.Peek() != 0 || wrong.Into(der.Set).Err() == nil {
		t.Error("reading goes on after an error")
	}
	failed := v.Inside()
	if failed.Fail(); failed.End() == nil {
		t.Error("a failure is not told")
	}
	if _, err := der.Whole(append(b, 0), der.Sequence); err == nil {
		t.Error("a byte after the value is not told")
	}
	if _, err := der.Whole(b, der.Set); err == nil {
		t.Error("another tag is taken")
	}
}

func TestSetOf(t *testing.T) {
	t.Parallel()
	if got := der.SetOf(der.Int(3), der.Int(1), der.Int(2)); !bytes.Equal(got, []byte{0x31, 9, 2, 1, 1, 2, 1, 2, 2, 1, 3}) {
		t.Errorf("got %x", got)
	}
	if got := der.Write(der.OctetString, make([]byte, 0x1234)); !bytes.Equal(got[:4], []byte{0x04, 0x82, 0x12, 0x34}) {
		t.Errorf("got %x", got[:4])
	}
	if got := der.ID("x"); !bytes.Equal(got, []byte{0x06, 0x00}) {
		t.Errorf("got %x", got)
	}
}

// FuzzValue reads what is in anything, as deep as it goes, and writes it again.
func FuzzValue(f *testing.F) {
	f.Add(der.Seq(der.Int(1), der.SetOf(der.ID("2.5.4.6"), der.Nil()), der.Instant(time.Unix(0, 0))))
	f.Fuzz(func(t *testing.T, b []byte) {
		for r := der.In(b); r.More(); {
			v := r.Any()
			if r.Err() != nil {
				return
			}
			if !bytes.Equal(der.Write(v.Tag, v.Content), v.Raw) {
				t.Fatalf("%x is not the only way to write it", v.Raw)
			}
			v.Text()
			v.Time()
			v.Flags()
			v.Number()
			if o := v.OID(); o != "" {
				o.Arcs()
			}
		}
	})
}
