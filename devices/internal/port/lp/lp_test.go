package lp

import (
	"context"
	"strings"
	"testing"
	"unicode"

	"github.com/counterproof/counterproof/devices"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[Status][3]bool{ // paper out, selected, failed
		0x18: {false, true, false}, 0x08: {false, false, false}, 0x30: {true, true, true}, 0x38: {true, true, false}, 0x00: {false, false, true},
	} {
		if got := [3]bool{status.PaperOut(), status.Selected(), status.Failed()}; got != want {
			t.Errorf("%#02x: got %v, want %v", byte(status), got, want)
		}
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	const id = "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20;CLS:PRINTER;"
	told := func(n int, text string) string { return string([]byte{byte(n >> 8), byte(n)}) + text }
	for name, c := range map[string]struct {
		in, want string
		bad      bool
	}{
		"whole":             {told(len(id)+2, id), id, false},
		"zeros-after":       {told(len(id)+2, id+"\x00\x00garbage"), id, false},
		"zero-within":       {told(40, "MFG:A;\x00MDL:B;"), "MFG:A;", false},
		"told-too-much":     {told(60000, id), id, false},
		"low-byte-first":    {"\x2f\x00" + id, id, false},
		"told-too-little":   {told(8, id), "MFG:EP", false},
		"only-length":       {told(2, id), "", false},
		"length-excludes":   {told(1, id), "", true},
		"no-length":         {told(0, id), "", true},
		"cut":               {"\x00", "", true},
		"nothing":           {"", "", true},
		"not-text":          {told(10, "MFG:\x1b[2J\xff"), "MFG:[2J", false},
		"longer-than-bound": {told(2000, strings.Repeat("A", 1998)), strings.Repeat("A", MaxID-2), false},
	} {
		got, err := parseID([]byte(c.in))
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: got %q and %v, want %q", name, got, err, c.want)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add([]byte("\x00\x0fMFG:A;CMD:B;"))
	f.Add([]byte("\xff\xffMFG:\x1b\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseID(b)
		if len(id) > MaxID || err != nil && id != "" {
			t.Errorf("got %d bytes and %v", len(id), err)
		}
		if strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q cannot be shown", id)
		}
	})
}

func TestOpenMissing(t *testing.T) {
	t.Parallel()
	p, err := Open("no-such-printer")
	if p != nil || err == nil || !strings.Contains(err.Error(), "no-such-printer") {
		t.Errorf("got %v, want a Fault that names the node", err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	if err := cancelled(ctx, writing); err != nil {
		t.Errorf("before: got %v", err)
	}
	cancel()
	if err := cancelled(ctx, writing); devices.KindOf(err) != devices.Cancelled {
		t.Errorf("after: got %v, want cancelled", err)
	}
}
