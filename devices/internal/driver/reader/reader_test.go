package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/framing"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/sim"
)

// specimen is the zone of ICAO Doc 9303 part 4 appendix B.
var specimen = []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}

// another is the zone of the nth document that a test lays down.
func another(n int) []string {
	return []string{specimen[0], fmt.Sprintf("L%08d%s", n, specimen[1][9:])}
}

// shipped is a profile of the program, changed.
func shipped(tb testing.TB, id string, change func(*profile.Profile)) profile.Profile {
	tb.Helper()
	p, ok := profile.Embedded().Find(id)
	if !ok {
		tb.Fatalf("there is no profile %s", id)
	}
	if change != nil {
		change(&p)
	}
	return p
}

// spoken is a zone as a reader of a framing sends it.
var spoken = map[string]func(lines []string) []byte{
	framing.Elyctis: func(lines []string) []byte {
		data := strings.Join(lines, "\r")
		return append([]byte{'I', byte(len(data) >> 8), byte(len(data))}, data...)
	},
	framing.CUTE:         func(lines []string) []byte { return []byte("\x02" + strings.Join(lines, "\r") + "\r\x03") },
	framing.HoneywellOCR: func(lines []string) []byte { return []byte(strings.Join(lines, "") + "\r") },
}

// zones opens a reader on a simulated line.
func zones(tb testing.TB, p profile.Profile) (*MRZ, *sim.PipeEnd) {
	tb.Helper()
	near, far := sim.NewPipe(false)
	r, err := NewMRZ(tb.Context(), Config{ID: "usb:1-2", Profile: p, Port: near})
	if err != nil {
		tb.Fatal(err)
	}
	return r, far
}

// sends lets the device send.
func sends(tb testing.TB, far devices.Port, pieces ...[]byte) {
	tb.Helper()
	for _, b := range pieces {
		if err := far.Write(tb.Context(), b); err != nil {
			tb.Fatal(err)
		}
	}
}

// heard is what the device was sent since it was last asked.
func heard(tb testing.TB, far devices.Port) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Millisecond)
	defer cancel()
	var all []byte
	for b := make([]byte, 512); ; {
		n, err := far.Read(ctx, b)
		if err != nil {
			return string(all)
		}
		all = append(all, b[:n]...)
	}
}

// TestMRZReader holds the driver to what every reader keeps, in each way in which
// readers send a zone.
func TestMRZReader(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"elyctis-idbox", "desko-cute", "honeywell-ocr"} {
		t.Run(id, func(t *testing.T) {
			devicetest.RunMRZReader(t, synctest.Test, func(tb testing.TB) (devices.MRZReader, func() []string, devicetest.ReaderRig) {
				p := shipped(tb, id, nil)
				r, far := zones(tb, p)
				laid := 0
				lay := func() []string {
					laid++
					sends(tb, far, spoken[p.Framing.Name](another(laid)))
					return another(laid)
				}
				plugged := &pluggedMRZ{r}
				return plugged, lay, devicetest.ReaderRig{
					Unplug: func() { far.Unplug() }, Plug: func() { plugged.MRZ, far = zones(tb, p) },
				}
			})
		})
	}
}

// pluggedMRZ is a reader that is plugged in again as another one.
type pluggedMRZ struct{ *MRZ }

// TestBarcodeReader is the same for barcodes, over HID reports.
func TestBarcodeReader(t *testing.T) {
	t.Parallel()
	devicetest.RunBarcodeReader(t, synctest.Test, func(tb testing.TB) (devices.BarcodeReader, func() devices.Symbol, devicetest.ReaderRig) {
		shown := 0
		near, far := sim.NewPipe(true)
		r, err := NewBarcode(tb.Context(), Config{ID: "usb:1-2", Profile: shipped(tb, "hidpos", nil), Port: near, Descriptor: posDescriptor})
		if err != nil {
			tb.Fatal(err)
		}
		show := func() devices.Symbol {
			shown++
			content := fmt.Appendf(nil, "%0100d", shown) // in two reports
			sends(tb, far, report("]Q0", content[:56], true), report("]Q0", content[56:], false))
			return devices.Symbol{Symbology: "QR", Bytes: content}
		}
		return r, show, devicetest.ReaderRig{Unplug: far.Unplug}
	})
}

