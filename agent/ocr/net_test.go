package ocr

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/counterproof/counterproof/agent/ocr/strip"
)

// plainConv is a convolution written out, to compare with.
func plainConv(l layer, weights, bias []float32, x volume) []float32 {
	height := (x.height+2*l.padY-l.height)/l.strideY + 1
	width := (x.width+2*l.padX-l.width)/l.strideX + 1
	out := make([]float32, height*width*l.out)
	for y := range height {
		for p := range width {
			for o := range l.out {
				sum := bias[o]
				for c := range l.in {
					for ky := range l.height {
						for kx := range l.width {
							sy, sx := y*l.strideY-l.padY+ky, p*l.strideX-l.padX+kx
							if sy >= 0 && sx >= 0 && sy < x.height && sx < x.width {
								w := weights[((o*l.in+c)*l.height+ky)*l.width+kx]
								sum += w * x.data[(sy*x.width+sx)*x.channels+c]
							}
						}
					}
				}
				if !l.last {
					sum = max(sum, 0)
				}
				out[(y*width+p)*l.out+o] = sum
			}
		}
	}
	return out
}

// layerFile writes a layer as the weight file has it.
func layerFile(out, in, height, width int, weights, bias []float32) []byte {
	var b bytes.Buffer
	for _, v := range []int{out, in, height, width} {
		_ = binary.Write(&b, binary.LittleEndian, int32(v))
	}
	_ = binary.Write(&b, binary.LittleEndian, weights)
	_ = binary.Write(&b, binary.LittleEndian, bias)
	return b.Bytes()
}

func TestLayersConvolve(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	numbers := func(n int, zeros float64) []float32 {
		out := make([]float32, n)
		for i := range out {
			if r.Float64() >= zeros {
				out[i] = float32(r.NormFloat64())
			}
		}
		return out
	}
	for i, test := range []struct {
		shape
		out, in, height, width int
		x                      [2]int
		last                   bool
	}{
		{shape{2, 2, 1, 1}, 16, 1, 3, 3, [2]int{24, 40}, false},
		{shape{2, 2, 1, 1}, 9, 5, 3, 3, [2]int{7, 13}, false},
		{shape{2, 1, 1, 1}, 8, 3, 3, 3, [2]int{6, 11}, false},
		{shape{1, 1, 0, 1}, 12, 4, 3, 3, [2]int{3, 9}, false},
		{shape{1, 1, 0, 2}, 5, 6, 1, 5, [2]int{1, 17}, false},
		{shape{1, 1, 0, 0}, 38, 7, 1, 1, [2]int{1, 5}, true},
	} {
		weights, bias := numbers(test.out*test.in*test.height*test.width, 0), numbers(test.out, 0)
		l := layer{shape: test.shape, last: test.last}
		rest, err := l.load(append(layerFile(test.out, test.in, test.height, test.width, weights, bias), 7))
		if err != nil || len(rest) != 1 {
			t.Fatalf("%d: %d bytes left, %v", i, len(rest), err)
		}
		x := volume{test.x[0], test.x[1], test.in, numbers(test.x[0]*test.x[1]*test.in, 0.5)}
		got, _ := l.run(x, nil, nil)
		want := plainConv(l, weights, bias, x)
		if len(got.data) != len(want) || got.channels != test.out {
			t.Fatalf("%d: %d numbers in %d channels, want %d", i, len(got.data), got.channels, len(want))
		}
		for k := range want {
			if math.Abs(float64(got.data[k]-want[k])) > 1e-4 {
				t.Fatalf("%d: number %d is %f, want %f", i, k, got.data[k], want[k])
			}
		}
	}
}

func TestTheWeightsOfTheProgram(t *testing.T) {
	t.Parallel()
	n, err := newNetwork(weightFile)
	if err != nil {
		t.Fatal(err)
	}
	const columns = 200
	pix := make([]uint8, strip.Height*columns)
	for i := range pix {
		pix[i] = uint8(i * 7)
	}
	var tp tape
	frames := n.read(pix, columns, &tp)
	if len(frames) != columns/frameColumns*classes {
		t.Fatalf("%d numbers", len(frames))
	}
	for f := range columns / frameColumns {
		sum := 0.0
		for _, v := range frames[f*classes:][:classes] {
			sum += math.Exp(float64(v))
		}
		if math.Abs(sum-1) > 1e-4 {
			t.Fatalf("the probabilities of frame %d add up to %f", f, sum)
		}
	}
	again := n.read(pix, columns, &tp)
	for i := range frames {
		if frames[i] != again[i] {
			t.Fatal("the second reading differs")
		}
	}
}

func TestDamagedWeightsAreRefused(t *testing.T) {
	t.Parallel()
	changed := bytes.Clone(weightFile)
	changed[0] = 99
	wide := bytes.Clone(weightFile)
	binary.LittleEndian.PutUint32(wide, 1<<30)
	for name, file := range map[string][]byte{
		"empty": nil, "cut short": weightFile[:len(weightFile)-1], "too long": append(bytes.Clone(weightFile), 0),
		"another shape": changed, "huge": wide, "one layer": weightFile[:16+4*(144+16)],
	} {
		if _, err := newNetwork(file); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestNormaliseDoesNotMindLight(t *testing.T) {
	t.Parallel()
	bright, dim := make([]uint8, 1000), make([]uint8, 1000)
	for i := range bright {
		v := 0
		if i%5 == 0 {
			v = 1
		}
		bright[i], dim[i] = uint8(220-180*v), uint8(90-60*v)
	}
	a, b := make([]float32, 1000), make([]float32, 1000)
	normalise(bright, a)
	normalise(dim, b)
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-5 || math.Abs(float64(a[i])) > 1.001 {
			t.Fatalf("pixel %d: %f and %f", i, a[i], b[i])
		}
	}
	flat := make([]float32, 1000)
	normalise(make([]uint8, 1000), flat)
	if flat[0] != 0 {
		t.Errorf("an even strip is %f", flat[0])
	}
}

func BenchmarkNetwork(b *testing.B) {
	n, err := newNetwork(weightFile)
	if err != nil {
		b.Fatal(err)
	}
	const columns = 800 // a line of 44 characters
	pix := make([]uint8, strip.Height*columns)
	for i := range pix {
		pix[i] = 210
		if i%17 < 3 {
			pix[i] = 30
		}
	}
	var tp tape
	for b.Loop() {
		n.read(pix, columns, &tp)
	}
}
