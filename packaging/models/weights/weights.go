// Package weights turns trained networks of others into ONNX, the one format
// that the counter's runtime loads: TensorFlow Lite flatbuffers, and dlib's face
// network as a TensorFlow.js weight manifest. It knows the dozen operators that
// these networks use and refuses every other one.
//
// It never runs a network, never reads or writes a file, and changes no weight
// beyond what its format asks for: half precision and 8-bit steps become
// 32-bit numbers, a batch becomes a single picture, and a scale that follows a
// convolution is multiplied into it.
//
// # The laws
//
//   - The same bytes in give the same bytes out, on every machine: sums and
//     products are rounded one by one.
//   - What is read is hostile: every offset, count and size is checked against
//     the bytes that are there and against a fixed bound before it is used.
package weights

import (
	"errors"
	"fmt"
)

// Bounds of what is read. The largest network that is converted has 230
// operators, 369 tensors and 1.6 million weights.
const (
	maxTensors  = 4096
	maxOps      = 4096
	maxDims     = 5
	maxInputs   = 16
	maxElements = 1 << 24 // of one array
	maxTotal    = 1 << 26 // of all arrays together
	maxName     = 256
)

// errShort is data that ends before what it announces.
var errShort = errors.New("the data ends before what it announces")

// array is a block of numbers in row-major order.
type array struct {
	shape []int
	data  []float32
}

// elements multiplies a shape out, within the bound.
func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 1 || d > maxElements || n > maxElements/d {
			return 0, fmt.Errorf("a shape of %v is out of bounds", shape)
		}
		n *= d
	}
	return n, nil
}

// permuted reorders the axes: axis i of the result is axis order[i] of a. The
// order must name every axis of a once.
func (a array) permuted(order ...int) array {
	step := make([]int, len(a.shape))
	n := 1
	for i := len(a.shape) - 1; i >= 0; i-- {
		step[i] = n
		n *= a.shape[i]
	}
	out := array{shape: make([]int, len(order)), data: make([]float32, len(a.data))}
	for i, axis := range order {
		out.shape[i] = a.shape[axis]
	}
	at := make([]int, len(order))
	for i := range out.data {
		from := 0
		for k, axis := range order {
			from += at[k] * step[axis]
		}
		out.data[i] = a.data[from]
		count(at, out.shape)
	}
	return out
}

// count moves a position on by one element, the last axis first.
func count(at, shape []int) {
	for k := len(at) - 1; k >= 0; k-- {
		at[k]++
		if at[k] < shape[k] {
			return
		}
		at[k] = 0
	}
}
