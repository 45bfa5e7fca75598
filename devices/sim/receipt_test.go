package sim

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReceipt(t *testing.T) {
	t.Parallel()
	centred := strings.Repeat(" ", 19)
	right := strings.Repeat(" ", 38)
	cut := strings.TrimSpace(strings.Repeat("- ", 21)) + "\n"
	tests := map[string]struct{ job, want string }{
		"empty":                 {"", ""},
		"lines":                 {"one\ntwo\n", "one\ntwo\n"},
		"last-line-without-end": {"one\ntwo", "one\ntwo\n"},
		"initialise":            {"\x1b@one\n", "one\n"},
		"initialise/left-again": {"\x1ba\x01\x1b@one\n", "one\n"},
		"centre":                {"\x1ba\x01four\n\x1ba\x00left\n", centred + "four\nleft\n"},
		"centre/as-a-digit":     {"\x1ba1four\n", centred + "four\n"},
		"right":                 {"\x1ba\x02four\n", right + "four\n"},
		"centre/too-long":       {"\x1ba\x01" + strings.Repeat("x", 50) + "\n", strings.Repeat("x", 50) + "\n"},
		"centre/empty-line":     {"\x1ba\x01\n", "\n"},
		"code-page":             {"\x1bt\x10caf\xe9 \x80 5 \x93q\x94\n", "café € 5 “q”\n"},
		"code-page/undefined":   {"a\x81b\n", "a b\n"},
		"size":                  {"\x1d!\x11BIG\n", "BIG\n"},
		"bold-and-line":         {"\x1bE\x01bold\x1bE\x00 \x1b-\x01line\n", "bold line\n"},
		"feed":                  {"one\x1bd\x03two\n", "one\n\n\ntwo\n"},
		"feed/none":             {"one\x1bd\x00two\n", "one\ntwo\n"},
		"tab":                   {"a\tb\n", "a b\n"},
		"tab-stops":             {"\x1bD\x08\x10\x00a\n", "a\n"},
		"control-characters":    {"a\x00\x07\r\x7fb\n", "ab\n"},
		"cut":                   {"one\n\x1dVB\x00", "one\n" + cut},
		"cut/short-form":        {"one\n\x1dV\x00two\n", "one\n" + cut + "two\n"},
		"cut/ends-the-line":     {"one\x1dV\x01", "one\n" + cut},
		"barcode/zero-ended":    {"\x1dk\x04ABC\x00after\n", "[barcode]\nafter\n"},
		"barcode/counted":       {"\x1dkI\x03ABCafter\n", "[barcode]\nafter\n"},
		"code/stored":           {"\x1d(k\x05\x001P0abafter\n", "after\n"},
		"code/printed":          {"\x1d(k\x03\x001Q0after\n", "[code]\nafter\n"},
		"raster":                {"\x1dv0\x00\x02\x00\x03\x00ABCDEFafter\n", "[picture]\nafter\n"},
		"columns/8-dots":        {"\x1b*\x00\x02\x00ABafter\n", "[picture]\nafter\n"},
		"columns/24-dots":       {"\x1b*\x21\x02\x00ABCDEFafter\n", "[picture]\nafter\n"},
		"drawer":                {"\x1bp\x00\x19\xfaafter\n", "after\n"},
		"status":                {"\x10\x04\x01after\n", "after\n"},
		"two-operands":          {"\x1d\x57\x40\x02after\n", "after\n"},
		"kanji":                 {"\x1c!\x00\x1c.after\n", "after\n"},
		"unknown":               {"\x1b\x99after\n", "after\n"},
		"cut-off/esc":           {"one\n\x1b", "one\n"},
		"cut-off/operand":       {"one\n\x1ba", "one\n"},
		"cut-off/extended":      {"one\n\x1d(k\xff", "one\n"},
		"cut-off/raster":        {"one\n\x1dv0\x00\xff\xff\xff\xff", "one\n[picture]\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(receipt([]byte(tt.job))); got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestWindows1252(t *testing.T) {
	t.Parallel()
	if got := utf8.RuneCountInString(windows1252); got != 32 {
		t.Errorf("the code page has %d characters from 80 to 9F, want 32", got)
	}
}

// TestReceiptBounded feeds metres of paper from a few bytes.
func TestReceiptBounded(t *testing.T) {
	t.Parallel()
	feeds := strings.Repeat("\x1bd\xff", 1<<20)
	if got := len(receipt([]byte(feeds))); got > maxReceipt+256 {
		t.Errorf("three megabytes of feeds became %d bytes, want at most %d", got, maxReceipt)
	}
	line := strings.Repeat("x", 3*maxReceipt)
	if got := len(receipt([]byte(line))); got > 2*maxReceipt {
		t.Errorf("an endless line became %d bytes, want at most %d", got, 2*maxReceipt)
	}
}

func FuzzReceipt(f *testing.F) {
	for _, seed := range []string{
		"", "text\n", "\x1b@\x1bt\x10\x1ba\x01\x1d!\x11BIG\n\n\n\x1dVB\x00", "\x1dk\x04ABC\x00", "\x1d(k\x03\x001Q0",
		"\x1dv0\x00\x02\x00\x03\x00ABCDEF", "\x1b*\x21\x02\x00ABCDEF", "\x1bd\xff\x1bD\x01", "\x10\x04\x01\x1cp\x01\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, job []byte) {
		got := receipt(job)
		if !utf8.Valid(got) {
			t.Errorf("the rendering is no UTF-8")
		}
		if len(got) > 2*maxReceipt+1024 {
			t.Errorf("%d bytes became %d", len(job), len(got))
		}
		if i := strings.IndexFunc(string(got), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); i >= 0 {
			t.Errorf("a control character came through at %d", i)
		}
		if len(got) > 0 && got[len(got)-1] != '\n' {
			t.Error("the last line has no end")
		}
	})
}
