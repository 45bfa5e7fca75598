package weights

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// The shape of dlib's face network, a residual network of 29 layers: the side
// of its picture, of its features once the first pooling is done, and its
// stages by name, with how many units follow the one that halves the side.
const (
	dlibSide     = 150
	dlibFeatures = 35
	dlibOutput   = 128
)

type stage struct {
	name    string
	in, out int  // channels
	halves  bool // begins by halving the side
	units   int  // that keep the side
}

// dlibStages are the network's stages in their order.
func dlibStages() []stage {
	return []stage{
		{"conv32", 32, 32, false, 3},
		{"conv64", 32, 64, true, 3},
		{"conv128", 64, 128, true, 2},
		{"conv256", 128, 256, true, 2},
		{"conv256_down_out", 256, 256, true, 0},
	}
}

// FromDlib converts dlib's face recognition network, as its weights stand in a
// TensorFlow.js manifest with a file of 32-bit numbers or 8-bit steps, to ONNX.
// The graph takes "input", 1×3×150×150, and gives "output", 1×128, not yet of
// unit length.
func FromDlib(manifest, data []byte) ([]byte, error) {
	w, err := readManifest(manifest, data)
	if err != nil {
		return nil, fmt.Errorf("reading a TensorFlow.js manifest: %w", err)
	}
	d := &dlib{weights: w}
	out := d.network()
	if d.err != nil {
		return nil, fmt.Errorf("converting dlib's face network: %w", d.err)
	}
	d.g.input("input", []int{1, 3, dlibSide, dlibSide})
	d.g.opInto("output", "Identity", []string{out})
	d.g.output("output", []int{1, dlibOutput})
	return d.g.encode(), nil
}

// entry is one array of a manifest. Quantization is there where the numbers were
// stored as steps: a number is step × scale + min.
type entry struct {
	Name         string `json:"name"`
	Shape        []int  `json:"shape"`
	Type         string `json:"dtype"`
	Quantization *struct {
		Type  string  `json:"dtype"`
		Scale float64 `json:"scale"`
		Min   float64 `json:"min"`
	} `json:"quantization"`
}

// readManifest reads the arrays one after another; the data must end with the
// last one.
func readManifest(manifest, data []byte) (map[string]array, error) {
	var groups []struct {
		Weights []entry `json:"weights"`
	}
	if err := json.Unmarshal(manifest, &groups); err != nil {
		return nil, err
	}
	all := map[string]array{}
	for _, g := range groups {
		for _, e := range g.Weights {
			if len(all) == maxTensors {
				return nil, errors.New("it lists too many arrays")
			}
			a, rest, err := e.read(data)
			if err != nil {
				return nil, fmt.Errorf("array %d: %w", len(all)+1, err)
			}
			all[e.Name], data = a, rest
		}
	}
	if len(data) > 0 {
		return nil, fmt.Errorf("%d bytes are left over", len(data))
	}
	return all, nil
}

