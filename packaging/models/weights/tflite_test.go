package weights

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
)

// model is a TensorFlow Lite model in the making.
type model struct {
	tensors []tab
	buffers []tab
	codes   []tab
	ops     []tab
}

// newModel begins with an empty buffer, as the schema asks, and the input.
func newModel(shape ...int32) *model {
	m := &model{buffers: []tab{{}}}
	m.tensor("in", shape...)
	return m
}

// tensor adds a value that is computed.
func (m *model) tensor(name string, shape ...int32) int32 {
	m.tensors = append(m.tensors, tab{shape, int8(liteFloat32), nil, name})
	return int32(len(m.tensors) - 1)
}

// constant adds numbers.
func (m *model) constant(elem int8, raw []byte, shape ...int32) int32 {
	m.buffers = append(m.buffers, tab{raw})
	m.tensors = append(m.tensors, tab{shape, elem, int32(len(m.buffers) - 1), "c"})
	return int32(len(m.tensors) - 1)
}

func (m *model) floats(shape []int32, v ...float32) int32 {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return m.constant(liteFloat32, raw, shape...)
}

func (m *model) ints(shape []int32, v ...int32) int32 {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(x))
	}
	return m.constant(liteInt32, raw, shape...)
}

// op adds an operator.
func (m *model) op(code int8, in []int32, out int32, options tab) {
	m.codes = append(m.codes, tab{code, nil, nil, int32(code)})
	var o any
	if options != nil {
		o = options
	}
	m.ops = append(m.ops, tab{int32(len(m.codes) - 1), in, []int32{out}, nil, o})
}

// file writes the model; it gives what tensor out is.
func (m *model) file(out ...int32) []byte {
	sub := tab{m.tensors, []int32{0}, out, m.ops}
	return flatbuffer(tab{int32(3), m.codes, []tab{sub}, nil, m.buffers})
}

// count gives the numbers 1, 2, 3 …
func numbered(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i + 1)
	}
	return v
}

