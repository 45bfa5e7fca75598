package weights

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// fields reads a protobuf message into its fields: numbers and blocks.
type fields struct {
	numbers map[int][]int64
	blocks  map[int][][]byte
}

func parse(t *testing.T, b []byte) fields {
	t.Helper()
	f := fields{map[int][]int64{}, map[int][][]byte{}}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			t.Fatal("a key is broken")
		}
		v, m := binary.Uvarint(b[n:])
		if m <= 0 {
			t.Fatal("a value is broken")
		}
		b = b[n+m:]
		switch field := int(key >> 3); key & 7 {
		case 0:
			f.numbers[field] = append(f.numbers[field], int64(v))
		case 2:
			if v > uint64(len(b)) {
				t.Fatal("a block is longer than the message")
			}
			f.blocks[field] = append(f.blocks[field], b[:v])
			b = b[v:]
		default:
			t.Fatalf("wire type %d is not written", key&7)
		}
	}
	return f
}

// text is the first block of a field as text.
func (f fields) text(field int) string {
	if len(f.blocks[field]) == 0 {
		return ""
	}
	return string(f.blocks[field][0])
}

// texts are all blocks of a field.
func (f fields) texts(field int) []string {
	var all []string
	for _, b := range f.blocks[field] {
		all = append(all, string(b))
	}
	return all
}

// written is an ONNX file as it was read back.
type written struct {
	nodes   []node
	consts  map[string]constant
	inputs  map[string][]int64
	outputs map[string][]int64
}

type node struct {
	kind    string
	in, out []string
	ints    map[string][]int64
	texts   map[string]string
}

type constant struct {
	dims   []int64
	floats []float32
	ints   []int64
}

func readBack(t *testing.T, b []byte) written {
	t.Helper()
	model := parse(t, b)
	if got := model.numbers[modelIR]; !slices.Equal(got, []int64{irVersion}) {
		t.Fatalf("IR version: got %v", got)
	}
	opset := parse(t, model.blocks[modelOpset][0])
	if got := opset.numbers[opsetNumber]; !slices.Equal(got, []int64{opsetVersion}) {
		t.Fatalf("operator set: got %v", got)
	}
	g := parse(t, model.blocks[modelGraph][0])
	w := written{consts: map[string]constant{}, inputs: declared(t, g, graphIn), outputs: declared(t, g, graphOut)}
	for _, raw := range g.blocks[graphNode] {
		w.nodes = append(w.nodes, readNode(t, raw))
	}
	for _, raw := range g.blocks[graphInit] {
		f := parse(t, raw)
		w.consts[f.text(tensorName)] = readConstant(f)
	}
	return w
}

func declared(t *testing.T, g fields, field int) map[string][]int64 {
	all := map[string][]int64{}
	for _, raw := range g.blocks[field] {
		v := parse(t, raw)
		tensor := parse(t, parse(t, v.blocks[valueType][0]).blocks[typeTensor][0])
		shape := []int64{}
		for _, dim := range parse(t, tensor.blocks[shapeTag][0]).blocks[shapeDim] {
			shape = append(shape, parse(t, dim).numbers[dimValue]...)
		}
		all[v.text(valueName)] = shape
	}
	return all
}

func readNode(t *testing.T, raw []byte) node {
	f := parse(t, raw)
	n := node{f.text(nodeType), f.texts(nodeInput), f.texts(nodeOutput), map[string][]int64{}, map[string]string{}}
	for _, raw := range f.blocks[nodeAttribute] {
		a := parse(t, raw)
		name := a.text(attrName)
		switch a.numbers[attrType][0] {
		case kindInt:
			n.ints[name] = a.numbers[attrInt]
		case kindInts:
			n.ints[name] = a.numbers[attrInts]
		case kindString:
			n.texts[name] = a.text(attrString)
		}
	}
	return n
}

