package specimen

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/font/gofont/goregular"
)

func TestSpellOutFlex(t *testing.T) {
	t.Parallel()
	num := func(vs ...int) []byte {
		out := make([]byte, len(vs))
		for i, v := range vs {
			out[i] = byte(v + 139)
		}
		return out
	}
	flex := []byte{opEscape, opFlex1}
	tests := []struct {
		name string
		code []byte
		want []byte
	}{
		{"level/the last is across", append(num(9, 0, 9, -1, 8, 0, 4, 0, 4, 0, 4), flex...), append(num(9, 0, 9, -1, 8, 0, 4, 0, 4, 0, 4, 1), opRRCurveTo)},
		{"upright/the last is down", append(num(-9, -9, -4, -14, 0, -13, 0, -13, 4, -14, -9), flex...), append(num(-9, -9, -4, -14, 0, -13, 0, -13, 4, -14, 9, -9), opRRCurveTo)},
		{"too wide for a byte", append(num(0, 50, 100, 50, 100, 50, 0, 50, 0, 50, 4), flex...), nil},
		{"too few operands", append(num(1, 2, 3), flex...), nil},
		{"after a hint mask", slices.Concat(num(1, 2), []byte{opHStemHM}, num(3, 4), []byte{opHintMask, 0x25}, num(9, 0, 9, -1, 8, 0, 4, 0, 4, 0, 4), flex),
			slices.Concat(num(1, 2), []byte{opHStemHM}, num(3, 4), []byte{opHintMask, 0x25}, num(9, 0, 9, -1, 8, 0, 4, 0, 4, 0, 4, 1), []byte{opRRCurveTo})},
		{"long last operand", slices.Concat(num(9, 0, 9, 0, 8, 0, 4, 0, 4, 0), []byte{opShort, 0, 4}, flex), nil},
	}
	for _, test := range tests {
		got := slices.Clone(test.code)
		patchGlyph(got)
		want := test.want
		if want == nil {
			want = test.code
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", test.name, got, want)
		}
	}
}

func TestOperands(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code  []byte
		value int
		n     int
	}{
		{[]byte{139}, 0, 1}, {[]byte{32}, -107, 1}, {[]byte{246}, 107, 1}, {[]byte{247, 0}, 108, 2}, {[]byte{250, 255}, 1131, 2},
		{[]byte{251, 0}, -108, 2}, {[]byte{254, 255}, -1131, 2}, {[]byte{28, 0xff, 0xfe}, -2, 3}, {[]byte{255, 0, 1, 0, 0}, 0, 5},
		{[]byte{247}, 0, 1}, {[]byte{28, 1}, 0, 1},
	} {
		if v, n := operand(test.code); v != test.value || n != test.n {
			t.Errorf("%v: got %d in %d bytes, want %d in %d", test.code, v, n, test.value, test.n)
		}
	}
}

func TestFontsWithoutCFFStayAsTheyAre(t *testing.T) {
	t.Parallel()
	out, err := spellOutFlex(goregular.TTF)
	if err != nil || !slices.Equal(out, goregular.TTF) {
		t.Errorf("a TrueType font was changed or refused: %v", err)
	}
	// It has every character of a zone, so it may stand in for OCR-B in a test.
	if _, err := parseZoneFont(goregular.TTF); err != nil {
		t.Errorf("parsing: %v", err)
	}
}

func TestFontErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.otf")
	if err := os.WriteFile(junk, []byte("not a font at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Page(Options{Font: junk}); err == nil || errors.Is(err, ErrNoFont) {
		t.Errorf("a file that is no font: got %v", err)
	}
	if _, err := Page(Options{Font: filepath.Join(dir, "none.otf")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a path that does not exist: got %v", err)
	}
}

func TestFindInPrefersTheBestName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got := findIn(dir); got != "" {
		t.Errorf("found %q in an empty folder", got)
	}
	if got := findIn(filepath.Join(dir, "missing")); got != "" {
		t.Errorf("found %q in a folder that does not exist", got)
	}
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "OCRBE.otf"), filepath.Join(deep, "OCRB.otf"), filepath.Join(deep, "other.otf")} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := findIn(dir); got != filepath.Join(deep, "OCRB.otf") {
		t.Errorf("found %q", got)
	}
}

