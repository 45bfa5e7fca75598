package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"
)

// packets reads a capture back: the heads of usbmon and what follows each.
func packets(tb testing.TB, b []byte) (heads, bodies [][]byte) {
	tb.Helper()
	if len(b) < 24 || binary.LittleEndian.Uint32(b) != pcapMagic || binary.LittleEndian.Uint32(b[20:]) != linkUSB {
		tb.Fatalf("the file's head is % x", b[:min(24, len(b))])
	}
	for b = b[24:]; len(b) > 0; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		if n != int(binary.LittleEndian.Uint32(b[12:])) || len(b) < 16+n || n < headSize {
			tb.Fatalf("a packet of %d bytes", n)
		}
		heads, bodies = append(heads, b[16:16+headSize]), append(bodies, b[16+headSize:16+n])
		b = b[16+n:]
	}
	return heads, bodies
}

func TestCapture(t *testing.T) {
	t.Parallel()
	rec, err := Parse(strings.NewReader(samples(t)["testdata/reader.jsonl"]))
	if err != nil {
		t.Fatal(err)
	}
	var to bytes.Buffer
	if err := rec.Capture(&to, Wire{Bus: 1, Address: 4, In: 0x82, Out: 0x01, Packet: 16}); err != nil {
		t.Fatal(err)
	}
	heads, bodies := packets(t, to.Bytes())
	var story []string
	for i, h := range heads {
		story = append(story, string(h[8])+" "+string(bodies[i]))
		if h[9] != byte(Bulk) || h[11] != 4 || binary.LittleEndian.Uint16(h[12:]) != 1 || h[14] != setupAbsent {
			t.Errorf("packet %d has the head % x", i, h)
		}
		if want := len(bodies[i]); int(binary.LittleEndian.Uint32(h[36:])) != want || (h[15] == 0) != (want > 0) {
			t.Errorf("packet %d says that it has %d bytes, want %d", i, h[36], want)
		}
	}
	want := []string{
		"S I\x00\x00", "C ", "S ", "C I\x00Z", "S ", "C P<UTOERIKSSON<<A", "S ", "C NNA<MARIA",
		"S C\x00\x01\x01", "C ", "S ", "C C\x00\x01\x01",
	}
	if strings.Join(story, "|") != strings.Join(want, "|") {
		t.Errorf("got %q\nwant %q", story, want)
	}
	first, answer := heads[0], heads[3]
	if first[10] != 0x01 || answer[10] != 0x82 || int32(binary.LittleEndian.Uint32(first[28:])) != inProgress {
		t.Errorf("the first packets are % x and % x", first, answer)
	}
	if asked := binary.LittleEndian.Uint32(heads[2][32:]); asked != 16 {
		t.Errorf("it asks for %d bytes, want a packet", asked)
	}
	if micro := binary.LittleEndian.Uint32(answer[24:]); micro != 31200 {
		t.Errorf("the answer came at %d us", micro)
	}
}

func TestCaptureRedacted(t *testing.T) {
	t.Parallel()
	rec, err := Parse(strings.NewReader(samples(t)["testdata/redacted.jsonl"]))
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Capture(&bytes.Buffer{}, Wire{}); !errors.Is(err, errRedacted) {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestCaptureControl(t *testing.T) {
	t.Parallel()
	var to bytes.Buffer
	setup := [8]byte{0xa1, 0, 0, 0, 0, 0, 0, 4}
	err := WriteCapture(&to, Wire{Bus: 2, Address: 9}, []Transfer{
		{At: 61 * time.Second, Kind: Control, Endpoint: 0x80, Setup: setup, Asked: 1024, Data: []byte("\x00\x05MFG")},
		{At: 62 * time.Second, Kind: Interrupt, Endpoint: 0x81, Asked: 64, Status: -32},
	})
	if err != nil {
		t.Fatal(err)
	}
	heads, bodies := packets(t, to.Bytes())
	if heads[0][14] != setupPresent || !bytes.Equal(heads[0][40:48], setup[:]) || binary.LittleEndian.Uint32(heads[0][32:]) != 1024 {
		t.Errorf("the question is % x", heads[0])
	}
	if string(bodies[1]) != "\x00\x05MFG" || heads[1][14] != setupAbsent || binary.LittleEndian.Uint64(heads[1][16:]) != 61 {
		t.Errorf("the answer is % x %q", heads[1], bodies[1])
	}
	if got := int32(binary.LittleEndian.Uint32(heads[3][28:])); got != -32 {
		t.Errorf("a stall has the state %d", got)
	}
	for left := range 3 {
		if err := WriteCapture(&full{left: left}, Wire{}, make([]Transfer, 1)); err == nil {
			t.Errorf("nobody is told that packet %d was not written", left)
		}
	}
}