// posDescriptor is the report descriptor of a barcode scanner: a byte that counts,
// three of symbology, 56 of decoded data, two of the maker's, and one bit that
// tells of more (HID Point of Sale Usage Tables 1.02 §6).
var posDescriptor = []byte("\x05\x8c\x09\x02\xa1\x01\x85\x02\x75\x08\x15\x00\x26\xff\x00" +
	"\x95\x01\x05\x01\x09\x3b\x81\x02\x05\x8c\x95\x01\x09\xfb\x81\x02\x09\xfc\x81\x02\x09\xfd\x81\x02" +
	"\x95\x38\x09\xfe\x82\x02\x01\x06\x66\xff\x95\x02\x09\x04\x81\x02\x05\x8c\x25\x01\x75\x01\x95\x01\x09\xff\x81\x02" +
	"\x75\x07\x95\x01\x81\x03\xc0")

// aim5 is the layout of reports with an AIM identifier.
func aim5() *framing.HIDLayout {
	return &framing.HIDLayout{ReportID: 2, Size: 64, Length: 1, Symbology: []int{2, 3, 4}, Data: 5, Max: 56, More: 63, MoreMask: 1}
}

// report is a HID report of that layout.
func report(aim string, content []byte, more bool) []byte {
	r := make([]byte, 64)
	r[0], r[1] = 2, byte(len(content))
	copy(r[2:5], aim)
	copy(r[5:], content)
	if more {
		r[63] = 1
	}
	return r
}

// TestCommands: what a reader is sent, and when; nothing that its profile does
// not name.
func TestCommands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change               func(*profile.Profile)
		opened, read, gaveUp string
	}{
		"trigger-that-ends-by-itself": {nil, "", "C\x00\x01\x01", "C\x00\x01\x01C\x00\x01\x00"},
		"trigger-that-stays":          {func(p *profile.Profile) { p.Quirks = nil }, "", "C\x00\x01\x01C\x00\x01\x00", "C\x00\x01\x01C\x00\x01\x00"},
		"silent":                      {func(p *profile.Profile) { p.Commands, p.Quirks = nil, nil }, "", "", ""},
		"init": {func(p *profile.Profile) {
			p.Commands, p.Quirks = map[string][]string{"init": {"4101", "42"}}, nil
		}, "A\x01B", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, far := zones(t, shipped(t, "elyctis-idbox", c.change))
				if got := heard(t, far); got != c.opened {
					t.Errorf("opening sends %q, want %q", got, c.opened)
				}
				sends(t, far, spoken[framing.Elyctis](specimen))
				if _, err := r.ReadMRZ(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := heard(t, far); got != c.read {
					t.Errorf("reading sends %q, want %q", got, c.read)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := r.ReadMRZ(ctx); devices.KindOf(err) != devices.Cancelled {
					t.Errorf("giving up: %v", err)
				}
				if got := heard(t, far); got != c.gaveUp {
					t.Errorf("giving up sends %q, want %q", got, c.gaveUp)
				}
				if err := errors.Join(r.Close(), r.Close()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestClosing: the last command is sent once, and a reading that waits ends.
func TestClosing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, far := zones(t, shipped(t, "honeywell-ocr", nil))
		heard(t, far)
		waits := make(chan error, 1)
		go func() {
			_, err := r.ReadMRZ(t.Context())
			waits <- err
		}()
		time.Sleep(time.Second)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := <-waits; devices.KindOf(err) != devices.Gone {
			t.Errorf("a reading that waited: %v", err)
		}
		if got := heard(t, far); strings.Count(got, "\x16U\r") != 1 {
			t.Errorf("it was sent %q, want one command to end", got)
		}
	})
}

// TestSettings: what a reader says to its settings is no reading, and what it
// does not take is counted.
func TestSettings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := sim.NewPipe(false)
		ended := make(chan bool)
		go func() {
			defer close(ended)
			b := make([]byte, 64)
			for _, answer := range []string{"OCRENA1\x06!", "OCRATS2\x05!"} {
				if _, err := far.Read(t.Context(), b); err != nil {
					t.Error(err)
				}
				_ = far.Write(t.Context(), []byte(answer))
			}
		}()
		r, err := NewMRZ(t.Context(), Config{Profile: shipped(t, "honeywell-ocr", nil), Port: near})
		if err != nil {
			t.Fatal(err)
		}
		<-ended
		if got := r.Health().Details[refusals]; got != 1 {
			t.Errorf("%d settings are counted as refused, want 1", got)
		}
		sends(t, far, spoken[framing.HoneywellOCR](specimen))
		if z, err := r.ReadMRZ(t.Context()); err != nil || !slices.Equal(z.Lines, specimen) {
			t.Errorf("the first reading: %d lines, %v", len(z.Lines), err)
		}
	})
}

