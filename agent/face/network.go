package face

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	ort "github.com/yalue/onnxruntime_go"
)

// network is one loaded network with the memory of its input and outputs.
type network struct {
	session *ort.AdvancedSession
	in      *ort.Tensor[float32]
	out     []*ort.Tensor[float32]
}

// shape names an input or output with its sizes.
type shape struct {
	name string
	size []int64
}

// maxNetwork bounds a network's file, in bytes.
const maxNetwork = 512 << 20

// openNetwork loads a network after its file has proved to be the one that was
// measured.
func openNetwork(cfg Config, f File, in shape, out ...shape) (*network, error) {
	path := filepath.Join(cfg.Models, f.File)
	if err := checkFile(path, f.Hash); err != nil {
		return nil, fmt.Errorf("the network %s: %w", f.File, err)
	}
	n, err := loadNetwork(path, max(1, cfg.Threads), in, out)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the network %s: %w", f.File, err), n.close())
	}
	return n, nil
}

// checkFile compares a file's SHA-256.
func checkFile(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if n, err := io.Copy(h, io.LimitReader(f, maxNetwork+1)); err != nil || n > maxNetwork {
		return errors.Join(err, errors.New("it cannot be read within bounds"))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("its SHA-256 is %s, the profile was measured with %s", got, want)
	}
	return nil
}

// loadNetwork makes the tensors and the session. Beside an error it gives what
// there is to close.
func loadNetwork(path string, threads int, in shape, out []shape) (*network, error) {
	n := &network{}
	var err error
	if n.in, err = ort.NewEmptyTensor[float32](in.size); err != nil {
		return n, err
	}
	names, values := []string{}, []ort.Value{}
	for _, o := range out {
		t, err := ort.NewEmptyTensor[float32](o.size)
		if err != nil {
			return n, err
		}
		n.out = append(n.out, t)
		names, values = append(names, o.name), append(values, t)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return n, err
	}
	defer options.Destroy()
	err = errors.Join(
		options.SetIntraOpNumThreads(threads), options.SetInterOpNumThreads(1),
		// No plan of a run's memory is kept: measured no slower, and 10 MB less.
		options.SetMemPattern(false),
	)
	if err != nil {
		return n, err
	}
	n.session, err = ort.NewAdvancedSession(path, []string{in.name}, names, []ort.Value{n.in}, values, options)
	return n, err
}

// run runs the network on what its input holds, and empties the input.
func (n *network) run() error {
	err := n.session.Run()
	n.in.ZeroContents()
	return err
}

// wipe overwrites what the network gave.
func (n *network) wipe() {
	for _, t := range n.out {
		t.ZeroContents()
	}
}

// close gives the memory back.
func (n *network) close() error {
	var errs []error
	if n.session != nil {
		errs = append(errs, n.session.Destroy())
	}
	if n.in != nil {
		n.in.ZeroContents()
		errs = append(errs, n.in.Destroy())
	}
	n.wipe()
	for _, t := range n.out {
		errs = append(errs, t.Destroy())
	}
	return errors.Join(errs...)
}

// networks are all networks of a profile.
type networks struct {
	profile   *Profile
	anchors   []point
	detector  *network
	mesh      *network
	embedders []*network
	scratch   []float32 // a picture for a network; emptied after use
}

// openNetworks loads the runtime, if this process has none yet, and the
// networks.
func openNetworks(cfg Config, p *Profile) (*networks, error) {
	if !ort.IsInitialized() {
		if _, err := os.Stat(cfg.Library); err != nil {
			return nil, fmt.Errorf("the runtime is not there: %w", err)
		}
		ort.SetSharedLibraryPath(cfg.Library)
		if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
			return nil, fmt.Errorf("the runtime %s cannot be loaded: %w", cfg.Library, err)
		}
	}
	n := &networks{profile: p, anchors: anchorsOf(p.Detector.Grids)}
	if err := n.open(cfg); err != nil {
		return nil, errors.Join(err, n.close())
	}
	largest := max(p.Detector.Size, p.Landmarks.Size, chipSize)
	for _, e := range p.Embedders {
		largest = max(largest, e.Size)
	}
	n.scratch = make([]float32, 3*largest*largest)
	giveBack()
	return n, nil
}

// open loads the networks one after another.
func (n *networks) open(cfg Config) (err error) {
	d, l := n.profile.Detector, n.profile.Landmarks
	picture := func(name string, size int) shape { return shape{name, []int64{1, int64(size), int64(size), 3}} }
	anchors := int64(len(n.anchors))
	n.detector, err = openNetwork(cfg, d.File, picture(d.Input, d.Size),
		shape{d.Boxes, []int64{1, anchors, valuesPerAnchor}}, shape{d.Scores, []int64{1, anchors, 1}})
	if err != nil {
		return err
	}
	n.mesh, err = openNetwork(cfg, l.File, picture(l.Input, l.Size),
		shape{l.Points, []int64{1, 1, 1, 3 * meshPoints}}, shape{l.Presence, []int64{1, 1, 1, 1}})
	if err != nil {
		return err
	}
	for _, e := range n.profile.Embedders {
		in := picture(e.Input, e.Size)
		if e.Layout == "nchw" {
			in.size = []int64{1, 3, int64(e.Size), int64(e.Size)}
		}
		net, err := openNetwork(cfg, e.File, in, shape{e.Output, []int64{1, int64(e.Dimension)}})
		if err != nil {
			return err
		}
		n.embedders = append(n.embedders, net)
	}
	return nil
}

// close closes what was opened. The runtime itself stays with the process.
func (n *networks) close() error {
	var errs []error
	for _, net := range append([]*network{n.detector, n.mesh}, n.embedders...) {
		if net != nil {
			errs = append(errs, net.close())
		}
	}
	return errors.Join(errs...)
}

// detect shows the detector a part of a picture.
func (n *networks) detect(p *picture, at square) ([]candidate, error) {
	d := n.profile.Detector
	k := at.side / float64(d.Size)
	p.warp(similarity{a: k, tx: at.x + 0.5*k - 0.5, ty: at.y + 0.5*k - 0.5}, d.Size, n.scratch)
	in := n.detector.in.GetData()
	for i := range in {
		in[i] = n.scratch[i]/127.5 - 1
	}
	clear(n.scratch)
	defer n.detector.wipe()
	if err := n.detector.run(); err != nil {
		return nil, fmt.Errorf("looking for a face: %w", err)
	}
	return d.candidates(n.anchors, n.detector.out[0].GetData(), n.detector.out[1].GetData(), at), nil
}

// landmarks finds the landmarks of a candidate and how sure it is that there is
// a face, 0–1.
func (n *networks) landmarks(p *picture, f *located) (presence float64, err error) {
	l := n.profile.Landmarks
	s := f.landmarkSquare(l.Margin, l.Size)
	p.warp(s, l.Size, n.scratch)
	in := n.mesh.in.GetData()
	for i := range in {
		in[i] = n.scratch[i] / 255
	}
	clear(n.scratch)
	defer n.mesh.wipe()
	if err := n.mesh.run(); err != nil {
		return 0, fmt.Errorf("finding landmarks: %w", err)
	}
	if err := f.place(n.mesh.out[0].GetData(), s); err != nil {
		return 0, nil // no face then
	}
	return sigmoid(float64(n.mesh.out[1].GetData()[0])), nil
}

// errNoTemplate is a face of which an embedder makes nothing.
var errNoTemplate = errors.New("the face gives no template")

// embed makes the template of a face.
func (n *networks) embed(p *picture, f *located) (template, error) {
	var t template
	for i, e := range n.profile.Embedders {
		s, ok := f.align(e.Template)
		if !ok {
			return nil, errNoTemplate
		}
		p.warp(s, e.Size, n.scratch)
		net := n.embedders[i]
		e.fill(net.in.GetData(), n.scratch)
		clear(n.scratch)
		err := net.run()
		part, ok := unitLength(net.out[0].GetData())
		net.wipe()
		t = append(t, part)
		if err == nil && !ok {
			err = errNoTemplate
		}
		if err != nil {
			t.wipe()
			return nil, err
		}
	}
	return t, nil
}

// fill writes an aligned face the way the embedder wants it.
func (e Embedder) fill(to, rgb []float32) {
	n := e.Size * e.Size
	for c := range 3 {
		from := c
		if e.Order == "bgr" {
			from = 2 - c
		}
		at, step := c, 3
		if e.Layout == "nchw" {
			at, step = c*n, 1
		}
		mean, divisor := float32(e.Mean[c]), float32(e.Divisor)
		for i := range n {
			to[at+i*step] = (rgb[3*i+from] - mean) / divisor
		}
	}
}

// unitLength copies a list of numbers, divided by its length; ok is false where
// it has none.
func unitLength(v []float32) (unit []float32, ok bool) {
	square := 0.0
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	unit = make([]float32, len(v))
	if !(square > 1e-12) || math.IsInf(square, 0) {
		return unit, false
	}
	k := 1 / math.Sqrt(square)
	for i, x := range v {
		unit[i] = float32(float64(x) * k)
	}
	return unit, true
}
