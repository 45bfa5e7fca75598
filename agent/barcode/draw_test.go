package barcode

import (
	"bytes"
	"embed"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/datamatrix"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// drawing is a symbol as modules, dark is true, without a quiet zone.
type drawing struct {
	modules   [][]bool
	rowHeight float64 // modules; 1 if zero
}

// size is the drawing's size in modules.
func (d drawing) size() (w, h float64) {
	return float64(len(d.modules[0])), float64(len(d.modules)) * max(1, d.rowHeight)
}

// dark reports whether a point, in modules, is dark. All else is white paper.
func (d drawing) dark(x, y float64) bool {
	row, column := int(math.Floor(y/max(1, d.rowHeight))), int(math.Floor(x))
	return row >= 0 && row < len(d.modules) && column >= 0 && column < len(d.modules[row]) && d.modules[row][column]
}

// written draws a symbol with a writer of gozxing. Linear ones are one row, a
// fifth as high as long.
func written(tb testing.TB, kind Symbology, text string) drawing {
	tb.Helper()
	return writtenAs(tb, kind, text, "")
}

// writtenAs is written in a character set that the symbol names.
func writtenAs(tb testing.TB, kind Symbology, text, charset string) drawing {
	tb.Helper()
	w := map[Symbology]struct {
		gozxing.Writer
		format gozxing.BarcodeFormat
	}{
		QR:         {qrcode.NewQRCodeWriter(), gozxing.BarcodeFormat_QR_CODE},
		DataMatrix: {datamatrix.NewDataMatrixWriter(), gozxing.BarcodeFormat_DATA_MATRIX},
		Code128:    {oned.NewCode128Writer(), gozxing.BarcodeFormat_CODE_128},
		Code39:     {oned.NewCode39Writer(), gozxing.BarcodeFormat_CODE_39},
		EAN13:      {oned.NewEAN13Writer(), gozxing.BarcodeFormat_EAN_13},
		EAN8:       {oned.NewEAN8Writer(), gozxing.BarcodeFormat_EAN_8},
	}[kind]
	hints := map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_MARGIN: 0}
	if charset != "" {
		hints[gozxing.EncodeHintType_CHARACTER_SET] = charset
	}
	bits, err := w.Encode(text, w.format, 0, 0, hints)
	if err != nil {
		tb.Fatal(err)
	}
	var d drawing
	for y := range bits.GetHeight() {
		row := make([]bool, bits.GetWidth())
		for x := range row {
			row[x] = bits.Get(x, y)
		}
		d.modules = append(d.modules, row)
	}
	if setOf(kind)&linear != 0 {
		d.modules = d.modules[:1]
		d.rowHeight = max(20, float64(len(d.modules[0]))/5)
	}
	return d
}

//go:embed testdata/aztec-*.txt
var aztecs embed.FS

// aztecCode is a symbol of testdata: its text, and the modules as # and dots.
func aztecCode(tb testing.TB, name string) (text string, d drawing) {
	tb.Helper()
	b, err := aztecs.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	text, picture, _ := strings.Cut(string(b), "\n")
	for line := range strings.FieldsSeq(picture) {
		row := make([]bool, len(line))
		for x, c := range line {
			row[x] = c == '#'
		}
		d.modules = append(d.modules, row)
	}
	return text, d
}

// shot is how a symbol is photographed.
type shot struct {
	w, h     int     // pixels
	module   float64 // pixels
	tilt     float64 // radians
	lean     float64 // perspective: how much nearer one side is, as a share
	blur     float64 // radius in pixels
	noise    float64 // standard deviation in steps of 255
	quality  int     // of JPEG; none if zero
	offX     float64 // pixels from the picture's middle
	offY     float64
	contrast float64 // 0 is all there is
	seed     uint64
}

// upright is a picture without any fault, as large as it needs to be.
func upright(d drawing, module float64) shot {
	w, h := d.size()
	return shot{w: int((w + 20) * module), h: int((h + 20) * module), module: module}
}