// fate is what becomes of a reading: its lines, or a Kind.
func fate(tb testing.TB, r *MRZ) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	z, err := r.ReadMRZ(ctx)
	if err != nil {
		if f, _ := errors.AsType[*devices.Fault](err); f.Op != readingZone || f.Device != "usb:1-2" {
			tb.Errorf("the fault does not say what and where: %v", err)
		}
		if strings.Contains(err.Error(), "ERIKSSON") || strings.Contains(err.Error(), "L8989") {
			tb.Error("the fault says what was read")
		}
		return string(devices.KindOf(err))
	}
	return strings.Join(z.Lines, "/")
}

// TestDamage: what is no zone is told as what it is, once, however it is cut into
// reads; a zone right behind it is worth more.
func TestDamage(t *testing.T) {
	t.Parallel()
	good, whole := spoken[framing.CUTE](specimen), strings.Join(specimen, "/")
	for name, c := range map[string]struct {
		in   string
		want string
	}{
		"good":             {string(good), whole},
		"noise-before":     {"AT+GCAP\r\x00" + string(good), whole},
		"letter":           {"\x02P<UTO?RIKSSON\rL898902C36\r\x03", "protocol"},
		"letter-then-good": {"\x02P<UTO?RIKSSON\rL898902C36\r\x03" + string(good), whole},
		"half":             {string(good[:40]), "timeout"},
		"half-then-good":   {string(good[:40]) + string(good), whole},
		"long-line":        {"\x02" + strings.Repeat("A", 45) + "\r" + strings.Repeat("B", 45) + "\r\x03", "protocol"},
		"four-lines":       {"\x02" + strings.Repeat(strings.Repeat("A", 30)+"\r", 4) + "\x03", "protocol"},
		"overflow":         {"\x02" + strings.Repeat("A", 2000), "protocol"},
		"nothing-there":    {"\x02\x03", "cancelled"},
		"nothing":          {"", "cancelled"},
	} {
		for _, size := range []int{1, 7, 4096} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r, far := zones(t, shipped(t, "desko-cute", nil))
					go func() {
						for piece := range slices.Chunk([]byte(c.in), size) {
							_ = far.Write(t.Context(), piece)
						}
					}()
					if got := fate(t, r); got != c.want {
						t.Errorf("got %s, want %s", got, c.want)
					}
					if got := fate(t, r); got != "cancelled" {
						t.Errorf("a second time: %s", got)
					}
				})
			})
		}
	}
}

// TestLineLimits: more than three lines, or more than 44 characters in one, are no
// zone, whatever the framing lets through.
func TestLineLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		well  bool
	}{
		"three": {[]string{strings.Repeat("A", 30), strings.Repeat("B", 30), strings.Repeat("C", 30)}, true},
		"four":  {[]string{"AAAAAAAA", "B", "C", "D"}, false},
		"44":    {[]string{strings.Repeat("A", 44)}, true},
		"45":    {[]string{strings.Repeat("A", 45)}, false},
		"none":  {nil, false},
	} {
		if _, content, err := zone(framing.MRZ{Lines: c.lines}); (err == nil) != c.well || c.well != (content != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeadlines: the one between bytes and the total one are two.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	frame := spoken[framing.Elyctis](specimen)
	for name, c := range map[string]struct {
		pause time.Duration // between two bytes
		want  string
		by    time.Duration
	}{
		"slow-and-steady": {20 * time.Millisecond, strings.Join(specimen, "/"), 2 * time.Second},
		"stops":           {time.Hour, "timeout", 2 * time.Second},
		"drips":           {450 * time.Millisecond, "timeout", 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, far := zones(t, shipped(t, "elyctis-idbox", nil))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					for i := range frame {
						if far.Write(ctx, frame[i:i+1]) != nil || !lasts(ctx, c.pause) {
							return
						}
					}
				}()
				began := time.Now()
				if got := fate(t, r); got != c.want || time.Since(began) > c.by {
					t.Errorf("after %v: %s, want %s within %v", time.Since(began), got, c.want, c.by)
				}
			})
		})
	}
}

// lasts waits a while; false if ctx ended.
func lasts(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// TestManyInOneRead: readings that come together are given one by one, in order
// and once; more than there is room for are dropped and counted.
func TestManyInOneRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, far := zones(t, shipped(t, "desko-cute", nil))
		var all []byte
		for n := range maxQueued + 3 {
			all = append(all, spoken[framing.CUTE](another(n))...)
		}
		sends(t, far, all)
		for n := range maxQueued {
			if got := fate(t, r); got != strings.Join(another(n), "/") {
				t.Fatalf("reading %d: %s", n, got)
			}
		}
		if got := fate(t, r); got != "cancelled" {
			t.Errorf("beyond the room: %s", got)
		}
		if h := r.Health().Details; h[dropped] != 3 || h[readings] != maxQueued {
			t.Errorf("counted are %v", h)
		}
	})
}

