package weights

import (
	"encoding/binary"
	"math"
	"strconv"
)

// The versions that the written files ask a runtime for. They are old on purpose:
// every runtime of the last years reads them, and no newer operator is used.
const (
	irVersion    = 8
	opsetVersion = 13
)

// Field numbers of the ONNX messages that are written (onnx.proto, IR 8).
const (
	modelIR, modelProducer, modelGraph, modelOpset       = 1, 2, 7, 8
	opsetDomain, opsetNumber                             = 1, 2
	graphNode, graphName, graphInit, graphIn, graphOut   = 1, 2, 5, 11, 12
	nodeInput, nodeOutput, nodeType, nodeAttribute       = 1, 2, 4, 5
	attrName, attrInt, attrString, attrInts, attrType    = 1, 3, 4, 8, 20
	tensorDims, tensorType, tensorName, tensorRaw        = 1, 2, 8, 9
	valueName, valueType, typeTensor, elemType, shapeTag = 1, 2, 1, 1, 2
	shapeDim, dimValue                                   = 1, 1
)

// Element and attribute types by their ONNX numbers (TensorProto.DataType,
// AttributeProto.AttributeType).
const (
	elemFloat, elemInt64          = 1, 7
	kindInt, kindString, kindInts = 2, 3, 7
)

// message is a protobuf message in the making. Fields are written in the order
// of the calls, so the same calls give the same bytes.
type message []byte

// number adds a varint field.
func (m *message) number(field int, v int64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3)
	*m = binary.AppendUvarint(*m, uint64(v))
}

// block adds a field of bytes: a text, raw data or another message.
func (m *message) block(field int, b []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|2)
	*m = binary.AppendUvarint(*m, uint64(len(b)))
	*m = append(*m, b...)
}

// text adds a field of text.
func (m *message) text(field int, s string) { m.block(field, []byte(s)) }

// attribute is one attribute of an operator: an int, ints or a string.
type attribute struct {
	name  string
	value any
}

// encode writes the attribute. Its type is told beside its value, as the format
// asks since IR 2.
func (a attribute) encode() message {
	var m message
	m.text(attrName, a.name)
	switch v := a.value.(type) {
	case int:
		m.number(attrInt, int64(v))
		m.number(attrType, kindInt)
	case string:
		m.text(attrString, v)
		m.number(attrType, kindString)
	case []int:
		for _, n := range v {
			m.number(attrInts, int64(n))
		}
		m.number(attrType, kindInts)
	}
	return m
}

// graph is an ONNX graph in the making. Values are known by their names, which
// count up from t1 in the order of the calls: names from the model that is read
// would let it choose what they collide with.
type graph struct {
	nodes, inits, inputs, outputs []message
	values                        int
}

// fresh names a new value.
func (g *graph) fresh() string {
	g.values++
	return "t" + strconv.Itoa(g.values)
}

// op adds an operator and gives the name of what it makes.
func (g *graph) op(kind string, inputs []string, attrs ...attribute) string {
	out := g.fresh()
	g.opInto(out, kind, inputs, attrs...)
	return out
}

// opInto adds an operator whose result has a given name.
func (g *graph) opInto(out, kind string, inputs []string, attrs ...attribute) {
	var m message
	for _, in := range inputs {
		m.text(nodeInput, in)
	}
	m.text(nodeOutput, out)
	m.text(nodeType, kind)
	for _, a := range attrs {
		m.block(nodeAttribute, a.encode())
	}
	g.nodes = append(g.nodes, m)
}

// floats adds constant numbers.
func (g *graph) floats(a array) string {
	raw := make([]byte, 0, 4*len(a.data))
	for _, v := range a.data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return g.constant(elemFloat, a.shape, raw)
}

// ints adds a constant list of whole numbers.
func (g *graph) ints(list ...int) string {
	raw := make([]byte, 0, 8*len(list))
	for _, v := range list {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(int64(v)))
	}
	return g.constant(elemInt64, []int{len(list)}, raw)
}

// constant adds numbers in their raw form, little-endian whatever the machine.
func (g *graph) constant(elem int, shape []int, raw []byte) string {
	name := g.fresh()
	var m message
	for _, d := range shape {
		m.number(tensorDims, int64(d))
	}
	m.number(tensorType, int64(elem))
	m.text(tensorName, name)
	m.block(tensorRaw, raw)
	g.inits = append(g.inits, m)
	return name
}

// input declares what the graph is given, output what it gives back under the
// name that an operator made.
func (g *graph) input(name string, shape []int)  { g.inputs = append(g.inputs, declare(name, shape)) }
func (g *graph) output(name string, shape []int) { g.outputs = append(g.outputs, declare(name, shape)) }

// declare writes a name with its shape of 32-bit numbers (TypeProto.Tensor). All
// sizes are fixed: a runtime plans its memory once.
func declare(name string, shape []int) message {
	var dims, tensor, kind, m message
	for _, d := range shape {
		var dim message
		dim.number(dimValue, int64(d))
		dims.block(shapeDim, dim)
	}
	tensor.number(elemType, elemFloat)
	tensor.block(shapeTag, dims)
	kind.block(typeTensor, tensor)
	m.text(valueName, name)
	m.block(valueType, kind)
	return m
}

// encode writes the model file: the nodes in the order in which they can run,
// then the constants, then what goes in and comes out.
func (g *graph) encode() []byte {
	var body message
	for _, n := range g.nodes {
		body.block(graphNode, n)
	}
	body.text(graphName, "g")
	for _, i := range g.inits {
		body.block(graphInit, i)
	}
	for _, v := range g.inputs {
		body.block(graphIn, v)
	}
	for _, v := range g.outputs {
		body.block(graphOut, v)
	}
	var opset, model message
	opset.text(opsetDomain, "")
	opset.number(opsetNumber, opsetVersion)
	model.number(modelIR, irVersion)
	model.text(modelProducer, "counterproof")
	model.block(modelGraph, body)
	model.block(modelOpset, opset)
	return model
}
