package ocr

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/counterproof/counterproof/agent/ocr/strip"
)

// weightFile holds the layers one after another: four little-endian int32 (output
// channels, input channels, height and width of the kernel), then the weights
// and the biases as float32. MODEL.md says how they came about.
//
//go:embed weights.bin
var weightFile []byte

// shape is what the weight file leaves out: strides and paddings of each layer,
// down and across.
type shape struct{ strideY, strideX, padY, padX int }

// shapes are the layers of the network. Together they halve the strip's width
// twice and bring its height to one.
var shapes = [...]shape{{2, 2, 1, 1}, {2, 2, 1, 1}, {2, 1, 1, 1}, {1, 1, 0, 1}, {1, 1, 0, 2}, {1, 1, 0, 0}}

// frameColumns is how many columns of a strip one frame of the network's answer
// stands for.
const frameColumns = 4

// classes is the number of the network's classes: blank, then alphabet.
const classes = 1 + len(alphabet)

// block is how many output channels are computed side by side.
const block = 8

// layer is a convolution.
type layer struct {
	shape
	out, in, height, width int
	// packed holds the weights by blocks of output channels, then by place in the
	// kernel, then by input channel; the channels of the block run fastest, so
	// that one number of the input meets eight weights in a row.
	packed []float32
	bias   []float32
	last   bool // without rectifier
}

// network reads a strip. It never changes.
type network struct{ layers []layer }

// errWeights is the answer to a weight file that is not one.
var errWeights = errors.New("the weights of the network are damaged")

// newNetwork unpacks a weight file.
func newNetwork(file []byte) (*network, error) {
	n := &network{}
	in := 1
	for i, s := range shapes {
		l := layer{shape: s, last: i == len(shapes)-1}
		var err error
		if file, err = l.load(file); err != nil {
			return nil, err
		}
		if l.in != in {
			return nil, errWeights
		}
		in = l.out
		n.layers = append(n.layers, l)
	}
	if in != classes || len(file) != 0 {
		return nil, errWeights
	}
	return n, nil
}

// load reads one layer and returns the rest of the file.
func (l *layer) load(file []byte) ([]byte, error) {
	if len(file) < 16 {
		return nil, errWeights
	}
	dims := [...]*int{&l.out, &l.in, &l.height, &l.width}
	for i, d := range dims {
		*d = int(int32(binary.LittleEndian.Uint32(file[4*i:])))
		if *d < 1 || *d > 1024 {
			return nil, errWeights
		}
	}
	taps := l.in * l.height * l.width
	if len(file) < 16+4*(l.out*taps+l.out) {
		return nil, errWeights
	}
	number := func(i int) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(file[16+4*i:])) }
	blocks := (l.out + block - 1) / block
	l.packed = make([]float32, blocks*block*taps)
	l.bias = make([]float32, blocks*block)
	area := l.height * l.width
	for o := range l.out {
		for t := range taps {
			channel, spot := t/area, t%area
			l.packed[(o/block*taps+spot*l.in+channel)*block+o%block] = number(o*taps + t)
		}
		l.bias[o] = number(l.out*taps + o)
	}
	return file[16+4*(l.out*taps+l.out):], nil
}

// tape is room for one strip's way through the network; it is used again.
type tape struct {
	terms []term
	a, b  []float32
}

// read gives the logarithms of the classes' probabilities for each frame of a
// strip, frame by frame. The slice is the caller's.
func (n *network) read(pix []uint8, width int, t *tape) []float32 {
	x := volume{strip.Height, width, 1, sized(t.a, len(pix))}
	normalise(pix, x.data)
	t.a = x.data
	for i := range n.layers {
		var y volume
		y, t.terms = n.layers[i].run(x, t.terms, t.b)
		t.a, t.b = y.data, x.data
		x = y
	}
	out := slices.Clone(x.data)
	for f := range x.width {
		logSoftmax(out[f*classes:][:classes])
	}
	return out
}

// normalise brings a strip to mean 0 and range 1 to either side, by the
// brightness that a twentieth of the pixels is below, and above.
func normalise(pix []uint8, out []float32) {
	var histogram [256]int
	for _, v := range pix {
		histogram[v]++
	}
	low, high := percentile(&histogram, len(pix)/20), percentile(&histogram, len(pix)-len(pix)/20)
	scale := 2 / max(high-low, 16)
	for i, v := range pix {
		out[i] = (float32(v) - (low+high)/2) * scale
	}
}

// percentile is the brightness that n pixels are at or below.
func percentile(histogram *[256]int, n int) float32 {
	for v, c := range histogram {
		if n -= c; n < 0 {
			return float32(v)
		}
	}
	return 255
}

// logSoftmax turns one frame into logarithms of probabilities.
func logSoftmax(frame []float32) {
	top, sum := slices.Max(frame), 0.0
	for _, v := range frame {
		sum += math.Exp(float64(v - top))
	}
	top += float32(math.Log(sum))
	for c := range frame {
		frame[c] -= top
	}
}

// sized returns a slice of n elements, in old if it has room. What is in it is
// left over.
func sized[T any](old []T, n int) []T { return slices.Grow(old[:0], n)[:n] }
