package weights

import (
	"errors"
	"fmt"
	"slices"
)

// Operator numbers of TensorFlow Lite that are converted.
const (
	liteAdd, liteConcat, liteConv, liteDepthwise, liteDequantize = 0, 2, 3, 4, 6
	liteMaxPool, liteMul, liteRelu, liteReshape                  = 17, 18, 19, 22
	litePad, liteSub, litePRelu, liteAbs                         = 34, 41, 54, 101
)

// The fused activations of the schema that occur.
const noActivation, reluActivation = 0, 1

// FromTFLite converts a TensorFlow Lite model of 32-bit or half-precision
// weights to ONNX (IR 8, operator set 13). Values keep the order height, width,
// channel; input and outputs keep their names, and a batch becomes one picture.
// It returns an error for an operator, type or shape that it does not know.
func FromTFLite(b []byte) ([]byte, error) {
	m, err := readLite(b)
	if err != nil {
		return nil, fmt.Errorf("reading a TensorFlow Lite model: %w", err)
	}
	c := &liteConverter{lite: m, names: map[int]string{}, consts: map[int]array{}, left: maxTotal}
	c.findSlopes()
	if err := c.convert(); err != nil {
		return nil, fmt.Errorf("converting a TensorFlow Lite model: %w", err)
	}
	return c.g.encode(), nil
}

// liteConverter writes a model's operators as a graph.
type liteConverter struct {
	*lite
	g      graph
	names  map[int]string // of the tensors that the graph has so far
	consts map[int]array  // widened from half precision
	slopes map[int]slope  // by the number of the operator that ends one
	inside map[int]bool   // operators that a slope replaces
	left   int            // numbers that may still be read
}

// convert goes through the operators in their order, which is one in which they
// can run.
func (c *liteConverter) convert() error {
	in := c.tensors[c.inputs[0]]
	c.names[c.inputs[0]] = in.name
	c.g.input(in.name, c.single(in.shape))
	for n, o := range c.ops {
		if c.inside[n] {
			continue
		}
		if err := c.step(n, o); err != nil {
			return fmt.Errorf("operator %d of kind %d: %w", n, o.code, err)
		}
	}
	for _, i := range c.outputs {
		made, ok := c.names[i]
		if !ok {
			return fmt.Errorf("nothing makes the output %q", c.tensors[i].name)
		}
		c.g.opInto(c.tensors[i].name, "Identity", []string{made})
		c.g.output(c.tensors[i].name, c.single(c.tensors[i].shape))
	}
	return nil
}

// single is a shape with the model's batch made one. MobileFaceNet was written
// for two pictures at a time; every layer treats them each by itself.
func (c *liteConverter) single(shape []int) []int {
	batch := c.tensors[c.inputs[0]].shape
	if len(batch) == 0 || len(shape) == 0 || shape[0] != batch[0] {
		return shape
	}
	one := slices.Clone(shape)
	one[0] = 1
	return one
}

// step converts one operator. Widening from half precision is done here and now,
// so that the written file has no such step.
func (c *liteConverter) step(n int, o operator) error {
	if o.code == liteDequantize {
		a, err := c.constant(o.in[0])
		c.consts[o.out[0]] = a
		return err
	}
	if s, ok := c.slopes[n]; ok {
		return c.prelu(s, o.out[0])
	}
	made, err := c.compute(o)
	if err == nil {
		c.names[o.out[0]] = made
	}
	return err
}

// compute writes an operator and gives the name of what it makes.
func (c *liteConverter) compute(o operator) (string, error) {
	switch o.code {
	case liteConv:
		return c.conv(o, convolution{kernel: []int{0, 3, 1, 2}, stride: 1, activation: 3, dilation: 4})
	case liteDepthwise:
		return c.conv(o, convolution{kernel: []int{3, 0, 1, 2}, stride: 1, activation: 4, dilation: 5, depthwise: true})
	case liteMaxPool:
		return c.maxPool(o)
	case liteRelu:
		return c.plain("Relu", o.in[:1])
	case liteAbs:
		return c.plain("Abs", o.in[:1])
	case litePRelu:
		return c.plain("PRelu", o.in)
	case liteAdd, liteSub, liteMul:
		return c.arithmetic(o)
	case litePad:
		return c.pad(o)
	case liteReshape:
		return c.reshape(o)
	case liteConcat:
		if o.options.byte(1) != noActivation {
			return "", errActivation
		}
		return c.plain("Concat", o.in, attribute{"axis", o.options.int(0, 0)})
	}
	return "", errors.New("it is none of the operators that are converted")
}

// errActivation is a fused activation that does not occur in what is converted.
var errActivation = errors.New("its activation is not one that is converted")

// value is the name of a tensor in the graph; a constant is added when it is
// first asked for.
func (c *liteConverter) value(i int) (string, error) {
	if name, ok := c.names[i]; ok {
		return name, nil
	}
	a, err := c.constant(i)
	if err != nil {
		return "", err
	}
	c.names[i] = c.g.floats(a)
	return c.names[i], nil
}

// constant gives the numbers of a tensor that nothing computes.
func (c *liteConverter) constant(i int) (array, error) {
	if i < 0 {
		return array{}, errors.New("an input is left out")
	}
	if a, ok := c.consts[i]; ok {
		return a, nil
	}
	a, err := c.tensors[i].floats()
	if c.left -= len(a.data); c.left < 0 {
		return array{}, errors.New("it has too many weights")
	}
	return a, err
}

