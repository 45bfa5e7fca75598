package lds

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Name{
		"VALE<<ROBIN":             {"VALE", "ROBIN"},
		"DE<LA<CRUZ<<ANA<MARÍA":   {"DE LA CRUZ", "ANA MARÍA"},
		"VALE<<":                  {"VALE", ""},
		"<<ROBIN":                 {"", "ROBIN"},
		"Vale, Robin":             {"Vale, Robin", ""},
		"VALE<<ROBIN<<JAMES<<<<<": {"VALE", "ROBIN JAMES"},
		"<<<<":                    {"", ""},
		"":                        {"", ""},
		"VALE\u202e<<\u0000ROBIN": {"VALE\ufffd", "\ufffdROBIN"},
	} {
		if got, ok := name([]byte(in)); got != want || !ok {
			t.Errorf("%q is %+v, want %+v", in, got, want)
		}
	}
	if got, ok := name(bytes.Repeat([]byte("V"), MaxText+1)); ok {
		t.Errorf("a name of %d bytes is read", len(got.Surname))
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"1 High Street<Zenith<UTO": {"1 High Street", "Zenith", "UTO"},
		"<< 1 High Street < <":     {"1 High Street"},
		"Zenith":                   {"Zenith"},
		"1 High\nStreet\r\n<UTO":   {"1 High Street", "UTO"},
		"":                         nil,
	} {
		if got, ok := lines([]byte(in)); !slices.Equal(got, want) || !ok {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// Text keeps to its bound also where each byte becomes a sign of its own.
func TestBoundOfText(t *testing.T) {
	t.Parallel()
	if got, ok := text(bytes.Repeat([]byte{0xe2}, MaxText)); !ok || len([]rune(got)) != MaxText {
		t.Errorf("%d characters of Latin-1, %t", len([]rune(got)), ok)
	}
	if got, ok := text(make([]byte, MaxText+1)); ok || got != "" {
		t.Errorf("%d bytes are read", len(got))
	}
}

// Objects are read with lengths of every form that a chip writes, and with no other.
func TestObjects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, value, rest string
		tag             tag
	}{
		"one-byte":          {"\x61\x02abc", "ab", "c", 0x61},
		"none":              {"\x61\x00", "", "", 0x61},
		"two-bytes-of-tag":  {"\x5f\x1f\x01a", "a", "", 0x5f1f},
		"length/81":         {"\x61\x81\x01a", "a", "", 0x61},
		"length/82":         {"\x61\x82\x00\x01a", "a", "", 0x61},
		"length/83":         {"\x61\x83\x00\x00\x01a", "a", "", 0x61},
		"length/84":         {"\x61\x84\x00\x00\x00\x01a", "a", "", 0x61},
		"length/85":         {in: "\x61\x85\x00\x00\x00\x00\x01a"},
		"length/ff":         {in: "\x61\xff"},
		"length/cut-off":    {in: "\x61\x82\x00"},
		"length/indefinite": {in: "\x61\x80\x00\x00"},
		"length/beyond":     {in: "\x61\x03ab"},
		"length/huge":       {in: "\x61\x84\xff\xff\xff\xff"},
		"tag/only":          {in: "\x61"},
		"tag/half":          {in: "\x5f"},
		"tag/two-only":      {in: "\x5f\x1f"},
		"tag/three":         {in: "\x5f\x81\x01\x00"},
		"empty":             {in: ""},
	} {
		got, value, rest, ok := next([]byte(c.in))
		if got != c.tag || string(value) != c.value || string(rest) != c.rest || ok != (c.tag != 0) {
			t.Errorf("%s: got %04X %q and %q, %t", name, uint16(got), value, rest, ok)
		}
	}
}

// What is written is read again, at every length where the form changes.
func TestWrites(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, MaxFile} {
		for _, kind := range []tag{0x61, 0x5f1f} {
			got, value, rest, ok := next(write(kind, make([]byte, n)))
			if got != kind || len(value) != n || len(rest) > 0 || !ok {
				t.Errorf("%04X with %d bytes comes back as %04X with %d, %t", uint16(kind), n, uint16(got), len(value), ok)
			}
		}
	}
}

// Zeros behind the last object are filling; anything else is an object or wrong.
func TestFilling(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"": 0, "\x61\x00\x00\x00\x00": 1, "\x00\x00": 0, "\x61\x00\x00\x01\x00": 2, "\x61\x00\x00\x05": -1} {
		all, ok := list([]byte(in))
		if ok != (want >= 0) || ok && len(all) != want {
			t.Errorf("%X: %d objects, %t; want %d", in, len(all), ok, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"\x00": 0, "\x01": 1, "\x01\x00": 256, "\x00\x00\x02\x13": 531, "": -1, "\x00\x00\x00\x00\x01": -1} {
		if got, ok := number([]byte(in)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%X is %d, %t; want %d", in, got, ok, want)
		}
	}
	for n, want := range map[int]string{0: "\x00", 127: "\x7f", 128: "\x00\x80", 413: "\x01\x9d", 0xffff: "\x00\xff\xff"} {
		if got := whole(n); string(got) != want {
			t.Errorf("%d is written as %X, want %X", n, got, want)
		}
	}
}

// The list of tags in DG11 and DG12 names the fields that follow, and no others.
func TestListsOfTags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":  {BuildDG11(Personal{}), "\x6b\x02\x5c\x00"},
		"a-place":  {BuildDG11(Personal{BirthPlace: []string{"A", "B"}}), "\x6b\x0a\x5c\x02\x5f\x11\x5f\x11\x03A<B"},
		"a-date":   {BuildDG12(Issue{Date: proof.Date{Year: 2020, Month: 1}}), "\x6c\x0f\x5c\x02\x5f\x26\x5f\x26\x0820200100"},
		"a-name":   {BuildDG11(Personal{Name: Name{"DE VALE", "R"}}), "\x6b\x11\x5c\x02\x5f\x0e\x5f\x0e\x0aDE<VALE<<R"},
		"no-group": {BuildCOM(), "\x60\x12\x5f\x01\x040107\x5f\x36\x06040000\x5c\x00"},
	} {
		if string(c.file) != c.want {
			t.Errorf("%s: got %q, want %q", name, c.file, c.want)
		}
	}
}

// No error repeats anything that stands in a file.
func TestErrorsSayNothing(t *testing.T) {
	t.Parallel()
	const secret = "VALE<<ROBIN"
	hostile := [][]byte{[]byte(secret), write(0x61, []byte(secret)), write(0x61, write(0x5f1f, []byte(secret))), write(0x75, write(0x7f61, []byte(secret)))}
	for _, b := range hostile {
		_, first := MRZ(b)
		_, second := Face(b)
		_, third := ParsePersonal(b)
		for _, err := range []error{first, second, third} {
			if err == nil || strings.Contains(err.Error(), "VALE") {
				t.Errorf("%q: %v", b, err)
			}
		}
	}
}