func readConstant(f fields) constant {
	c := constant{dims: f.numbers[tensorDims]}
	raw := f.blocks[tensorRaw][0]
	if f.numbers[tensorType][0] == elemInt64 {
		for i := 0; i+8 <= len(raw); i += 8 {
			c.ints = append(c.ints, int64(binary.LittleEndian.Uint64(raw[i:])))
		}
		return c
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		c.floats = append(c.floats, math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))
	}
	return c
}

// kinds lists the operators in their order.
func (w written) kinds() []string {
	var all []string
	for _, n := range w.nodes {
		all = append(all, n.kind)
	}
	return all
}

// only is the one operator of a kind.
func (w written) only(t *testing.T, kind string) node {
	t.Helper()
	i := slices.IndexFunc(w.nodes, func(n node) bool { return n.kind == kind })
	if i < 0 {
		t.Fatalf("there is no %s among %v", kind, w.kinds())
	}
	return w.nodes[i]
}

// wired reports an operator that takes what nothing before it makes.
func (w written) wired(t *testing.T) {
	t.Helper()
	known := map[string]bool{}
	for name := range w.inputs {
		known[name] = true
	}
	for name := range w.consts {
		known[name] = true
	}
	for _, n := range w.nodes {
		for _, in := range n.in {
			if !known[in] {
				t.Errorf("%s takes %q, which nothing makes before it", n.kind, in)
			}
		}
		for _, out := range n.out {
			if known[out] {
				t.Errorf("%q is made twice", out)
			}
			known[out] = true
		}
	}
	for name := range w.outputs {
		if !known[name] {
			t.Errorf("nothing makes the output %q", name)
		}
	}
}

func TestGraphReadsBack(t *testing.T) {
	var g graph
	g.input("in", []int{1, 2})
	k := g.floats(array{[]int{2}, []float32{0.5, -1}})
	pads := g.ints(0, -1)
	made := g.op("Pad", []string{g.op("Mul", []string{"in", k}), pads}, attribute{"mode", "constant"}, attribute{"axis", -1}, attribute{"many", []int{3, 4}})
	g.opInto("out", "Identity", []string{made})
	g.output("out", []int{1, 300})
	w := readBack(t, g.encode())
	w.wired(t)
	if got, want := w.kinds(), []string{"Mul", "Pad", "Identity"}; !slices.Equal(got, want) {
		t.Errorf("operators: got %v, want %v", got, want)
	}
	pad := w.only(t, "Pad")
	if pad.texts["mode"] != "constant" || !slices.Equal(pad.ints["axis"], []int64{-1}) || !slices.Equal(pad.ints["many"], []int64{3, 4}) {
		t.Errorf("attributes: got %v and %v", pad.texts, pad.ints)
	}
	if got := w.consts[k]; !slices.Equal(got.floats, []float32{0.5, -1}) || !slices.Equal(got.dims, []int64{2}) {
		t.Errorf("numbers: got %v", got)
	}
	if got := w.consts[pads].ints; !slices.Equal(got, []int64{0, -1}) {
		t.Errorf("whole numbers: got %v", got)
	}
	if got := w.outputs["out"]; !slices.Equal(got, []int64{1, 300}) {
		t.Errorf("shape of the output: got %v", got)
	}
}

func TestPermuted(t *testing.T) {
	a := array{[]int{2, 3}, []float32{1, 2, 3, 4, 5, 6}}
	got := a.permuted(1, 0)
	if !slices.Equal(got.shape, []int{3, 2}) || !slices.Equal(got.data, []float32{1, 4, 2, 5, 3, 6}) {
		t.Errorf("turned: got %v", got)
	}
	if back := got.permuted(1, 0); !slices.Equal(back.data, a.data) {
		t.Errorf("turned back: got %v", back)
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		want  int
		fails bool
	}{
		{"a-number", nil, 1, false},
		{"a-block", []int{2, 3, 4}, 24, false},
		{"nothing", []int{2, 0}, 0, true},
		{"negative", []int{-1, 2}, 0, true},
		{"too-many", []int{1 << 13, 1 << 13}, 0, true},
		{"overflow", []int{1 << 24, 1 << 24, 1 << 24}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := elements(c.shape); got != c.want || (err != nil) != c.fails {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}
