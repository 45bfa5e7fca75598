//go:build cgo && !nozxing

package barcode

import (
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestOfferedWithZXing(t *testing.T) {
	t.Parallel()
	if got := Offered(); !slices.Equal(got, every()) {
		t.Errorf("offered %v, want %v", got, every())
	}
}

// busy is a picture that takes the decoder a while.
func busy() *image.Gray { return finders(1600, 1200) }

// TestProcessDies kills the process in which the decoder works, as a fault in it
// would: the program must go on, and must not take it for an answer of nothing.
func TestProcessDies(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGKILL, syscall.SIGSTOP} {
		l, err := startLook(busy(), ^set(0), time.Now().Add(2*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if found, err := l.answer(); err == nil {
			t.Errorf("%v: got %s and no error", signal, brief(found))
		}
		if err := l.process.Signal(syscall.Signal(0)); err == nil {
			t.Errorf("%v: the process is still there", signal)
		}
	}
}

// TestProcessIsConfined looks at the process at work: it has its end of the pipe
// and can open nothing more.
func TestProcessIsConfined(t *testing.T) {
	t.Parallel()
	l, err := startLook(busy(), ^set(0), time.Now().Add(20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	proc := fmt.Sprintf("/proc/%d/", l.process.Pid)
	noCore := regexp.MustCompile(`Max core file size +0 +0 `)
	noFiles := regexp.MustCompile(`Max open files +0 +0 `)
	for end := time.Now().Add(10 * time.Second); ; { // it takes a moment to begin
		limits, err := os.ReadFile(proc + "limits")
		if err != nil {
			t.Fatal(err)
		}
		open, err := os.ReadDir(proc + "fd")
		if err != nil {
			t.Fatal(err)
		}
		if len(open) == 1 && noCore.Match(limits) && noFiles.Match(limits) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d descriptors are open; limits:\n%s", len(open), limits)
		}
	}
}

func TestProcessIsStoppedInTime(t *testing.T) {
	t.Parallel()
	if found, err := (foreign{}).look(busy(), ^set(0), time.Now().Add(-time.Hour)); err == nil {
		t.Errorf("got %s and no error", brief(found))
	}
}

func TestLookAtNoPicture(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]*image.Gray{
		"empty":      {},
		"too-few":    {Pix: make([]uint8, 99), Stride: 10, Rect: image.Rect(0, 0, 10, 10)},
		"bad-stride": {Pix: make([]uint8, 100), Stride: 5, Rect: image.Rect(0, 0, 10, 10)},
	} {
		if _, err := (foreign{}).look(g, ^set(0), time.Now().Add(time.Second)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestLookAtSmallPictures gives the sizes at which a decoder may forget that
// there is no pixel.
func TestLookAtSmallPictures(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1, 1}, {1, 40}, {40, 1}, {2, 2}, {7, 9}, {40, 3}} {
		g := texture(size.X, size.Y, func(x, y int) uint8 { return uint8(x*91 + y*57) })
		if found, err := (foreign{}).look(g, ^set(0), time.Now().Add(time.Second)); err != nil || len(found) > 0 {
			t.Errorf("%v: got %s, %v", size, brief(found), err)
		}
	}
}

// answerOf lays a symbol out as the process does.
func answerOf(number byte, named bool, content, text string) []byte {
	b := []byte{'S', number, 0}
	if named {
		b[2] = 1
	}
	for i := range 8 {
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	return append(append(b, content...), text...)
}

func TestParseAnswer(t *testing.T) {
	t.Parallel()
	one, two := answerOf(1, false, "Si\xe2n", "Siân"), answerOf(0, true, "x", "named")
	long := answerOf(1, false, string(make([]byte, MaxContent+1)), "")
	tests := []struct {
		name   string
		answer []byte
		want   []string // texts; nil is an error
	}{
		{"nothing", []byte("E"), []string{}},
		{"one", append(slices.Clone(one), 'E'), []string{"Siân"}},
		{"two", append(slices.Concat(one, two), 'E'), []string{"Siân", "named"}},
		{"unknown-symbology", append(answerOf(200, false, "x", "x"), 'E'), []string{}},
		{"bounds-are-kept", append(slices.Concat(slices.Repeat([][]byte{one}, 40)...), 'E'), slices.Repeat([]string{"Siân"}, MaxSymbols)},
		{"empty", nil, nil},
		{"without-end", one, nil},
		{"cut-off", one[:len(one)-1], nil},
		{"cut-off-in-the-head", one[:20], nil},
		{"after-the-end", append(slices.Clone(one), "EE"...), nil},
		{"too-long", append(long, 'E'), nil},
		{"lengths-beyond-32-bits", append(slices.Concat(one[:headBytes-8], []byte("\xff\xff\xff\xff\xff\xff\xff\xff")), 'E'), nil},
	}
	for _, c := range tests {
		found, err := parseAnswer(c.answer)
		if (err == nil) != (c.want != nil) || len(found) != len(c.want) {
			t.Errorf("%s: got %s, %v", c.name, brief(found), err)
			continue
		}
		for i, s := range found {
			if s.Text != c.want[i] || s.Corners[3] != image.Pt(6, 7) {
				t.Errorf("%s: got %q at %v, want %q", c.name, s.Text, s.Corners, c.want[i])
			}
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte("E"))
	f.Add(append(answerOf(1, true, "content", "text"), 'E'))
	f.Add(append(answerOf(7, false, "", ""), answerOf(3, false, "a", "b")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := parseAnswer(b)
		if err != nil && found != nil || len(found) > MaxSymbols {
			t.Fatalf("%d symbols, %v", len(found), err)
		}
		for _, s := range found {
			if len(s.Bytes) > MaxContent || setOf(s.Symbology) == 0 {
				t.Fatalf("%q with %d bytes", s.Symbology, len(s.Bytes))
			}
		}
	})
}

// BenchmarkLook is what a process of its own costs: a look at next to nothing.
func BenchmarkLook(b *testing.B) {
	g := texture(40, 40, func(int, int) uint8 { return 255 })
	for b.Loop() {
		if _, err := (foreign{}).look(g, onlyQR, time.Now().Add(time.Second)); err != nil {
			b.Fatal(err)
		}
	}
}
