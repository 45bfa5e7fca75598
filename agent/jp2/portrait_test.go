package jp2

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/proof"
)

// asJPEG is a picture of a size as JPEG.
func asJPEG(t *testing.T, w, h int) lds.Picture {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return lds.Picture{Format: lds.JPEG, Bytes: b.Bytes()}
}

func TestPortraitOfJPEG(t *testing.T) {
	t.Parallel()
	whole := asJPEG(t, 413, 531)
	cut := whole
	cut.Bytes = cut.Bytes[:len(cut.Bytes)/2]
	for name, c := range map[string]struct {
		picture lds.Picture
		limit   Limits
		want    proof.Kind
	}{
		"whole":           {whole, Limits{}, proof.KindNone},
		"too-many-pixels": {whole, Limits{Pixels: 1000}, proof.KindPictureHuge},
		"cut-off":         {cut, Limits{}, proof.KindPictureCorrupt},
		"too-small":       {asJPEG(t, 20, 20), Limits{}, proof.KindPictureTiny},
		"no-picture":      {lds.Picture{Bytes: []byte("GIF89a")}, Limits{}, proof.KindNotPicture},
	} {
		got, err := Portrait(t.Context(), c.picture, c.limit)
		if proof.KindOf(err) != c.want || err == nil && (got.Bounds() != image.Rect(0, 0, 413, 531) || got.Partial) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Without the library a portrait in JPEG still opens, and JPEG 2000 says why not.
func TestWithoutLibrary(t *testing.T) {
	t.Parallel()
	file := sized(portrait(), rgb...)
	_, err := Portrait(t.Context(), lds.Picture{Format: lds.J2K, Bytes: file}, Limits{})
	if errors.Is(err, ErrUnavailable) == Available() {
		t.Errorf("available %t: %v", Available(), err)
	}
	if _, err := Encode(image.NewGray(image.Rect(0, 0, 8, 8)), Coding{}); errors.Is(err, ErrUnavailable) == Available() {
		t.Errorf("encoding, available %t: %v", Available(), err)
	}
}
