package capture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// picture is a small picture with something in it.
func picture(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	return img
}

// asJPEG encodes a picture.
func asJPEG(img image.Image) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil)
	return b.Bytes()
}

// asPNG encodes a picture.
func asPNG(img image.Image) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

// pngHead is the beginning of a PNG file of a size, depth and colour type.
func pngHead(w, h uint32, depth, kind byte) []byte {
	body := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	body = append(body, depth, kind, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

// jpegHead is the beginning of a JPEG file with a frame header of a kind; the
// scan that follows is empty.
func jpegHead(marker byte, w, h uint16) []byte {
	out := []byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, marker, 0, 17, 8}
	out = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(out, h), w)
	return append(out, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	good := asJPEG(picture(200, 100))
	var moving bytes.Buffer
	_ = gif.Encode(&moving, picture(100, 100), nil)
	flipped := bytes.Clone(asPNG(picture(100, 100)))
	flipped[len(flipped)/2] ^= 0xff
	tests := []struct {
		name string
		file []byte
		want proof.Kind
	}{
		{"jpeg", good, proof.KindNone},
		{"png", asPNG(picture(64, 64)), proof.KindNone},
		{"gray png", asPNG(image.NewGray16(image.Rect(0, 0, 80, 70))), proof.KindNone},
		{"trailing bytes", append(bytes.Clone(good), "and more"...), proof.KindNone},
		{"nothing", nil, proof.KindNotPicture},
		{"text", []byte("Dear Sir or Madam"), proof.KindNotPicture},
		{"pdf", []byte("%PDF-1.7\n"), proof.KindNotPicture},
		{"gif", moving.Bytes(), proof.KindNotPicture},
		{"only the mark", []byte("\xff\xd8"), proof.KindPictureCorrupt},
		{"jpeg cut short", good[:len(good)*2/3], proof.KindPictureCorrupt},
		{"png with a flipped byte", flipped, proof.KindPictureCorrupt},
		{"png cut short", pngHead(100, 100, 8, 2), proof.KindPictureCorrupt},
		{"one side tiny", asPNG(picture(63, 500)), proof.KindPictureTiny},
		{"tiny", asJPEG(picture(16, 16)), proof.KindPictureTiny},
		{"100 megapixels png", pngHead(10_000, 10_000, 8, 2), proof.KindPictureHuge},
		{"100 megapixels jpeg", jpegHead(0xc0, 12_500, 8_000), proof.KindPictureHuge},
		{"4 gigapixels", jpegHead(0xc0, 65_535, 65_535), proof.KindPictureHuge},
		{"sides that overflow", pngHead(1<<31-1, 1<<31-1, 8, 2), proof.KindPictureCorrupt},
		{"progressive, whose decoding takes 15 bytes a pixel", jpegHead(0xc2, 8_000, 6_000), proof.KindPictureHuge},
		{"64 bits a pixel", pngHead(9_000, 8_000, 16, 6), proof.KindPictureHuge},
		{"too many bytes", append(bytes.Clone(good), make([]byte, MaxBytes)...), proof.KindPictureHuge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			img, err := Decode(test.file)
			if got := proof.KindOf(err); got != test.want {
				t.Fatalf("got %q (%v), want %q", got, err, test.want)
			}
			if (img == nil) == (err == nil) {
				t.Errorf("got picture %v with error %v", img != nil, err)
			}
		})
	}
}

