package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Field numbers of the TensorFlow Lite schema, version 3 (schema.fbs).
const (
	modelCodes, modelSubgraphs, modelBuffers               = 1, 2, 4
	codeOld, codeNew                                       = 0, 3
	subTensors, subInputs, subOutputs, subOps              = 0, 1, 2, 3
	tensorShape, tensorElem, tensorBuffer, tensorNameField = 0, 1, 2, 3
	bufferData                                             = 0
	opCode, opInputs, opOutputs, opOptions                 = 0, 1, 2, 4
)

// Element types of the schema that are read.
const (
	liteFloat32, liteFloat16, liteInt32 = 0, 1, 2
)

// lite is a TensorFlow Lite model as it was read: the values and the steps
// between them, in an order in which they can run.
type lite struct {
	tensors []tensor
	ops     []operator
	inputs  []int
	outputs []int
}

// tensor is a value of the model; raw is empty where it is computed.
type tensor struct {
	name  string
	shape []int
	elem  int
	raw   []byte
}

// operator is one step: indices of tensors in and out, and its options.
type operator struct {
	code    int
	in, out []int
	options table
}

// readLite reads the first subgraph of a model.
func readLite(b []byte) (*lite, error) {
	if len(b) < 8 || !bytes.Equal(b[4:8], []byte("TFL3")) {
		return nil, errors.New("it is no TensorFlow Lite model of version 3")
	}
	f := &flat{b: b}
	model := f.root()
	subs := model.tables(modelSubgraphs, 16)
	if len(subs) == 0 {
		f.fail(errors.New("it has no graph"))
		return nil, f.err
	}
	sub := subs[0]
	m := &lite{inputs: sub.ints(subInputs, maxInputs), outputs: sub.ints(subOutputs, maxInputs)}
	m.readTensors(sub, model.tables(modelBuffers, maxTensors))
	m.readOps(sub, model.tables(modelCodes, maxOps))
	if f.err != nil {
		return nil, f.err
	}
	return m, m.check()
}

// readTensors reads what the values are. The first buffer is empty by the schema
// and stands for all values that are computed.
func (m *lite) readTensors(sub table, buffers []table) {
	for _, t := range sub.tables(subTensors, maxTensors) {
		read := tensor{
			name:  strings.ReplaceAll(string(t.bytes(tensorNameField, maxName)), ":", "_"),
			shape: t.ints(tensorShape, maxDims),
			elem:  t.byte(tensorElem),
		}
		if k := t.int(tensorBuffer, 0); k >= 0 && k < len(buffers) {
			read.raw = buffers[k].bytes(bufferData, 4*maxElements)
		}
		m.tensors = append(m.tensors, read)
	}
}

// readOps reads the steps. An operator's number stands in one of two fields: an
// old one of 8 bits and, since the numbers ran out, a new one; the larger holds.
func (m *lite) readOps(sub table, codes []table) {
	for _, o := range sub.tables(subOps, maxOps) {
		k := o.int(opCode, 0)
		if k < 0 || k >= len(codes) {
			k = 0
		}
		code := -1
		if len(codes) > 0 {
			code = max(codes[k].byte(codeOld), codes[k].int(codeNew, 0))
		}
		m.ops = append(m.ops, operator{
			code: code, in: o.ints(opInputs, maxInputs), out: o.ints(opOutputs, maxInputs), options: o.child(opOptions),
		})
	}
}

// check holds every index to the tensors that are there, so that what follows
// need not. An index of −1 is an input that is left out.
func (m *lite) check() error {
	known := func(i int) bool { return i >= 0 && i < len(m.tensors) }
	if len(m.inputs) != 1 || len(m.outputs) == 0 {
		return fmt.Errorf("it has %d inputs and %d outputs", len(m.inputs), len(m.outputs))
	}
	for _, list := range [][]int{m.inputs, m.outputs} {
		for _, i := range list {
			if !known(i) || m.tensors[i].name == "" {
				return fmt.Errorf("there is no named tensor %d", i)
			}
		}
	}
	for n, o := range m.ops {
		if len(o.in) == 0 || len(o.out) != 1 || !known(o.out[0]) {
			return fmt.Errorf("operator %d takes or makes nothing that is known", n)
		}
		if slices.ContainsFunc(o.in, func(i int) bool { return i != -1 && !known(i) }) {
			return fmt.Errorf("operator %d takes a tensor that is not there", n)
		}
	}
	return nil
}

// floats gives a constant's numbers. Other types would be weights in steps, whose
// scales are not read: they are refused, not guessed.
func (t tensor) floats() (array, error) {
	n, err := elements(t.shape)
	if err != nil {
		return array{}, err
	}
	a := array{shape: t.shape}
	switch {
	case t.elem == liteFloat32 && len(t.raw) == 4*n:
		a.data = make([]float32, n)
		for i := range a.data {
			a.data[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
		}
	case t.elem == liteFloat16 && len(t.raw) == 2*n:
		a.data = make([]float32, n)
		for i := range a.data {
			a.data[i] = half(binary.LittleEndian.Uint16(t.raw[2*i:]))
		}
	default:
		return array{}, fmt.Errorf("a constant of type %d and shape %v in %d bytes", t.elem, t.shape, len(t.raw))
	}
	return a, nil
}

// whole gives a constant's 32-bit integers.
func (t tensor) whole() ([]int, error) {
	n, err := elements(t.shape)
	if err != nil {
		return nil, err
	}
	if t.elem != liteInt32 || len(t.raw) != 4*n {
		return nil, fmt.Errorf("a list of type %d and shape %v in %d bytes", t.elem, t.shape, len(t.raw))
	}
	out := make([]int, n)
	for i := range out {
		out[i] = int(int32(binary.LittleEndian.Uint32(t.raw[4*i:])))
	}
	return out, nil
}

// half widens a number of half precision (IEEE 754 binary16).
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0: // zero and subnormal: frac × 2^-24
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31: // infinity and NaN
		return math.Float32frombits(sign | 255<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