// at is where a point of the drawing, in modules, lies in the picture.
func (s shot) at(d drawing, x, y float64) vector {
	w, h := d.size()
	p := vector{x - w/2, y - h/2}.times(s.module)
	far := 1 + s.lean*(p.x+p.y)/(s.module*max(w, h))
	sin, cos := math.Sincos(s.tilt)
	p = p.times(1 / far)
	return vector{cos*p.x - sin*p.y, sin*p.x + cos*p.y}.add(vector{float64(s.w)/2 + s.offX, float64(s.h)/2 + s.offY})
}

// corners are the true corners of the drawing in the picture.
func (s shot) corners(d drawing) [4]vector {
	w, h := d.size()
	return [4]vector{s.at(d, 0, 0), s.at(d, w, 0), s.at(d, w, h), s.at(d, 0, h)}
}

// from gives the opposite of at.
func (s shot) from(d drawing) func(px, py float64) (x, y float64) {
	w, h := d.size()
	sin, cos := math.Sincos(-s.tilt)
	midX, midY, lean := float64(s.w)/2+s.offX, float64(s.h)/2+s.offY, s.lean/(s.module*max(w, h))
	return func(px, py float64) (x, y float64) {
		px, py = px-midX, py-midY
		qx, qy := cos*px-sin*py, sin*px+cos*py
		near := s.module * (1 - lean*(qx+qy))
		return qx/near + w/2, qy/near + h/2
	}
}

// desk is the brightness of what lies around the paper with the symbol.
const desk = 120

// take photographs a symbol on white paper that lies on a desk.
func (s shot) take(tb testing.TB, d drawing) image.Image {
	tb.Helper()
	return s.spoil(tb, s.plain(d))
}

// plain is the picture before light, lens and file spoil it.
func (s shot) plain(d drawing) []float64 {
	w, h := d.size()
	pix := make([]float64, s.w*s.h)
	from := s.from(d)
	for i := range pix {
		x, y := float64(i%s.w), float64(i/s.w)
		mx, my := from(x+0.5, y+0.5)
		switch {
		case mx < -10 || my < -10 || mx > w+10 || my > h+10:
			pix[i] = desk
		case mx < -1 || my < -1 || mx > w+1 || my > h+1:
			pix[i] = 235
		default:
			const fine = 3 // samples to a pixel's side
			for k := range fine * fine {
				mx, my := from(x+(float64(k%fine)+0.5)/fine, y+(float64(k/fine)+0.5)/fine)
				if d.dark(mx, my) {
					pix[i] += 25. / (fine * fine)
				} else {
					pix[i] += 235. / (fine * fine)
				}
			}
		}
	}
	return pix
}

// spoil makes a picture of brightness as a camera does.
func (s shot) spoil(tb testing.TB, pix []float64) image.Image {
	tb.Helper()
	r := rand.New(rand.NewPCG(s.seed, 7))
	if s.blur > 0 {
		pix = blurred(pix, s.w, s.h, s.blur)
	}
	g := image.NewGray(image.Rect(0, 0, s.w, s.h))
	for i, v := range pix {
		light := 0.85 + 0.15*float64(i%s.w)/float64(s.w) // it falls from one side
		v = 128 + (v-128)*(1-s.contrast)
		g.Pix[i] = uint8(max(0, min(255, v*light+s.noise*r.NormFloat64())))
	}
	if s.quality == 0 {
		return g
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, g, &jpeg.Options{Quality: s.quality}); err != nil {
		tb.Fatal(err)
	}
	img, err := jpeg.Decode(&b)
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

// blurred is a picture under a Gaussian of radius sigma.
func blurred(pix []float64, w, h int, sigma float64) []float64 {
	n := int(math.Ceil(2.5 * sigma))
	weights := make([]float64, 2*n+1)
	for i := range weights {
		weights[i] = math.Exp(-float64((i-n)*(i-n)) / (2 * sigma * sigma))
	}
	pass := func(from []float64, step, along, lines, next int) []float64 {
		to := make([]float64, len(from))
		for l := range lines {
			for i := range along {
				sum, all := 0.0, 0.0
				for k, wt := range weights {
					if at := i + k - n; at >= 0 && at < along {
						sum, all = sum+wt*from[l*next+at*step], all+wt
					}
				}
				to[l*next+i*step] = sum / all
			}
		}
		return to
	}
	return pass(pass(pix, 1, w, h, w), w, h, w, 1)
}

// between is a random number in a range.
func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }
