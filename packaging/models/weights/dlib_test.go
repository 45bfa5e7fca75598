package weights

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// manifest is a TensorFlow.js manifest in the making, with its data.
type manifest struct {
	entries []map[string]any
	data    []byte
}

// plain adds an array of 32-bit numbers.
func (m *manifest) plain(name string, shape []int, v ...float32) {
	m.entries = append(m.entries, map[string]any{"name": name, "shape": shape, "dtype": "float32"})
	for _, x := range v {
		m.data = binary.LittleEndian.AppendUint32(m.data, math.Float32bits(x))
	}
}

// steps adds an array of 8-bit steps.
func (m *manifest) steps(name string, shape []int, scale, low float64, v ...byte) {
	m.entries = append(m.entries, map[string]any{"name": name, "shape": shape, "dtype": "float32",
		"quantization": map[string]any{"dtype": "uint8", "scale": scale, "min": low}})
	m.data = append(m.data, v...)
}

func (m *manifest) json(t testing.TB) []byte {
	b, err := json.Marshal([]map[string]any{{"weights": m.entries, "paths": []string{"x.bin"}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// layer adds a convolution of in to out channels with side×side weights, all
// of them one step, its scale 2 and its shift 1.
func (m *manifest) layer(name string, side, in, out int) {
	ones := func(n int) []byte { return slices.Repeat([]byte{1}, n) }
	m.steps(name+"/conv/filters", []int{side, side, in, out}, 0.5, 0, ones(side*side*in*out)...)
	m.plain(name+"/conv/bias", []int{out}, make([]float32, out)...)
	m.steps(name+"/scale/weights", []int{out}, 2, 0, ones(out)...)
	m.steps(name+"/scale/biases", []int{out}, 1, 0, ones(out)...)
}

// network is a manifest with the shape of the whole network.
func network() *manifest {
	m := &manifest{}
	m.layer("conv32_down", 7, 3, 32)
	in := 32
	for _, s := range []struct {
		name       string
		out, units int
	}{{"conv32", 32, 3}, {"conv64", 64, 3}, {"conv128", 128, 2}, {"conv256", 256, 2}} {
		if s.out != in {
			m.layer(s.name+"_down/conv1", 3, in, s.out)
			m.layer(s.name+"_down/conv2", 3, s.out, s.out)
			in = s.out
		}
		for i := range s.units {
			m.layer(fmt.Sprintf("%s_%d/conv1", s.name, i+1), 3, in, in)
			m.layer(fmt.Sprintf("%s_%d/conv2", s.name, i+1), 3, in, in)
		}
	}
	m.layer("conv256_down_out/conv1", 3, 256, 256)
	m.layer("conv256_down_out/conv2", 3, 256, 256)
	m.steps("fc", []int{256, 128}, 1, 0, slices.Repeat([]byte{1}, 256*128)...)
	return m
}

func TestManifest(t *testing.T) {
	m := &manifest{}
	m.plain("a", []int{2}, 1.5, -2)
	m.steps("b", []int{3}, 0.5, -1, 0, 1, 255)
	got, err := readManifest(m.json(t), m.data)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got["a"].data, []float32{1.5, -2}) {
		t.Errorf("plain numbers: got %v", got["a"].data)
	}
	if !slices.Equal(got["b"].data, []float32{-1, -0.5, 126.5}) {
		t.Errorf("steps: got %v, want scale × step + least", got["b"].data)
	}
	for _, c := range []struct {
		name, says string
		json, data []byte
	}{
		{"bytes-left-over", "left over", m.json(t), append(slices.Clone(m.data), 0)},
		{"data-cut-short", "ends before", m.json(t), m.data[:len(m.data)-1]},
		{"no-json", "invalid", []byte("x"), nil},
		{"other-numbers", "32-bit", []byte(`[{"weights":[{"name":"a","shape":[1],"dtype":"int32"}]}]`), make([]byte, 4)},
		{"other-steps", "8-bit", []byte(`[{"weights":[{"name":"a","shape":[1],"dtype":"float32","quantization":{"dtype":"uint16"}}]}]`), make([]byte, 4)},
		{"shape-out-of-bounds", "out of bounds", []byte(`[{"weights":[{"name":"a","shape":[99999,99999],"dtype":"float32"}]}]`), make([]byte, 4)},
		{"too-many-axes", "axes", []byte(`[{"weights":[{"name":"a","shape":[1,1,1,1,1,1],"dtype":"float32"}]}]`), make([]byte, 4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := readManifest(c.json, c.data); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

func TestDlibNetwork(t *testing.T) {
	m := network()
	out, err := FromDlib(m.json(t), m.data)
	if err != nil {
		t.Fatal(err)
	}
	w := readBack(t, out)
	w.wired(t)
	if got := w.inputs["input"]; !slices.Equal(got, []int64{1, 3, 150, 150}) {
		t.Errorf("input: got %v", got)
	}
	if got := w.outputs["output"]; !slices.Equal(got, []int64{1, 128}) {
		t.Errorf("output: got %v", got)
	}
	counts := map[string]int{}
	for _, k := range w.kinds() {
		counts[k]++
	}
	// The 29 convolutions that the network is named after, and one matrix.
	for kind, want := range map[string]int{"Conv": 29, "MatMul": 1, "Add": 14, "AveragePool": 4, "MaxPool": 1, "GlobalAveragePool": 1} {
		if counts[kind] != want {
			t.Errorf("%s: got %d, want %d", kind, counts[kind], want)
		}
	}
	first := w.only(t, "Conv")
	kernel, bias := w.consts[first.in[1]], w.consts[first.in[2]]
	if !slices.Equal(kernel.dims, []int64{32, 3, 7, 7}) || kernel.floats[0] != 1 {
		t.Errorf("first kernel: got %v of %v, want its scale multiplied in", kernel.floats[0], kernel.dims)
	}
	if bias.floats[0] != 1 {
		t.Errorf("first bias: got %v, want the shift", bias.floats[0])
	}
}

func TestDlibRefused(t *testing.T) {
	whole := network()
	t.Run("array-missing", func(t *testing.T) {
		m := &manifest{}
		m.layer("conv32_down", 7, 3, 32)
		if _, err := FromDlib(m.json(t), m.data); err == nil || !strings.Contains(err.Error(), "conv32_1/conv1") {
			t.Errorf("got %v, want the array that is missing", err)
		}
	})
	t.Run("sizes-differ", func(t *testing.T) {
		m := &manifest{entries: slices.Clone(whole.entries), data: slices.Clone(whole.data)}
		m.entries[1] = map[string]any{"name": "conv32_down/conv/bias", "shape": []int{16, 2}, "dtype": "float32"}
		if _, err := FromDlib(m.json(t), m.data); err == nil {
			t.Error("a bias of two axes was taken")
		}
		m.entries[1] = map[string]any{"name": "conv32_down/conv/bias", "shape": []int{16}, "dtype": "float32"}
		m.entries = slices.Insert(m.entries, 2, map[string]any{"name": "rest", "shape": []int{16}, "dtype": "float32"})
		if _, err := FromDlib(m.json(t), m.data); err == nil || !strings.Contains(err.Error(), "differ in size") {
			t.Errorf("got %v, want arrays that differ in size", err)
		}
	})
}

func FuzzFromDlib(f *testing.F) {
	m := &manifest{}
	m.layer("conv32_down", 7, 3, 2)
	f.Add(m.json(f), m.data)
	f.Add([]byte(`[{"weights":[{"name":"fc","shape":[2,1],"dtype":"float32"}]}]`), make([]byte, 8))
	f.Fuzz(func(t *testing.T, manifest, data []byte) {
		if out, err := FromDlib(manifest, data); err == nil {
			readBack(t, out)
		}
	})
}