// plain writes an operator that takes tensors as they are, and means the same in
// both formats.
func (c *liteConverter) plain(kind string, in []int, attrs ...attribute) (string, error) {
	names := make([]string, len(in))
	for k, i := range in {
		name, err := c.value(i)
		if err != nil {
			return "", err
		}
		names[k] = name
	}
	return c.g.op(kind, names, attrs...), nil
}

// arithmetic writes a sum, difference or product; sizes that differ are
// broadcast alike in both formats.
func (c *liteConverter) arithmetic(o operator) (string, error) {
	kind := map[int]string{liteAdd: "Add", liteSub: "Sub", liteMul: "Mul"}[o.code]
	if len(o.in) != 2 {
		return "", errors.New("it has not two sides")
	}
	made, err := c.plain(kind, o.in)
	if err != nil {
		return "", err
	}
	return c.activated(made, o.options.byte(0))
}

// activated adds a fused activation, which ONNX writes as a step of its own.
func (c *liteConverter) activated(name string, activation int) (string, error) {
	switch activation {
	case noActivation:
		return name, nil
	case reluActivation:
		return c.g.op("Relu", []string{name}), nil
	}
	return "", errActivation
}

// convolution tells where a kind of convolution has its options and in which
// order its kernel's axes are wanted.
type convolution struct {
	kernel                       []int
	stride, activation, dilation int
	depthwise                    bool
}

// conv writes a convolution. ONNX wants channels before height and width, so
// the value is turned and turned back; a runtime folds these turns.
func (c *liteConverter) conv(o operator, kind convolution) (string, error) {
	if len(o.in) < 2 || len(o.in) > 3 {
		return "", errors.New("it has no kernel")
	}
	x, err := c.value(o.in[0])
	if err != nil {
		return "", err
	}
	k, err := c.constant(o.in[1])
	if err != nil {
		return "", err
	}
	if len(k.shape) != 4 || kind.depthwise && k.shape[0] != 1 {
		return "", fmt.Errorf("a kernel of shape %v", k.shape)
	}
	k = k.permuted(kind.kernel...)
	inputs := []string{c.channelsFirst(x), c.g.floats(k)}
	if len(o.in) == 3 && o.in[2] >= 0 {
		bias, err := c.constant(o.in[2])
		if err != nil {
			return "", err
		}
		inputs = append(inputs, c.g.floats(bias))
	}
	group := 1
	if kind.depthwise {
		group = k.shape[0]
	}
	made := c.g.op("Conv", inputs, append(c.window(o, kind.stride, k.shape[2:]),
		attribute{"group", group},
		attribute{"dilations", []int{o.options.int(kind.dilation+1, 1), o.options.int(kind.dilation, 1)}})...)
	return c.activated(c.channelsLast(made), o.options.byte(kind.activation))
}

// window gives the attributes of a window that slides: field at is the stride
// across, the next one the stride down.
func (c *liteConverter) window(o operator, at int, size []int) []attribute {
	padding := "VALID"
	if o.options.byte(0) == 0 {
		padding = "SAME_UPPER"
	}
	return []attribute{
		{"strides", []int{o.options.int(at+1, 1), o.options.int(at, 1)}},
		{"kernel_shape", size},
		{"auto_pad", padding},
	}
}

// maxPool writes the largest of each window. Its fields are padding, strides and
// the window's sides.
func (c *liteConverter) maxPool(o operator) (string, error) {
	x, err := c.value(o.in[0])
	if err != nil {
		return "", err
	}
	size := []int{o.options.int(4, 1), o.options.int(3, 1)}
	made := c.g.op("MaxPool", []string{c.channelsFirst(x)}, c.window(o, 1, size)...)
	return c.activated(c.channelsLast(made), o.options.byte(5))
}

// channelsFirst and channelsLast turn a value to the order of ONNX and back.
func (c *liteConverter) channelsFirst(name string) string {
	return c.g.op("Transpose", []string{name}, attribute{"perm", []int{0, 3, 1, 2}})
}

func (c *liteConverter) channelsLast(name string) string {
	return c.g.op("Transpose", []string{name}, attribute{"perm", []int{0, 2, 3, 1}})
}

// pad writes zeros around a value. TensorFlow tells before and after by axis,
// ONNX all befores and then all afters.
func (c *liteConverter) pad(o operator) (string, error) {
	if len(o.in) != 2 || o.in[1] < 0 {
		return "", errors.New("it has no widths")
	}
	pairs, err := c.tensors[o.in[1]].whole()
	if err != nil {
		return "", err
	}
	if len(pairs)%2 != 0 || len(pairs) > 2*maxDims {
		return "", fmt.Errorf("it has %d widths", len(pairs))
	}
	widths := make([]int, len(pairs))
	for i, w := range pairs {
		widths[i%2*len(pairs)/2+i/2] = w
	}
	x, err := c.value(o.in[0])
	if err != nil {
		return "", err
	}
	return c.g.op("Pad", []string{x, c.g.ints(widths...)}), nil
}

// reshape takes the shape that the result is declared with: the list that an
// operator may bring along says the same, for the batch that is given up.
func (c *liteConverter) reshape(o operator) (string, error) {
	shape := c.single(c.tensors[o.out[0]].shape)
	if _, err := elements(shape); err != nil {
		return "", err
	}
	x, err := c.value(o.in[0])
	if err != nil {
		return "", err
	}
	return c.g.op("Reshape", []string{x, c.g.ints(shape...)}), nil
}
