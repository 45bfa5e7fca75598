package inspect

import (
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// letter writes a picture of a page with some symbols, one below the other.
func letter(t *testing.T, name string, symbols ...image.Image) string {
	t.Helper()
	page := image.NewGray(image.Rect(0, 0, 600, 120+320*len(symbols)))
	draw.Draw(page, page.Rect, image.NewUniform(color.Gray{230}), image.Point{}, draw.Src)
	for i, s := range symbols {
		draw.Draw(page, s.Bounds().Add(image.Pt(80, 60+320*i)), s, image.Point{}, draw.Src)
	}
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, page); err != nil {
		t.Fatal(err)
	}
	return path
}

// drawn draws a symbol.
func drawn(t *testing.T, w gozxing.Writer, format gozxing.BarcodeFormat, text string) image.Image {
	t.Helper()
	bits, err := w.Encode(text, format, 440, 240, nil)
	if err != nil {
		t.Fatal(err)
	}
	return bits
}

func TestBarcodeReadsLetters(t *testing.T) {
	t.Parallel()
	code := drawn(t, oned.NewCode128Writer(), gozxing.BarcodeFormat_CODE_128, "402P-EJ7F-AC4")
	square := drawn(t, qrcode.NewQRCodeWriter(), gozxing.BarcodeFormat_QR_CODE, "<a&b>\x1e\r")
	both, none := letter(t, "both.png", code, square), letter(t, "none.png")
	out, err := runCommand(t, "", "barcode", both, none)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"file":` + quoted(t, both) + `,"symbols":[` +
		`{"symbology":"Code128","text":"402P-EJ7F-AC4","bytes_hex":"343032502d454a37462d414334"},` +
		`{"symbology":"QR","text":"<a&b>\u001e\r","bytes_hex":"3c6126623e1e0d"}]}` + "\n" +
		`{"file":` + quoted(t, none) + `,"symbols":[]}` + "\n"
	if out != want {
		t.Errorf("got  %swant %s", out, want)
	}
}

// quoted is a text as JSON.
func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBarcodeNotUnderstood(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(text, []byte("Dear Sir"), 0o644); err != nil {
		t.Fatal(err)
	}
	none := letter(t, "none.png")
	for _, c := range []struct {
		name  string
		args  []string
		lines int // answered before
	}{
		{"missing", []string{filepath.Join(t.TempDir(), "none.jpg")}, 0},
		{"a-folder", []string{t.TempDir()}, 0},
		{"no-picture", []string{text}, 0},
		{"second", []string{none, text}, 1},
		{"no-file", nil, 0},
	} {
		out, err := runCommand(t, "", append([]string{"barcode"}, c.args...)...)
		if ExitCode(err) != 2 || strings.Count(out, "\n") != c.lines {
			t.Errorf("%s: exit code %d, output %q", c.name, ExitCode(err), out)
		}
		if err != nil && strings.Contains(err.Error(), "Dear") {
			t.Errorf("%s: the sentence quotes the file: %v", c.name, err)
		}
	}
}
