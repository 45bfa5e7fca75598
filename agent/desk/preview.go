package desk

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"slices"
	"sync"

	"github.com/counterproof/counterproof/agent/proof"
)

// previewWidth is what a screen shows; more only costs time.
const previewWidth = 640

// preview hands the newest frame of a running capture to the operator whose
// capture it is: a frame never waits for anybody else, however slow they are.
// Nobody watching costs nothing, and a slow watcher misses frames.
type preview struct {
	mu       sync.Mutex
	films    proof.OperatorID
	watchers map[chan []byte]proof.OperatorID
}

func newPreview() *preview { return &preview{watchers: map[chan []byte]proof.OperatorID{}} }

// of says whose capture the frames are of from now on. What waits of an earlier
// one is dropped.
func (p *preview) of(op proof.OperatorID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.films = op
	for w := range p.watchers {
		drop(w)
	}
}

// drop empties a watcher's place.
func drop(w chan []byte) {
	select {
	case <-w:
	default:
	}
}

// show gives a frame to the watchers, made small.
func (p *preview) show(img image.Image) {
	p.mu.Lock()
	defer p.mu.Unlock()
	watched := slices.Contains(slices.Collect(maps.Values(p.watchers)), p.films)
	if !watched {
		return
	}
	var b bytes.Buffer
	if jpeg.Encode(&b, shrink(img, previewWidth), &jpeg.Options{Quality: 70}) != nil {
		return
	}
	for w, op := range p.watchers {
		if op == p.films {
			drop(w) // the older frame was not fetched
			w <- b.Bytes()
		}
	}
}

// watch begins to receive frames.
func (p *preview) watch(op proof.OperatorID) chan []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := make(chan []byte, 1)
	p.watchers[w] = op
	return w
}

func (p *preview) leave(w chan []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watchers, w)
}

// Preview delivers the newest frames of an operator's captures, as small JPEG,
// until ctx ends or deliver fails.
func (d *Desk) Preview(ctx context.Context, op proof.OperatorID, deliver func(jpeg []byte) error) error {
	w := d.preview.watch(op)
	defer d.preview.leave(w)
	for {
		select {
		case <-ctx.Done():
			return &proof.Error{Op: "showing the preview", Kind: proof.KindCancelled, Err: ctx.Err()}
		case b := <-w:
			if err := deliver(b); err != nil {
				return err
			}
		}
	}
}

// shrink takes every nth pixel of a picture that is wider than wanted.
func shrink(img image.Image, width int) image.Image {
	r := img.Bounds()
	n := (r.Dx() + width - 1) / width
	if n <= 1 {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, r.Dx()/n, r.Dy()/n))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			c := color.RGBAModel.Convert(img.At(r.Min.X+x*n, r.Min.Y+y*n)).(color.RGBA)
			out.SetRGBA(x, y, c)
		}
	}
	return out
}
