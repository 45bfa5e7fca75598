package usbip

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestScanner lets it see symbols of every interesting length.
func TestScanner(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 55, 56, 57, 112, 113, 200} {
		synctest.Test(t, func(t *testing.T) {
			s := NewScanner(someone)
			h := plugged(t, s.Device)
			if g := h.order(0x21, 0x0a, 0, 0, nil); g.status != ok { // SET_IDLE
				t.Errorf("SET_IDLE: status %d", g.status)
			}
			want := []byte(strings.Repeat("0123456789", 20)[:n])
			s.Scan("]Q1", want)
			var all []byte
			for more := true; more; {
				r := h.read(HIDIn, 64).data
				if len(r) != 64 || r[0] != scanReport || string(r[2:5]) != "]Q1" || int(r[1]) > scanBytes {
					t.Fatalf("%d bytes: report % x", n, r)
				}
				all = append(all, r[5:5+r[1]]...)
				more = r[63]&1 != 0
			}
			if !bytes.Equal(all, want) {
				t.Errorf("%d bytes: got %q", n, all)
			}
			h.ask(HIDIn, 64)
			h.silent()
		})
	}
}

// TestHID moves reports both ways: on endpoints, and on endpoint 0.
func TestHID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var heard []string
		d := NewHID(someone, ScannerReports(), func(report []byte) { heard = append(heard, string(report)) })
		h := plugged(t, d.Device)
		d.Say([]byte("one"))
		d.Say([]byte("two"))
		for _, want := range []string{"one", "two"} {
			if g := h.read(HIDIn, 64); string(g.data) != want {
				t.Errorf("got report %q, want %q", g.data, want)
			}
		}
		h.give(hidOut, []byte("three"))
		h.answer()
		h.order(0x21, setReport, 0x0200, 0, []byte("four"))
		if want := []string{"three", "four"}; !slices.Equal(heard, want) {
			t.Errorf("the device heard %q, want %q", heard, want)
		}
	})
}

// TestCamera films: pictures come whole, in order, at their rate, and the first
// one after a new start is not the rest of an old one.
func TestCamera(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCamera()
		h := plugged(t, c.Device)
		began := time.Now()
		film(h)
		for n := range 3 {
			if got := picture(h, t); len(got) != 20_000 || got[0] != byte(n) {
				t.Errorf("picture %d has %d bytes of %d", n, len(got), got[0])
			}
		}
		if took := time.Since(began); took != 200*time.Millisecond {
			t.Errorf("three pictures took %v, want two pauses of 100ms", took)
		}
		h.read(CameraIn, maxPayload) // the beginning of a fourth
		h.clear(CameraIn)
		film(h)
		if got := picture(h, t); got[0] != 4 || len(got) != 20_000 {
			t.Errorf("after a new start: %d bytes of picture %d, want 20000 of 4", len(got), got[0])
		}
		if c.Taken() != 5 {
			t.Errorf("%d pictures were taken, want 5", c.Taken())
		}
	})
}

// film negotiates as a host does.
func film(h *host) {
	h.t.Helper()
	h.order(0x21, setCurrent, probe<<8, 1, make([]byte, 26))
	choice := h.request(0xa1, 0x81, probe<<8, 1, 26).data
	if len(choice) != 26 || binary.LittleEndian.Uint32(choice[22:]) != maxPayload {
		h.t.Fatalf("the camera offers % x", choice)
	}
	h.order(0x21, setCurrent, commit<<8, 1, choice)
}

// picture puts the pieces of one together.
func picture(h *host, t *testing.T) []byte {
	t.Helper()
	var all []byte
	for range 10 {
		b := h.read(CameraIn, maxPayload).data
		if len(b) < payloadHeader || b[0] != payloadHeader || b[1]&endOfHeader == 0 {
			t.Fatalf("a payload of %d bytes without header", len(b))
		}
		all = append(all, b[payloadHeader:]...)
		if b[1]&endOfPicture != 0 {
			return all
		}
	}
	t.Fatal("a picture without end")
	return nil
}

// TestCameraRequests asks what drivers ask, and what the camera has not.
func TestCameraRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := plugged(t, newCamera().Device)
		if g := h.request(0xa1, getLength, probe<<8, 1, 2); string(g.data) != "\x1a\x00" {
			t.Errorf("length % x, want 26", g.data)
		}
		if g := h.request(0xa1, getInfo, commit<<8, 1, 1); string(g.data) != "\x03" {
			t.Errorf("info % x, want both directions", g.data)
		}
		if g := h.request(0xa1, 0x81, 4<<8, 1, 1); g.status != stalled {
			t.Errorf("a control it has not: status %d", g.status)
		}
		if g := h.request(0xa1, 0x81, probe<<8, 0, 26); g.status != stalled {
			t.Errorf("the other interface: status %d", g.status)
		}
		h.ask(CameraIn, maxPayload)
		h.silent() // it does not film unasked
	})
}

