package sim_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices/sim"
)

// grey is a picture of one shade, by which it is known again.
func grey(shade uint8) image.Image {
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	return img
}

func asJPEG(t *testing.T, shade uint8) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, grey(shade), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t *testing.T, shade uint8) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, grey(shade)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shade reads a picture's shade back, to the nearest ten; -1 is an empty desk.
func shade(t *testing.T, b []byte) int {
	t.Helper()
	if b == nil {
		return -1
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("a picture is no JPEG: %v", err)
	}
	y := color.GrayModel.Convert(img.At(8, 8)).(color.Gray).Y
	return (int(y) + 5) / 10 * 10
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := write(t, dir, "a.jpg", asJPEG(t, 50))
	b := write(t, dir, "b.png", asPNG(t, 200))
	pictures, err := sim.Files(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []int{50, 200, 50} {
		if got := shade(t, pictures(uint64(n), 0)); got != want {
			t.Errorf("frame %d shows shade %d, want %d", n, got, want)
		}
	}
	bad := map[string]string{
		"missing":    filepath.Join(dir, "none.jpg"),
		"text":       write(t, dir, "c.jpg", []byte("not a picture")),
		"folder":     dir,
		"cut":        write(t, dir, "d.png", asPNG(t, 10)[:40]),
		"huge":       write(t, dir, "e.jpg", hugeJPEG(t)),
		"empty-file": write(t, dir, "f.jpg", nil),
	}
	for name, path := range bad {
		if _, err := sim.Files(a, path); err == nil {
			t.Errorf("%s: taken for a picture", name)
		} else if strings.Contains(err.Error(), "not a picture") {
			t.Errorf("%s: the error shows the content: %v", name, err)
		}
	}
}

// hugeJPEG is a small file that says of itself that it has 4,096 million pixels
// (height and width stand at 5 in the frame header, ITU-T T.81 B.2.2).
func hugeJPEG(t *testing.T) []byte {
	b := asJPEG(t, 50)
	header := bytes.Index(b, []byte{0xff, 0xc0})
	if header < 0 {
		t.Fatal("no frame header")
	}
	copy(b[header+5:], []byte{0xfa, 0x00, 0xfa, 0x00})
	if size, err := jpeg.DecodeConfig(bytes.NewReader(b)); err != nil || size.Width != 64000 {
		t.Fatalf("the huge picture is %v, %v", size, err)
	}
	return b
}

// show gives what a folder shows at the times given, in order.
func show(t *testing.T, pictures sim.Pictures, times ...time.Duration) []int {
	t.Helper()
	var seen []int
	for _, at := range times {
		seen = append(seen, shade(t, pictures(0, at)))
	}
	return seen
}

func wantShades(t *testing.T, what string, got []int, want ...int) {
	t.Helper()
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Errorf("%s: got %v, want %v", what, got, want)
			return
		}
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pictures, err := sim.Directory(dir)
	if err != nil {
		t.Fatal(err)
	}
	const hold, bit = sim.Hold, time.Millisecond
	wantShades(t, "empty folder", show(t, pictures, 0, bit), -1, -1)

	write(t, dir, "10.jpg", asJPEG(t, 10))
	write(t, dir, "20.png", asPNG(t, 20))
	write(t, dir, "15.txt", []byte("notes of the trainer"))
	write(t, dir, "17.jpg", []byte("broken"))
	write(t, dir, ".05.jpg", asJPEG(t, 5))
	if err := os.Mkdir(filepath.Join(dir, "16.jpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantShades(t, "pictures come while it runs", show(t, pictures, hold-bit, hold, 2*hold-bit, 2*hold, 3*hold), -1, 10, 10, 20, 10)

	write(t, dir, "12.jpg", asJPEG(t, 120))
	wantShades(t, "one more", show(t, pictures, 4*hold, 5*hold, 6*hold), 120, 20, 10)

	if err := os.Remove(filepath.Join(dir, "10.jpg")); err != nil {
		t.Fatal(err)
	}
	wantShades(t, "one less", show(t, pictures, 6*hold+bit, 7*hold, 8*hold, 9*hold), 10, 120, 20, 120)
	wantShades(t, "the camera was plugged in again", show(t, pictures, 0, bit, hold), 20, 20, 120)
}

func TestDirectoryOnePicture(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "only.jpg", asJPEG(t, 70))
	pictures, err := sim.Directory(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantShades(t, "one picture", show(t, pictures, 0, sim.Hold, 2*sim.Hold), 70, 70, 70)
}

// TestDirectoryStaysInside holds that a link does not lead a training room into
// the rest of the disk.
func TestDirectoryStaysInside(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	secret := write(t, outside, "secret.jpg", asJPEG(t, 90))
	if err := os.Symlink(secret, filepath.Join(dir, "a.jpg")); err != nil {
		t.Skip("SKIPPED: this system makes no symbolic links")
	}
	pictures, err := sim.Directory(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantShades(t, "a link out of the folder", show(t, pictures, 0), -1)
}

func TestDirectoryMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, path := range map[string]string{
		"missing": filepath.Join(dir, "none"),
		"a-file":  write(t, dir, "a.jpg", asJPEG(t, 10)),
	} {
		if _, err := sim.Directory(path); err == nil {
			t.Errorf("%s: taken for a folder of pictures", name)
		}
	}
}

// TestDirectoryFilmed shows a folder through a camera: each picture stays long
// enough to be read.
func TestDirectoryFilmed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.jpg", asJPEG(t, 50))
	write(t, dir, "b.jpg", asJPEG(t, 150))
	synctest.Test(t, func(t *testing.T) {
		pictures, err := sim.Directory(dir)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[int]int{}
		for _, jpg := range look(t, sim.NewCamera(sim.CameraConfig{Pictures: pictures}), 90) {
			counts[shade(t, []byte(jpg))]++
		}
		if counts[50] < 44 || counts[150] < 44 {
			t.Errorf("90 frames show %v, want some 45 of each", counts)
		}
	})
}