// TestStale: what was laid there while nobody read is forgotten after a while: it
// may be of somebody who has left.
func TestStale(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after time.Duration
		want  string
	}{
		"just-now": {fresh - time.Second, strings.Join(specimen, "/")},
		"long-ago": {fresh + time.Second, "cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, far := zones(t, shipped(t, "desko-cute", nil))
				sends(t, far, spoken[framing.CUTE](another(0)), spoken[framing.CUTE](specimen))
				if got := fate(t, r); got != strings.Join(another(0), "/") {
					t.Fatal(got)
				}
				time.Sleep(c.after)
				if got := fate(t, r); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

// answering is a reader that says what lies there when it is asked.
func answering(t *testing.T, far *sim.PipeEnd, lies func() []string) {
	b := make([]byte, 64)
	for {
		n, err := far.Read(t.Context(), b)
		if err != nil {
			return
		}
		for range bytes.Count(b[:n], []byte("I\x00\x00")) {
			if lines := lies(); lines != nil {
				_ = far.Write(t.Context(), spoken[framing.Elyctis](lines))
			}
		}
	}
}

// TestPolling: a reader that has to be asked gives each document once for each
// time that it is laid there.
func TestPolling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		polled := shipped(t, "elyctis-idbox", func(p *profile.Profile) {
			p.Quirks, p.Commands = []profile.Quirk{profile.Poll}, map[string][]string{"read": {"490000"}}
		})
		r, far := zones(t, polled)
		began := time.Now()
		go answering(t, far, func() []string {
			switch at := time.Since(began); {
			case at < 2*time.Second, at > 7*time.Second && at < 9*time.Second:
				return []string{}
			case at < 4*time.Second:
				return another(1)
			}
			return another(2)
		})
		for _, want := range []struct {
			n        int
			from, to time.Duration
		}{{1, 2 * time.Second, 3 * time.Second}, {2, 4 * time.Second, 5 * time.Second}, {2, 9 * time.Second, 10 * time.Second}} {
			got := fate(t, r)
			if at := time.Since(began); got != strings.Join(another(want.n), "/") || at < want.from || at > want.to {
				t.Errorf("after %v: %s, want document %d", at, got, want.n)
			}
		}
		far.Unplug()
	})
}

// TestNoAnswer: a reader that is asked and says nothing is late.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	for name, quirks := range map[string][]profile.Quirk{"asked-once": nil, "polled": {profile.Poll}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, _ := zones(t, shipped(t, "elyctis-idbox", func(p *profile.Profile) {
					p.Quirks, p.Commands = quirks, map[string][]string{"read": {"490000"}}
				}))
				began := time.Now()
				if got := fate(t, r); got != "timeout" || time.Since(began) != r.profile.Limits.Total {
					t.Errorf("after %v: %s", time.Since(began), got)
				}
			})
		})
	}
}