// convert converts and reads back.
func convert(t *testing.T, b []byte) written {
	t.Helper()
	out, err := FromTFLite(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := FromTFLite(b)
	if err != nil || !slices.Equal(out, again) {
		t.Fatalf("a second conversion differs, %v", err)
	}
	w := readBack(t, out)
	w.wired(t)
	return w
}

func TestConvolution(t *testing.T) {
	t.Run("whole", func(t *testing.T) {
		m := newModel(1, 4, 4, 2)
		k := m.floats([]int32{3, 1, 2, 2}, numbered(12)...) // out, height, width, in
		bias := m.floats([]int32{3}, 7, 8, 9)
		out := m.tensor("out", 1, 2, 4, 3)
		m.op(liteConv, []int32{0, k, bias}, out, tab{int8(0), int32(1), int32(2), int8(reluActivation)})
		w := convert(t, m.file(out))
		if got, want := w.kinds(), []string{"Transpose", "Conv", "Transpose", "Relu", "Identity"}; !slices.Equal(got, want) {
			t.Errorf("operators: got %v, want %v", got, want)
		}
		conv := w.only(t, "Conv")
		if !slices.Equal(conv.ints["strides"], []int64{2, 1}) || !slices.Equal(conv.ints["kernel_shape"], []int64{1, 2}) ||
			conv.ints["group"][0] != 1 || conv.texts["auto_pad"] != "SAME_UPPER" {
			t.Errorf("attributes: got %v and %v", conv.ints, conv.texts)
		}
		kernel := w.consts[conv.in[1]]
		if !slices.Equal(kernel.dims, []int64{3, 2, 1, 2}) || !slices.Equal(kernel.floats[:4], []float32{1, 3, 2, 4}) {
			t.Errorf("kernel: got %v", kernel)
		}
		if got := w.consts[conv.in[2]].floats; !slices.Equal(got, []float32{7, 8, 9}) {
			t.Errorf("bias: got %v", got)
		}
	})
	t.Run("by-channel", func(t *testing.T) {
		m := newModel(1, 4, 4, 2)
		k := m.floats([]int32{1, 1, 2, 2}, numbered(4)...)
		out := m.tensor("out", 1, 4, 3, 2)
		m.op(liteDepthwise, []int32{0, k, -1}, out, tab{int8(1), int32(1), int32(1), int32(1), int8(0)})
		conv := convert(t, m.file(out)).only(t, "Conv")
		if conv.ints["group"][0] != 2 || conv.texts["auto_pad"] != "VALID" || len(conv.in) != 2 {
			t.Errorf("got %v, %v and %d inputs", conv.ints, conv.texts, len(conv.in))
		}
	})
}

func TestHalfPrecisionWeights(t *testing.T) {
	m := newModel(1, 2)
	raw := binary.LittleEndian.AppendUint16(nil, 0x3c00) // 1
	raw = binary.LittleEndian.AppendUint16(raw, 0xc000)  // -2
	packed := m.constant(liteFloat16, raw, 2)
	wide, out := m.tensor("wide", 2), m.tensor("out", 1, 2)
	m.op(liteDequantize, []int32{packed}, wide, nil)
	m.op(liteMul, []int32{0, wide}, out, tab{int8(0)})
	w := convert(t, m.file(out))
	if got := w.consts[w.only(t, "Mul").in[1]].floats; !slices.Equal(got, []float32{1, -2}) {
		t.Errorf("got %v, want 1 and -2", got)
	}
}

func TestHalf(t *testing.T) {
	for _, c := range []struct {
		name string
		bits uint16
		want float32
	}{
		{"zero", 0, 0}, {"one", 0x3c00, 1}, {"smallest", 1, 1.0 / (1 << 24)}, {"largest-subnormal", 0x3ff, 1023.0 / (1 << 24)},
		{"smallest-normal", 0x400, 1.0 / (1 << 14)}, {"largest", 0x7bff, 65504}, {"negative", 0xb800, -0.5},
		{"infinity", 0x7c00, float32(math.Inf(1))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := half(c.bits); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	if got := half(0x7e00); got == got {
		t.Errorf("not a number: got %v", got)
	}
	if got := half(0x8000); got != 0 || !math.Signbit(float64(got)) {
		t.Errorf("negative zero: got %v", got)
	}
}

func TestBatchBecomesOne(t *testing.T) {
	m := newModel(2, 2, 2, 1)
	out := m.tensor("embeddings", 2, 4)
	m.op(liteReshape, []int32{0}, out, tab{})
	w := convert(t, m.file(out))
	if got := w.inputs["in"]; !slices.Equal(got, []int64{1, 2, 2, 1}) {
		t.Errorf("input: got %v", got)
	}
	if got := w.outputs["embeddings"]; !slices.Equal(got, []int64{1, 4}) {
		t.Errorf("output: got %v", got)
	}
	if got := w.consts[w.only(t, "Reshape").in[1]].ints; !slices.Equal(got, []int64{1, 4}) {
		t.Errorf("shape: got %v", got)
	}
}

func TestSimpleOperators(t *testing.T) {
	m := newModel(1, 4, 4, 2)
	widths := m.ints([]int32{4, 2}, 0, 0, 1, 2, 3, 4, 0, 0)
	padded, pooled := m.tensor("padded", 1, 7, 11, 2), m.tensor("pooled", 1, 3, 5, 2)
	sum, joined := m.tensor("sum", 1, 3, 5, 2), m.tensor("joined", 1, 6, 5, 2)
	slopes := m.floats([]int32{2}, 0.25, 0.5)
	leaky := m.tensor("leaky", 1, 6, 5, 2)
	m.op(litePad, []int32{0, widths}, padded, tab{})
	m.op(liteMaxPool, []int32{padded}, pooled, tab{int8(1), int32(2), int32(2), int32(3), int32(2), int8(0)})
	m.op(liteAdd, []int32{pooled, pooled}, sum, tab{int8(reluActivation)})
	m.op(liteConcat, []int32{sum, pooled}, joined, tab{int32(1), int8(0)})
	m.op(litePRelu, []int32{joined, slopes}, leaky, nil)
	w := convert(t, m.file(leaky))
	if got, want := w.kinds(), []string{"Pad", "Transpose", "MaxPool", "Transpose", "Add", "Relu", "Concat", "PRelu", "Identity"}; !slices.Equal(got, want) {
		t.Errorf("operators: got %v, want %v", got, want)
	}
	if got := w.consts[w.only(t, "Pad").in[1]].ints; !slices.Equal(got, []int64{0, 1, 3, 0, 0, 2, 4, 0}) {
		t.Errorf("widths: got %v", got)
	}
	if got := w.only(t, "MaxPool").ints; !slices.Equal(got["kernel_shape"], []int64{2, 3}) || !slices.Equal(got["strides"], []int64{2, 2}) {
		t.Errorf("pooling: got %v", got)
	}
	if got := w.only(t, "Concat").ints["axis"]; !slices.Equal(got, []int64{1}) {
		t.Errorf("axis: got %v", got)
	}
}

// leaky writes relu(x) + k·(x − |x|) and gives the tensors of relu and sum.
func leaky(m *model, x int32) (relu, sum int32) {
	k := m.floats([]int32{2}, 0.25, -0.5)
	relu, sum = m.tensor("relu", 1, 2), m.tensor("sum", 1, 2)
	abs, gap, product := m.tensor("abs", 1, 2), m.tensor("gap", 1, 2), m.tensor("product", 1, 2)
	m.op(liteRelu, []int32{x}, relu, nil)
	m.op(liteAbs, []int32{x}, abs, nil)
	m.op(liteSub, []int32{x, abs}, gap, tab{int8(0)})
	m.op(liteMul, []int32{k, gap}, product, tab{int8(0)})
	m.op(liteAdd, []int32{relu, product}, sum, tab{int8(0)})
	return relu, sum
}

func TestSlope(t *testing.T) {
	t.Run("five-operators-become-one", func(t *testing.T) {
		m := newModel(1, 2)
		_, sum := leaky(m, 0)
		w := convert(t, m.file(sum))
		if got, want := w.kinds(), []string{"PRelu", "Identity"}; !slices.Equal(got, want) {
			t.Fatalf("operators: got %v, want %v", got, want)
		}
		if got := w.consts[w.only(t, "PRelu").in[1]].floats; !slices.Equal(got, []float32{0.5, -1}) {
			t.Errorf("slopes: got %v, want them doubled", got)
		}
	})
	t.Run("not-when-a-part-is-used-elsewhere", func(t *testing.T) {
		m := newModel(1, 2)
		relu, sum := leaky(m, 0)
		w := convert(t, m.file(sum, relu))
		if slices.Contains(w.kinds(), "PRelu") {
			t.Errorf("got %v, want the five operators as they are", w.kinds())
		}
	})
	t.Run("not-of-two-different-values", func(t *testing.T) {
		m := newModel(1, 2)
		other := m.tensor("other", 1, 2)
		m.op(liteRelu, []int32{0}, other, nil)
		_, sum := leaky(m, other)
		m.ops[1][1] = []int32{0} // the relu of another value
		w := convert(t, m.file(sum))
		if slices.Contains(w.kinds(), "PRelu") {
			t.Errorf("got %v, want the five operators as they are", w.kinds())
		}
	})
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, says string
		build      func() []byte
	}{
		{"no-model", "no TensorFlow Lite model", func() []byte { return []byte("a text, and not a short one") }},
		{"empty", "no TensorFlow Lite model", func() []byte { return nil }},
		{"no-graph", "no graph", func() []byte { return flatbuffer(tab{int32(3)}) }},
		{"unknown-operator", "none of the operators", func() []byte {
			m := newModel(1, 2)
			out := m.tensor("out", 1, 2)
			m.op(99, []int32{0}, out, nil)
			return m.file(out)
		}},
		{"unknown-activation", "activation", func() []byte {
			m := newModel(1, 2)
			out := m.tensor("out", 1, 2)
			m.op(liteAdd, []int32{0, 0}, out, tab{int8(6)})
			return m.file(out)
		}},
		{"value-before-it-is-made", "constant", func() []byte {
			m := newModel(1, 2)
			later, out := m.tensor("later", 1, 2), m.tensor("out", 1, 2)
			m.op(liteRelu, []int32{later}, out, nil)
			return m.file(out)
		}},
		{"tensor-that-is-not-there", "not there", func() []byte {
			m := newModel(1, 2)
			out := m.tensor("out", 1, 2)
			m.op(liteRelu, []int32{77}, out, nil)
			return m.file(out)
		}},
		{"output-that-nothing-makes", "nothing makes", func() []byte {
			m := newModel(1, 2)
			out := m.tensor("out", 1, 2)
			return m.file(out)
		}},
		{"weights-cut-short", "bytes", func() []byte {
			m := newModel(1, 2)
			k := m.constant(liteFloat32, []byte{1, 2, 3}, 2)
			out := m.tensor("out", 1, 2)
			m.op(liteMul, []int32{0, k}, out, nil)
			return m.file(out)
		}},
		{"kernel-of-two-axes", "kernel of shape", func() []byte {
			m := newModel(1, 2, 2, 1)
			k := m.floats([]int32{2, 2}, numbered(4)...)
			out := m.tensor("out", 1, 2, 2, 1)
			m.op(liteConv, []int32{0, k}, out, tab{})
			return m.file(out)
		}},
		{"no-input", "0 inputs", func() []byte {
			sub := tab{[]tab{{[]int32{1}, int8(0), nil, "x"}}, []int32{}, []int32{0}, []tab{}}
			return flatbuffer(tab{int32(3), []tab{}, []tab{sub}, nil, []tab{{}}})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := FromTFLite(c.build())
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %d bytes, %v, want an error that says %q", len(out), err, c.says)
			}
		})
	}
}

func FuzzFromTFLite(f *testing.F) {
	m := newModel(2, 4, 4, 2)
	k := m.floats([]int32{2, 1, 2, 2}, numbered(8)...)
	conv, out := m.tensor("conv", 2, 4, 4, 2), m.tensor("out", 2, 8, 4)
	m.op(liteConv, []int32{0, k}, conv, tab{int8(0), int32(1), int32(1), int8(1)})
	m.op(liteReshape, []int32{conv}, out, tab{})
	f.Add(m.file(out))
	s := newModel(1, 2)
	_, sum := leaky(s, 0)
	f.Add(s.file(sum))
	f.Add(flatbuffer(tab{int32(3)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := FromTFLite(b); err == nil {
			readBack(t, out)
		}
	})
}
