package framing

import (
	"bufio"
	_ "embed"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

//go:embed testdata/descriptors.txt
var descriptorsText string

// descriptorCase is one case of testdata/descriptors.txt.
type descriptorCase struct {
	rule string
	raw  []byte
	want string
}

// descriptorCases reads the cases: "== rule", hex lines with comments behind #,
// and "want".
func descriptorCases(t testing.TB) []descriptorCase {
	t.Helper()
	var out []descriptorCase
	for s := bufio.NewScanner(strings.NewReader(descriptorsText)); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		line = strings.TrimSpace(line)
		if rule, ok := strings.CutPrefix(line, "== "); ok {
			out = append(out, descriptorCase{rule: rule})
			continue
		}
		if line == "" {
			continue
		}
		c := &out[len(out)-1]
		if want, ok := strings.CutPrefix(line, "want "); ok {
			c.want = want
			continue
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", c.rule, err)
		}
		c.raw = append(c.raw, raw...)
	}
	return out
}

// showLayout writes a layout as testdata does.
func showLayout(l HIDLayout) string {
	return fmt.Sprintf("report=%d size=%d length=%d symbology=%v data=%d+%d more=%d/%#x",
		l.ReportID, l.Size, l.Length, l.Symbology, l.Data, l.Max, l.More, l.MoreMask)
}

func TestParseReportDescriptor(t *testing.T) {
	t.Parallel()
	for _, c := range descriptorCases(t) {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			l, err := ParseReportDescriptor(c.raw)
			got := showLayout(l)
			if err != nil {
				got = "error " + err.Error()
			}
			if says, ok := strings.CutPrefix(c.want, "error "); ok && err != nil && strings.Contains(err.Error(), says) {
				return
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestDescriptorIsAsNamed: the scanner's own descriptor gives the layout that
// is known under a name, and what it sends is read with it.
func TestDescriptorIsAsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range descriptorCases(t) {
		if c.rule != "aim5" {
			continue
		}
		l, err := ParseReportDescriptor(c.raw)
		if err != nil || !reflect.DeepEqual(l, layoutAIM5) {
			t.Fatalf("%+v (%v), want %+v", l, err, layoutAIM5)
		}
		d, err := New(HIDPOS, Settings{Layout: &l})
		if err != nil {
			t.Fatal(err)
		}
		report := append([]byte("\x02\x02]Q0AB"), make([]byte, 57)...)
		if got := d.Feed(report); len(got) != 1 || show(got[0]) != `barcode "AB" ]Q0` {
			t.Errorf("got %v", got)
		}
		return
	}
	t.Error("there is no case aim5")
}

// TestDescriptorCut: a descriptor that ends early gives an error or a layout
// within its report, at every byte.
func TestDescriptorCut(t *testing.T) {
	t.Parallel()
	for _, c := range descriptorCases(t) {
		for n := range c.raw {
			if l, err := ParseReportDescriptor(c.raw[:n]); err == nil && !l.Valid() {
				t.Errorf("%s cut at %d: %+v", c.rule, n, l)
			}
		}
	}
	if _, err := ParseReportDescriptor(make([]byte, maxDescriptor+1)); err == nil {
		t.Error("a descriptor above 64 KiB is read")
	}
}