// A picture is refused before room for it is taken.
func TestDecodeRefusesByTheHeader(t *testing.T) {
	files := [][]byte{pngHead(10_000, 10_000, 8, 2), jpegHead(0xc0, 65_535, 65_535), jpegHead(0xc2, 8_000, 6_000)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, f := range files {
		if _, err := Decode(f); err == nil {
			t.Error("a huge picture was opened")
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("refusing took %d bytes of memory", grown)
	}
}

func TestProgressive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		file []byte
		want bool
	}{
		{"baseline", jpegHead(0xc0, 10, 10), false},
		{"progressive", jpegHead(0xc2, 10, 10), true},
		{"fill bytes", append([]byte{0xff, 0xd8, 0xff, 0xff}, jpegHead(0xc2, 10, 10)[2:]...), true},
		{"restart marks", append([]byte{0xff, 0xd8, 0xff, 0xd0, 0xff, 0xd7}, jpegHead(0xc2, 10, 10)[2:]...), true},
		{"no mark", []byte{0xff, 0xd8, 1, 2, 3, 4, 5}, false},
		{"a length past the end", []byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 1}, false},
		{"short", []byte{0xff, 0xd8}, false},
	}
	for _, test := range tests {
		if got := progressive(test.file); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestGrayAgreesWithTheColourModel(t *testing.T) {
	t.Parallel()
	part := image.Rect(3, 2, 40, 30)
	colours := picture(50, 40)
	for i := 3; i < len(colours.Pix); i += 4 {
		colours.Pix[i] = 255
	}
	ycc := image.NewYCbCr(image.Rect(0, 0, 50, 40), image.YCbCrSubsampleRatio420)
	for i := range ycc.Y {
		ycc.Y[i] = uint8(i)
	}
	for i := range ycc.Cb {
		ycc.Cb[i], ycc.Cr[i] = 128, 128
	}
	opaque := (*image.NRGBA)(colours)
	gray := image.NewGray(image.Rect(0, 0, 50, 40))
	copy(gray.Pix, colours.Pix)
	deep := image.NewGray16(image.Rect(0, 0, 50, 40))
	copy(deep.Pix, colours.Pix)
	for _, img := range []interface {
		image.Image
		SubImage(image.Rectangle) image.Image
	}{colours, ycc, opaque, gray, deep} {
		sub := img.SubImage(part)
		g := Gray(sub)
		if g.Rect != image.Rect(0, 0, part.Dx(), part.Dy()) {
			t.Fatalf("%T: bounds %v", img, g.Rect)
		}
		for y := range part.Dy() {
			for x := range part.Dx() {
				want := color.GrayModel.Convert(sub.At(part.Min.X+x, part.Min.Y+y)).(color.Gray).Y
				if got := g.GrayAt(x, y).Y; max(got, want)-min(got, want) > 1 {
					t.Fatalf("%T at %d,%d: got %d, want %d", img, x, y, got, want)
				}
			}
		}
	}
}

func TestGrayLaysTransparentPartsOnWhite(t *testing.T) {
	t.Parallel()
	r := image.Rect(0, 0, 3, 1)
	straight, scaled := image.NewNRGBA(r), image.NewRGBA(r)
	deep := image.NewNRGBA64(r)
	for x, c := range []color.NRGBA{{0, 0, 0, 0}, {0, 0, 0, 128}, {100, 100, 100, 255}} {
		straight.SetNRGBA(x, 0, c)
		scaled.Set(x, 0, c)
		deep.Set(x, 0, c)
	}
	for _, img := range []image.Image{straight, scaled, deep} {
		g := Gray(img)
		if g.Pix[0] != 255 || g.Pix[1] < 125 || g.Pix[1] > 129 || g.Pix[2] != 100 {
			t.Errorf("%T: got %v", img, g.Pix[:3])
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(asJPEG(picture(70, 66)))
	f.Add(asPNG(picture(70, 66)))
	f.Add(asPNG(image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.Black, color.White})))
	f.Add(pngHead(10_000, 10_000, 8, 2))
	f.Add(jpegHead(0xc2, 300, 300))
	f.Add([]byte("%PDF"))
	f.Fuzz(func(t *testing.T, file []byte) {
		img, err := Decode(file)
		if err != nil {
			if k := proof.KindOf(err); k == proof.KindInternal || k == proof.KindNone {
				t.Fatalf("%v has no Kind for the counter", err)
			}
			return
		}
		if r := img.Bounds(); r.Dx()*r.Dy() > 1<<22 {
			return // judging it would only be slow
		}
		if v := Judge(img, AnyDocument); v.Guidance == "" {
			t.Fatal("a verdict without guidance")
		}
	})
}