// cffFont is a font file with one glyph in a CFF table.
func cffFont(glyph []byte) []byte {
	index := func(items ...[]byte) []byte {
		if len(items) == 0 {
			return []byte{0, 0}
		}
		out := []byte{0, byte(len(items)), 1, 1}
		at := 1
		for _, it := range items {
			at += len(it)
			out = append(out, byte(at))
		}
		return append(out, slices.Concat(items...)...)
	}
	head, names := []byte{1, 0, 4, 1}, index([]byte("A"))
	top := func(at int) []byte { return index([]byte{29, 0, 0, 0, byte(at), 17}) }
	at := len(head) + len(names) + len(top(0)) + 4
	cff := slices.Concat(head, names, top(at), index(), index(), index(glyph))
	font := append([]byte("OTTO"), 0, 1, 0, 0, 0, 0, 0, 0)
	font = append(font, "CFF "...)
	font = binary.BigEndian.AppendUint32(font, 0)
	font = binary.BigEndian.AppendUint32(font, 28)
	font = binary.BigEndian.AppendUint32(font, uint32(len(cff)))
	return append(font, cff...)
}

func TestFlexIsFoundInAFontFile(t *testing.T) {
	t.Parallel()
	glyph := []byte{148, 139, 148, 138, 147, 139, 143, 139, 143, 139, 143, opEscape, opFlex1, 14}
	out, err := spellOutFlex(cffFont(glyph))
	if err != nil {
		t.Fatal(err)
	}
	tail := out[len(out)-len(glyph):]
	if tail[11] != 140 || tail[12] != opRRCurveTo {
		t.Errorf("the glyph is %v", tail)
	}
}

func FuzzSpellOutFlex(f *testing.F) {
	f.Add(cffFont([]byte{148, 139, 148, 138, 147, 139, 143, 139, 143, 139, 143, opEscape, opFlex1, 14}))
	f.Add(cffFont(nil))
	f.Add([]byte("OTTO\x00\x01\x00\x00\x00\x00\x00\x00CFF \x00\x00\x00\x00\x00\x00\x00\x1c\xff\xff\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, font []byte) {
		before := slices.Clone(font)
		out, err := spellOutFlex(font)
		if err == nil && len(out) != len(font) {
			t.Fatalf("%d bytes became %d", len(font), len(out))
		}
		if !slices.Equal(before, font) {
			t.Fatal("the caller's font was changed")
		}
	})
}

func TestDamagedFontsAreRefused(t *testing.T) {
	t.Parallel()
	good := cffFont([]byte{14})
	with := func(change func(b []byte)) []byte {
		b := slices.Clone(good)
		change(b)
		return b
	}
	for name, font := range map[string][]byte{
		"empty":                     nil,
		"a directory that is cut":   good[:20],
		"a table past the end":      with(func(b []byte) { binary.BigEndian.PutUint32(b[24:], 1<<31) }),
		"a table that starts there": with(func(b []byte) { binary.BigEndian.PutUint32(b[20:], 1<<31) }),
		"a table cut to nothing":    with(func(b []byte) { binary.BigEndian.PutUint32(b[24:], 2) }),
		"names past the end":        with(func(b []byte) { b[28+2] = 250 }),
		"an index of no width":      with(func(b []byte) { b[28+4+2] = 0 }),
		"an index that runs back":   with(func(b []byte) { b[28+4+3] = 9 }),
		"glyphs past the end":       with(func(b []byte) { b[28+4+6+5+4] = 200 }),
	} {
		if _, err := spellOutFlex(font); !errors.Is(err, errFont) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := spellOutFlex(good); err != nil {
		t.Errorf("the font that these are made of: %v", err)
	}
}

func TestCharStringsOffset(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dict []byte
		want int
	}{
		"long number":           {[]byte{29, 0, 0, 4, 0, 17}, 1024},
		"short number":          {[]byte{28, 1, 2, 17}, 258},
		"after other operators": {[]byte{139, 5, 140, 12, 3, 28, 0, 9, 17}, 9},
		"after a real number":   {[]byte{30, 0xe2, 0xa2, 0x5f, 15, 140, 17}, 1},
		"none":                  {[]byte{139, 5}, -1},
		"cut":                   {[]byte{29, 0, 0}, -1},
		"endless real":          {[]byte{30, 0x11, 0x11}, -1},
	} {
		if got := charStringsOffset(test.dict); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}
