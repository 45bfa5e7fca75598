package framing

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fitting are settings without which a framing does not open.
func fitting(name string) Settings {
	s := Settings{Sent: []byte{0x10, 4, 1}}
	if name == HIDPOS {
		l := layoutAIM5
		s.Layout = &l
	}
	return s
}

func TestNamesOpen(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		d, err := New(name, fitting(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := d.Feed(nil); got != nil || d.Pending() || d.Expire() != nil {
			t.Errorf("%s: nothing gives %v, pending %t", name, got, d.Pending())
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	outside := layoutAIM5
	outside.Max = 60
	for rule, c := range map[string]struct {
		name string
		set  Settings
	}{
		"unknown-name":           {"telepathy", Settings{}},
		"limit/below-0":          {Elyctis, Settings{MaxBytes: -1}},
		"limit/too-large":        {CUTE, Settings{MaxBytes: 1 << 16}},
		"content":                {CRLF, Settings{Content: "poem"}},
		"span/length":            {RTE, Settings{Length: "all"}},
		"span/check":             {RTE, Settings{Check: "all"}},
		"layout/missing":         {HIDPOS, Settings{}},
		"layout/outside":         {HIDPOSAIM5, Settings{Layout: &outside}},
		"status/nothing-sent":    {Status, Settings{}},
		"status/other-command":   {Status, Settings{Sent: []byte{0x1b, '@'}}},
		"status/no-number":       {Status, Settings{Sent: []byte{0x10, 4}}},
		"status/unknown-number":  {Status, Settings{Sent: []byte{0x10, 4, 7}}},
		"status/second-is-wrong": {Status, Settings{Sent: []byte{0x10, 4, 1, 0x10}}},
	} {
		if d, err := New(c.name, c.set); err == nil || d != nil || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v, %v", rule, d, err)
		}
	}
}

func TestLayoutValid(t *testing.T) {
	t.Parallel()
	for rule, change := range map[string]func(*HIDLayout){
		"length-outside":     func(l *HIDLayout) { l.Length = 64 },
		"length-below-0":     func(l *HIDLayout) { l.Length = -1 },
		"data-outside":       func(l *HIDLayout) { l.Data = 64 },
		"content-outside":    func(l *HIDLayout) { l.Max = 60 },
		"no-content":         func(l *HIDLayout) { l.Max = 0 },
		"more-outside":       func(l *HIDLayout) { l.More = 64 },
		"symbology-outside":  func(l *HIDLayout) { l.Symbology = []int{2, 3, 64} },
		"symbology-below-0":  func(l *HIDLayout) { l.Symbology = []int{-1} },
		"symbology-too-many": func(l *HIDLayout) { l.Symbology = []int{2, 3, 4, 5} },
		"no-size":            func(l *HIDLayout) { l.Size = 0 },
		"too-large":          func(l *HIDLayout) { l.Size = 1 << 20 },
	} {
		l := layoutAIM5
		if !l.Valid() {
			t.Fatal("the layout to change is not valid")
		}
		change(&l)
		if l.Valid() {
			t.Errorf("%s is valid", rule)
		}
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, command, data, want string
	}{
		{Elyctis, Inquire, "", "I\x00\x00"},
		{Elyctis, InquireLine, "", "L\x00\x00"},
		{Elyctis, Arm, "", "C\x00\x01\x01"},
		{Elyctis, Disarm, "", "C\x00\x01\x00"},
		{HoneywellOCR, Trigger, "", "\x16T\r"},
		{Honeywell, Untrigger, "", "\x16U\r"},
		{Honeywell, Menu, "CBRENA?.", "\x16M\rCBRENA?."},
		{HoneywellHID, Trigger, "", "\xfd\x03\x16T\r"},
		{HoneywellHID, Menu, "REVINF.", "\xfd\x0f\x16M\rREVINF."},
		{Status, Query, "\x01\x04", "\x10\x04\x01\x10\x04\x04"},
	} {
		got, err := Command(c.name, c.command, []byte(c.data)...)
		if err != nil || string(got) != c.want {
			t.Errorf("%s %s: got %q (%v), want %q", c.name, c.command, got, err, c.want)
		}
	}
	for _, c := range []struct{ name, command, data string }{
		{Elyctis, Trigger, ""}, {CUTE, Inquire, ""}, {Honeywell, Menu, ""}, {Status, Query, ""}, {Status, Query, "\x09"}, {Status, Menu, "\x01"},
		{HoneywellHID, Menu, strings.Repeat("x", 60)}, {"telepathy", Inquire, ""},
	} {
		if got, err := Command(c.name, c.command, []byte(c.data)...); err == nil || got != nil {
			t.Errorf("%s %s %q gives %q", c.name, c.command, c.data, got)
		}
	}
	if _, err := Encode(HoneywellHID, nil); err == nil {
		t.Error("a command of nothing is sent")
	}
}

// TestRawIsKept: the frame's content is there as it came.
func TestRawIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, frame, raw string }{
		{Elyctis, "I\x00\x06AB\r\nC\r", "AB\r\nC\r"},
		{RTE, "\x01\x00\x00OU\x020\rAB_\rC_\r\x03", "0\rAB_\rC_\r"},
		{STXETX, "\x02AB\rC\x03", "AB\rC"},
	} {
		d, err := New(c.name, Settings{Content: HoldsMRZ})
		if err != nil {
			t.Fatal(err)
		}
		got := d.Feed([]byte(c.frame))
		m, ok := got[0].(MRZ)
		if !ok || string(m.Raw) != c.raw || !slices.Equal(m.Lines, []string{"AB", "C"}) {
			t.Errorf("%s: %#v", c.name, got)
		}
	}
}

