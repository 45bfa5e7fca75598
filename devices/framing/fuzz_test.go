package framing

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// fuzzStreams fuzzes the framings named: no panic, bounded memory, and the same
// frames in one read as in reads of every size. Seeds are what the cases read.
func fuzzStreams(f *testing.F, names ...string) {
	for _, c := range frameCases(f) {
		var all []byte
		for _, s := range c.steps {
			all = append(all, s.read...)
		}
		for i, name := range names {
			if name == c.framing {
				f.Add(all, uint8(i), uint8(0))
				f.Add(all, uint8(i), uint8(len(c.set.Check)*16+len(c.set.Letters)*8+1))
			}
		}
	}
	f.Fuzz(func(t *testing.T, all []byte, pick, how uint8) {
		name := names[int(pick)%len(names)]
		s := fuzzSettings(how)
		one := drain(t, name, s, all, len(all))
		for _, size := range []int{1, 2, 3, 7} {
			if got := drain(t, name, s, all, size); !slices.Equal(got, one) {
				t.Fatalf("%s %+v: reads of %d give %q, one read gives %q", name, s, size, got, one)
			}
		}
	})
}

// fuzzSettings makes settings of a byte.
func fuzzSettings(how uint8) Settings {
	s := Settings{MaxBytes: int(how&3) * 40, Sent: []byte{0x10, 4, how&3 + 1}, AIMPrefix: how&4 != 0}
	if how&8 != 0 {
		s.Content, s.Letters = HoldsMRZ, "PQ"
	}
	if how&16 != 0 {
		s.Start, s.End = []byte{0x1b, ':'}, []byte("\x03\r\n")
	}
	spans := []Span{Unchecked, SpanText, SpanBlock, SpanAfter, SpanLengths}
	s.Check, s.Length = spans[how>>5%4], spans[how>>6]
	return s
}

// drain feeds bytes in reads of a size and shows the frames, with the pause at
// the end.
func drain(t *testing.T, name string, s Settings, all []byte, size int) []string {
	d, err := New(name, s)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for chunk := range slices.Chunk(all, max(1, size)) {
		for _, f := range d.Feed(chunk) {
			out = append(out, show(f))
			sound(t, f)
		}
		if n, most := held(d), s.max(ownMax)+len(chunk)+3*lengthTD3+headRTE; n > most {
			t.Fatalf("%s holds %d bytes", name, n)
		}
	}
	for _, f := range d.Expire() {
		out = append(out, show(f))
	}
	if d.Pending() || held(d) != 0 || d.Expire() != nil {
		t.Fatalf("%s: something is left behind a pause", name)
	}
	return out
}

// sound checks what every frame keeps to.
func sound(t *testing.T, f Frame) {
	switch f := f.(type) {
	case MRZ:
		if len(f.Lines) == 0 || f.Skipped < 0 {
			t.Fatalf("a zone without lines, or %d bytes skipped", f.Skipped)
		}
		for _, l := range f.Lines {
			if l == "" || badLetter([]byte(l)) >= 0 || bytes.ContainsAny([]byte(l), "\r\n") {
				t.Fatalf("a line %q", l)
			}
		}
	case Error:
		if f.Code == "" || f.Skipped < 0 {
			t.Fatalf("an error without a code, or %d bytes skipped", f.Skipped)
		}
	case Setting:
		if len(f.Tag) > 3 || len(f.Subtag) > 3 || f.Status == "" {
			t.Fatalf("a setting %+v", f)
		}
	case Barcode:
		if len(f.AIM) != 0 && len(f.AIM) != 3 {
			t.Fatalf("an identifier %q", f.AIM)
		}
	}
}

func FuzzElyctis(f *testing.F)      { fuzzStreams(f, Elyctis) }
func FuzzRTE(f *testing.F)          { fuzzStreams(f, RTE, RTEText) }
func FuzzCUTE(f *testing.F)         { fuzzStreams(f, CUTE) }
func FuzzBlocks(f *testing.F)       { fuzzStreams(f, STXETX) }
func FuzzLines(f *testing.F)        { fuzzStreams(f, CRLF) }
func FuzzHoneywellOCR(f *testing.F) { fuzzStreams(f, HoneywellOCR) }
func FuzzMenu(f *testing.F)         { fuzzStreams(f, Honeywell) }
func FuzzStatus(f *testing.F)       { fuzzStreams(f, Status) }

// FuzzReports fuzzes HID reports under every layout: no panic, and a symbol is
// made of bytes that came, never more than the limit.
func FuzzReports(f *testing.F) {
	for _, c := range frameCases(f) {
		if !ByReport(c.framing) {
			continue
		}
		var all []byte
		for _, s := range c.steps {
			all = append(all, s.read...)
		}
		f.Add(all, uint8(0), uint8(64), uint8(255))
		f.Add(all, uint8(3), uint8(64), uint8(9))
	}
	names := []string{HIDPOSAIM5, HIDPOSPlain2, HIDLen0, HoneywellHID}
	f.Fuzz(func(t *testing.T, all []byte, pick, size, limit uint8) {
		name := names[int(pick)%len(names)]
		d, err := New(name, Settings{MaxBytes: int(limit)})
		if err != nil {
			t.Fatal(err)
		}
		most := Settings{MaxBytes: int(limit)}.max(ownMaxCode)
		for report := range slices.Chunk(all, max(1, int(size))) {
			for _, fr := range d.Feed(report) {
				sound(t, fr)
				if b, ok := fr.(Barcode); ok && (len(b.Bytes) == 0 || len(b.Bytes) > most) {
					t.Fatalf("a symbol of %d bytes", len(b.Bytes))
				}
			}
			if held(d) > most {
				t.Fatalf("%d bytes are held", held(d))
			}
		}
		d.Expire()
		if d.Pending() || held(d) != 0 {
			t.Fatal("something is left behind a pause")
		}
	})
}

// FuzzReportDescriptor: no panic; a layout lies within its report and reads any
// report of its size.
func FuzzReportDescriptor(f *testing.F) {
	for _, c := range descriptorCases(f) {
		f.Add(c.raw, []byte("\x02\x02]Q0AB"))
	}
	f.Fuzz(func(t *testing.T, raw, report []byte) {
		l, err := ParseReportDescriptor(raw)
		if err != nil {
			return
		}
		if !l.Valid() {
			t.Fatalf("layout %+v", l)
		}
		d, err := New(HIDPOS, Settings{Layout: &l})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			for _, fr := range d.Feed(append(bytes.Clone(report), make([]byte, max(0, l.Size-len(report)))...)) {
				sound(t, fr)
			}
		}
	})
}

func BenchmarkFeed(b *testing.B) {
	for _, c := range frameCases(b) {
		if c.rule != "elyctis/td3/byte-by-byte" && c.rule != "cute/td3" && c.rule != "hid/aim5/two-reports" {
			continue
		}
		b.Run(fmt.Sprintf("%s/%d-reads", c.framing, len(c.steps)), func(b *testing.B) {
			d := c.open(b)
			b.ReportAllocs()
			for b.Loop() {
				for _, s := range c.steps {
					d.Feed(s.read)
				}
			}
		})
	}
}