// TestReader sets the line, shows a document and asks for one.
func TestReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := NewReader(someone, ReaderSpec{
			Frame: func(lines []string) []byte { return []byte(strings.Join(lines, "\r") + "\r") },
			Answer: func(heard []byte) ([]byte, int) {
				if !bytes.HasPrefix(heard, []byte("I??")) && len(heard) >= 3 {
					return []byte("?"), len(heard)
				}
				if len(heard) < 3 {
					return nil, 0
				}
				return []byte("ABC"), 3
			},
		})
		h := plugged(t, r.Device)
		h.order(0x21, setLineCoding, 0, 0, []byte{0x00, 0xc2, 0x01, 0x00, 2, 1, 7})
		h.order(0x21, setControlLines, 3, 0, nil)
		if got, want := r.Line(), (Line{Baud: 115200, Bits: 7, Stop: 2, Odd: 1, Ready: true}); got != want {
			t.Errorf("line %+v, want %+v", got, want)
		}
		if g := h.request(0xa1, getLineCoding, 0, 0, 7); string(g.data) != "\x00\xc2\x01\x00\x02\x01\x07" {
			t.Errorf("line coding % x", g.data)
		}
		if g := h.order(0x21, setLineCoding, 0, 0, []byte{1}); g.status != stalled {
			t.Errorf("half a line coding: status %d", g.status)
		}
		r.Show("AB", "CD")
		if g := h.read(readerIn, 512); string(g.data) != "AB\rCD\r" {
			t.Errorf("a document gave %q", g.data)
		}
		for _, b := range []string{"I", "?", "?"} { // a command in pieces
			h.give(readerOut, []byte(b))
			h.answer()
		}
		if g := h.read(readerIn, 512); string(g.data) != "ABC" {
			t.Errorf("a command gave %q", g.data)
		}
		r.Say([]byte("raw"))
		if g := h.read(readerIn, 512); string(g.data) != "raw" {
			t.Errorf("raw bytes came as %q", g.data)
		}
	})
}

// TestReaderBounds sends more than a reader listens to; what it claims to have
// dealt with is not believed.
func TestReaderBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		longest := 0
		used := 0
		r := NewReader(someone, ReaderSpec{Answer: func(heard []byte) ([]byte, int) {
			longest = max(longest, len(heard))
			return nil, used
		}})
		h := plugged(t, r.Device)
		for _, used = range []int{0, 0, 0, -5, 1 << 20} {
			h.give(readerOut, make([]byte, 3000))
			h.answer()
		}
		if want := maxHeard + 3000; longest != want {
			t.Errorf("it was given up to %d bytes, want %d", longest, want)
		}
	})
}

// TestPrinter asks for its name and state, prints, and reads its answer back.
func TestPrinter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPrinter(someone, "MDL:Thing;", func(sent []byte) []byte {
			if bytes.HasPrefix(sent, []byte{0x10, 0x04}) {
				return []byte{0x12}
			}
			return nil
		})
		h := plugged(t, p.Device)
		if g := h.request(0xa1, getDeviceID, 0, 0, 1000); string(g.data) != "\x00\x0cMDL:Thing;" {
			t.Errorf("device identifier %q", g.data)
		}
		if g := h.request(0xa1, getPortStatus, 0, 0, 1); string(g.data) != "\x18" {
			t.Errorf("port status % x, want 18", g.data)
		}
		p.SetStatus(PrinterPaperOut | PrinterSelected)
		if g := h.request(0xa1, getPortStatus, 0, 0, 1); string(g.data) != "\x30" {
			t.Errorf("port status % x, want 30", g.data)
		}
		h.give(PrinterOut, []byte("slip"))
		h.answer()
		h.give(PrinterOut, []byte{0x10, 0x04, 1})
		h.answer()
		if g := h.read(PrinterIn, 64); string(g.data) != "\x12" {
			t.Errorf("the printer answers % x", g.data)
		}
		h.order(0x21, softReset, 0, 0, nil)
		if g := h.order(0x21, 9, 0, 0, nil); g.status != stalled {
			t.Errorf("a request it has not: status %d", g.status)
		}
		if got, full := p.Printed(); string(got) != "slip\x10\x04\x01" || full {
			t.Errorf("printed %q, more %v", got, full)
		}
		p.Say([]byte("paper"))
		if g := h.read(PrinterIn, 64); string(g.data) != "paper" {
			t.Errorf("unasked it says %q", g.data)
		}
		if got, _ := p.Printed(); len(got) != 0 || p.Resets() != 1 {
			t.Errorf("again %q, %d resets", got, p.Resets())
		}
	})
}

// TestPaperEnds prints more than a printer keeps.
func TestPaperEnds(t *testing.T) {
	t.Parallel()
	p := NewPrinter(someone, "", nil)
	for range maxPrinted/maxTransfer + 1 {
		p.out(PrinterOut, make([]byte, maxTransfer))
	}
	if got, full := p.Printed(); len(got) != maxPrinted || !full {
		t.Errorf("%d bytes kept, more %v; want %d, true", len(got), full, maxPrinted)
	}
}