// TestFramesAreTheirOwn: a frame does not change when the next bytes come.
func TestFramesAreTheirOwn(t *testing.T) {
	t.Parallel()
	d, err := New(STXETX, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	first := d.Feed([]byte("\x02first\x03"))
	d.Feed([]byte("\x02other\x03"))
	if b, ok := first[0].(Barcode); !ok || string(b.Bytes) != "first" {
		t.Errorf("the first frame became %q", first)
	}
}

// TestErrorsHoldNumbersOnly: nothing that was read can get into a log.
func TestErrorsHoldNumbersOnly(t *testing.T) {
	t.Parallel()
	kind := reflect.TypeFor[Error]()
	for i := range kind.NumField() {
		if f := kind.Field(i); f.Name != "Code" && f.Type.Kind() != reflect.Int {
			t.Errorf("an Error holds %s as %s", f.Name, f.Type)
		}
	}
	if got, want := (Error{Code: BadCharacter, Skipped: 2}).Error(), "bad_character offset=0 skipped=2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// held is how many bytes a decoder keeps.
func held(d Decoder) int {
	switch d := d.(type) {
	case *elyctis:
		return len(d.in)
	case *rte:
		return len(d.in)
	case *block:
		return len(d.in)
	case *lines:
		n := len(d.in)
		for _, l := range d.zone {
			n += len(l)
		}
		return n
	case *reports:
		return len(d.code)
	case *menu:
		return len(d.in)
	}
	return 0
}

// TestHeldIsBounded: floods of every byte, and of begun frames, leave no more
// than the limit and one frame's surroundings.
func TestHeldIsBounded(t *testing.T) {
	t.Parallel()
	begun := [][]byte{[]byte("I\x04\x00"), []byte("\x01\x00\x00OU\x02"), {stx}, []byte("ABC"), append([]byte{2, 56}, make([]byte, 62)...)}
	begun[4][63] = 1
	for b := range 256 {
		begun = append(begun, []byte{byte(b)})
	}
	for _, name := range Names() {
		for _, flood := range begun {
			s := fitting(name)
			s.MaxBytes = 100
			d, err := New(name, s)
			if err != nil {
				t.Fatal(err)
			}
			read := bytes.Repeat(flood, 4)
			if ByReport(name) {
				read = append(bytes.Clone(flood), make([]byte, max(0, 64-len(flood)))...)
			}
			for range 200 {
				d.Feed(read)
				if n := held(d); n > 200+len(read) {
					t.Fatalf("%s: %d bytes are held under a flood of %q", name, n, flood)
				}
			}
		}
	}
}