// read takes the array off the front of the data. The conversions around each
// product keep a processor from doing product and sum in one rounding.
func (e entry) read(data []byte) (array, []byte, error) {
	if len(e.Shape) > maxDims {
		return array{}, nil, fmt.Errorf("a shape of %d axes", len(e.Shape))
	}
	n, err := elements(e.Shape)
	if err != nil {
		return array{}, nil, err
	}
	a := array{shape: e.Shape}
	switch q := e.Quantization; {
	case e.Type != "float32":
		return array{}, nil, errors.New("its numbers are not 32-bit ones")
	case q == nil && len(data) >= 4*n:
		a.data = make([]float32, n)
		for i := range a.data {
			a.data[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return a, data[4*n:], nil
	case q != nil && q.Type == "uint8" && len(data) >= n:
		a.data = make([]float32, n)
		scale, low := float32(q.Scale), float32(q.Min)
		for i := range a.data {
			a.data[i] = float32(float32(data[i])*scale) + low
		}
		return a, data[n:], nil
	case q != nil && q.Type != "uint8":
		return array{}, nil, errors.New("its steps are not 8-bit ones")
	}
	return array{}, nil, errShort
}

// dlib writes the network, which its manifest names but does not draw: the layers
// are those of dnn_face_recognition_ex.cpp in dlib. Its first failure is kept in err; what follows is
// then of no use.
type dlib struct {
	g       graph
	weights map[string]array
	err     error
}

// weight finds an array with a number of axes.
func (d *dlib) weight(name string, axes int) array {
	a, ok := d.weights[name]
	if (!ok || len(a.shape) != axes) && d.err == nil {
		d.err = fmt.Errorf("there is no array %q of %d axes", name, axes)
	}
	if d.err != nil {
		return array{shape: make([]int, axes)}
	}
	return a
}

// network writes all layers: one wide convolution, the stages, the mean over
// the picture and the last matrix.
func (d *dlib) network() string {
	x := d.relu(d.conv("input", "conv32_down", 2, false))
	x = d.g.op("MaxPool", []string{x}, attribute{"kernel_shape", []int{3, 3}}, attribute{"strides", []int{2, 2}})
	side := dlibFeatures
	for _, s := range dlibStages() {
		if s.halves {
			x = d.halve(x, s, side)
			side /= 2
		}
		for i := range s.units {
			x = d.unit(x, fmt.Sprintf("%s_%d", s.name, i+1))
		}
	}
	x = d.g.op("Flatten", []string{d.g.op("GlobalAveragePool", []string{x})})
	return d.g.op("MatMul", []string{x, d.g.floats(d.weight("fc", 2))})
}

// relu keeps what is above zero.
func (d *dlib) relu(x string) string { return d.g.op("Relu", []string{x}) }

// unit is a residual unit that keeps the side: two convolutions whose result is
// added to what went in.
func (d *dlib) unit(x, name string) string {
	y := d.relu(d.conv(x, name+"/conv1", 1, true))
	y = d.conv(y, name+"/conv2", 1, true)
	return d.relu(d.g.op("Add", []string{x, y}))
}

// halve is a residual unit that halves the side and may widen the channels.
// The convolution without a border comes out one short of half an odd number,
// and what is added has fewer channels: both are filled up with zeros.
func (d *dlib) halve(x string, s stage, side int) string {
	name := s.name
	if name != "conv256_down_out" {
		name += "_down"
	}
	y := d.relu(d.conv(x, name+"/conv1", 2, false))
	y = d.conv(y, name+"/conv2", 1, true)
	mean := d.g.op("AveragePool", []string{x}, attribute{"kernel_shape", []int{2, 2}}, attribute{"strides", []int{2, 2}})
	if short := side/2 - ((side-3)/2 + 1); short > 0 {
		y = d.g.op("Pad", []string{y, d.g.ints(0, 0, 0, 0, 0, 0, short, short)})
	}
	if more := s.out - s.in; more > 0 {
		mean = d.g.op("Pad", []string{mean, d.g.ints(0, 0, 0, 0, 0, more, 0, 0)})
	}
	return d.relu(d.g.op("Add", []string{mean, y}))
}

// conv is a convolution with the scale that follows it multiplied into its
// weights, each product rounded by itself.
func (d *dlib) conv(x, name string, stride int, border bool) string {
	k := d.weight(name+"/conv/filters", 4)
	bias := d.weight(name+"/conv/bias", 1)
	scale, shift := d.weight(name+"/scale/weights", 1), d.weight(name+"/scale/biases", 1)
	if d.err == nil && (len(bias.data) != k.shape[3] || len(scale.data) != k.shape[3] || len(shift.data) != k.shape[3]) {
		d.err = fmt.Errorf("the arrays of %q differ in size", name)
	}
	if d.err != nil {
		return x
	}
	k = k.permuted(3, 2, 0, 1)
	each := len(k.data) / len(scale.data)
	for i := range k.data {
		k.data[i] *= scale.data[i/each]
	}
	moved := array{shape: bias.shape, data: make([]float32, len(bias.data))}
	for i := range moved.data {
		moved.data[i] = float32(bias.data[i]*scale.data[i]) + shift.data[i]
	}
	wide := 0
	if border {
		wide = k.shape[2] / 2
	}
	return d.g.op("Conv", []string{x, d.g.floats(k), d.g.floats(moved)},
		attribute{"strides", []int{stride, stride}},
		attribute{"kernel_shape", []int{k.shape[2], k.shape[3]}},
		attribute{"pads", []int{wide, wide, wide, wide}})
}