// TestDeaf: a port that takes no command is late too, and no call hangs.
func TestDeaf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, _ := sim.NewPipe(false)
		if err := near.Write(t.Context(), make([]byte, sim.Room)); err != nil {
			t.Fatal(err)
		}
		r, err := NewMRZ(t.Context(), Config{ID: "usb:1-2", Profile: shipped(t, "elyctis-idbox", nil), Port: near})
		if err != nil {
			t.Fatal(err)
		}
		if got := fate(t, r); got != "timeout" {
			t.Errorf("got %s", got)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// odd is a port that breaks its contract.
type odd struct{ devices.Port }

func (odd) Read(context.Context, []byte) (int, error) { return 0, nil }
func (odd) Flush() error                              { return nil }
func (odd) Close() error                              { return nil }

func TestOddPort(t *testing.T) {
	t.Parallel()
	r, err := NewMRZ(t.Context(), Config{ID: "usb:1-2", Profile: shipped(t, "rte-native", nil), Port: odd{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fate(t, r); got != "protocol" {
		t.Errorf("a port that reads nothing: %s", got)
	}
}

// TestOpensNothing: a reader that cannot be opened leaves no port open.
func TestOpensNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg  Config
		cut  bool
		want devices.Kind
	}{
		"no-layout": {Config{Profile: shipped(t, "hidpos", nil)}, false, devices.Unsupported},
		"gone":      {Config{Profile: shipped(t, "desko-cute", nil)}, true, devices.Gone},
	} {
		near, far := sim.NewPipe(true)
		if c.cut {
			far.Unplug()
		}
		c.cfg.Port = near
		r, err := NewBarcode(t.Context(), c.cfg)
		if r != nil || devices.KindOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if _, err := near.Read(t.Context(), make([]byte, 1)); devices.KindOf(err) != devices.Gone {
			t.Errorf("%s: the port is open: %v", name, err)
		}
	}
}

// TestOtherFrames: notices are no readings.
func TestOtherFrames(t *testing.T) {
	t.Parallel()
	for _, f := range []framing.Frame{framing.Ack{Command: "C"}, framing.Setting{Tag: "OCR"}, framing.Barcode{Bytes: []byte("1")}} {
		if _, content, err := zone(f); content != nil || err != nil {
			t.Errorf("%T is a zone", f)
		}
	}
	for _, f := range []framing.Frame{framing.Ack{}, framing.Barcode{}, framing.MRZ{Lines: specimen}} {
		if _, content, err := symbol(f); content != nil || err != nil {
			t.Errorf("%T is a symbol", f)
		}
	}
}

// TestLayout: what the descriptor tells is the layout of the reports.
func TestLayout(t *testing.T) {
	t.Parallel()
	if l := layoutOf(posDescriptor); l == nil || fmt.Sprintf("%+v", *l) != fmt.Sprintf("%+v", *aim5()) {
		t.Errorf("the layout is %+v", l)
	}
	if l := layoutOf([]byte("\x05\x01\x09\x06\xa1\x01")); l != nil {
		t.Errorf("a keyboard's layout is %+v", l)
	}
}

func TestSymbologies(t *testing.T) {
	t.Parallel()
	for aim, want := range map[string]string{"]Q1": "QR", "]L0": "PDF417", "]C1": "Code128", "]d2": "DataMatrix", "]z0": "Aztec", "]m0": "]m0", "": ""} {
		if got := symbology(aim); got != want {
			t.Errorf("%q is %q, want %q", aim, got, want)
		}
	}
}

// TestFramingSettings: what a profile says of its framing reaches the decoder.
func TestFramingSettings(t *testing.T) {
	t.Parallel()
	p := profile.Profile{Limits: profile.Limits{MaxBytes: 99}, Framing: profile.Framing{
		Start: []byte{1}, End: []byte{2}, Content: "mrz", AIMPrefix: true, Length: "text", Check: "block", Letters: "PQ",
	}}
	s := settingsOf(p, aim5())
	want := framing.Settings{
		MaxBytes: 99, Layout: aim5(), Start: []byte{1}, End: []byte{2}, Content: framing.HoldsMRZ, AIMPrefix: true,
		Length: framing.SpanText, Check: framing.SpanBlock, Letters: "PQ",
	}
	if fmt.Sprintf("%+v", *s.Layout) != fmt.Sprintf("%+v", *want.Layout) || s.MaxBytes != 99 || s.Letters != "PQ" ||
		s.Content != want.Content || !s.AIMPrefix || s.Length != want.Length || s.Check != want.Check || !bytes.Equal(s.Start, want.Start) || !bytes.Equal(s.End, want.End) {
		t.Errorf("got %+v", s)
	}
	p.Framing.Layout = &profile.Layout{ReportID: 7, Size: 32, Length: 1, Symbology: []int{2}, Data: 3, Max: 20, More: 31, MoreMask: 2}
	if s := settingsOf(p, aim5()); s.Layout.ReportID != 7 || s.Layout.Size != 32 || s.Layout.MoreMask != 2 || !s.Layout.Valid() {
		t.Errorf("the profile's layout: %+v", s.Layout)
	}
}

// FuzzReader: whatever a reader sends, a call ends and gives a zone or a fault.
func FuzzReader(f *testing.F) {
	f.Add(0, spoken[framing.Elyctis](specimen))
	f.Add(1, spoken[framing.CUTE](specimen))
	f.Add(2, spoken[framing.HoneywellOCR](specimen))
	f.Add(1, []byte("\x02?\x03\x02\x02"))
	f.Add(0, []byte("I\xff\xffI\x00\x01C\x00\x00"))
	f.Fuzz(func(t *testing.T, which int, sent []byte) {
		ids := []string{"elyctis-idbox", "desko-cute", "honeywell-ocr", "rte-native"}
		synctest.Test(t, func(t *testing.T) {
			r, far := zones(t, shipped(t, ids[uint(which)%uint(len(ids))], nil))
			_ = far.Write(t.Context(), sent[:min(len(sent), sim.Room)])
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				z, err := r.ReadMRZ(ctx)
				cancel()
				if err != nil && devices.KindOf(err) == devices.KindNone || err == nil && (len(z.Lines) == 0 || len(z.Lines) > maxLines) {
					t.Fatalf("%d lines and %v", len(z.Lines), err)
				}
			}
		})
	})
}
