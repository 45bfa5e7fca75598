package window

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"sync/atomic"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/view"
)

// Times of the watcher.
const (
	askAgain   = 2 * time.Second  // between two looks while nobody is signed in
	breath     = time.Second / 5  // after events broke off
	reconnect  = time.Second      // between two tries while the daemon is away
	frameEvery = time.Second / 15 // of the moving picture, at most
	pingEvery  = 30 * time.Second // between two signs of life
	maxPixels  = 40_000_000       // of a picture from the daemon
)

// begin watches the daemon from now on.
func (w *Window) begin() {
	w.pump.work(func(ctx context.Context) func() {
		for ctx.Err() == nil {
			w.watch(ctx)
		}
		return nil
	})
}

// watch looks once how the counter stands and then hears what changes, as long
// as there is a session and a daemon.
func (w *Window) watch(ctx context.Context) {
	status, err := w.client.Status(ctx)
	w.pump.post(func() { w.heardStatus(status, err) })
	if err != nil {
		w.pump.wait(reconnect, w.wake)
		return
	}
	broke := w.client.Events(ctx, func(e api.Event) { w.pump.post(func() { w.heard(e) }) })
	if over(proof.KindOf(broke)) {
		w.pump.wait(askAgain, w.wake)
		return
	}
	w.pump.wait(breath, w.wake)
}

// lookNow ends the watcher's wait.
func (w *Window) lookNow() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
}

// heardStatus takes what the counter says of itself. After it was away the visit
// is read again: an answer that was lost on the way may have been taken.
func (w *Window) heardStatus(s api.Status, err error) {
	if err != nil {
		if proof.KindOf(err) != proof.KindCancelled {
			w.goneAway()
		}
		return
	}
	back := w.state.Away
	w.state.Status, w.state.Away = &s, false
	if w.state.Side == view.SideDoctor && !w.state.Busy && w.state.Meter == "" {
		w.readDoctor() // somebody may be plugging things in and out
	}
	if back {
		w.state.Problem, w.state.Capturing, w.state.Busy = proof.KindNone, "", false
		w.endPreview()
		if w.state.Session != nil {
			w.reload()
		}
	}
	w.render()
}

// goneAway shows that the daemon does not answer.
func (w *Window) goneAway() {
	w.state.Away = true
	w.endPreview()
	w.endLight()
	w.render()
}

// heard takes an event.
func (w *Window) heard(e api.Event) {
	switch e.Kind {
	case api.EventGuidance:
		kind := e.Guidance
		w.state.Guidance, w.state.Percent = &kind, e.Percent
	case api.EventVisit:
		if !w.state.Busy {
			w.reload()
		}
	case api.EventQueue:
		if w.state.Status != nil && e.Queue != nil {
			w.state.Status.Queue = *e.Queue
		}
		if w.state.Queue != nil {
			w.readQueue()
		}
		if w.state.Session != nil {
			w.readNotices() // they come over the same line
		}
	case api.EventDevices:
		if w.state.Status != nil {
			w.state.Status.Devices = e.Devices
		}
	case api.EventSession:
		w.signedOut(cmp.Or(e.Why, proof.KindSessionEnded))
	}
	w.render()
}

// signedOut forgets the session and all that it showed.
func (w *Window) signedOut(why proof.Kind) {
	w.client.SetToken("")
	w.endPreview()
	w.endLight()
	s := &w.state
	s.Session, s.Visit, s.Queue, s.Notices, s.Side, s.Chosen = nil, nil, nil, nil, "", ""
	s.Clerks, s.Clerk, s.Issued, s.Activity = nil, "", nil, nil
	s.Problem, s.Capturing, s.Guidance, s.Busy = why, "", nil, false
	w.render()
}

// used hears that somebody is there. A clerk who reads or types without a
// request would be signed out, so a sign of life is sent now and then.
func (w *Window) used() {
	if w.state.Session == nil || time.Since(w.pinged) < pingEvery {
		return
	}
	w.pinged = time.Now()
	w.pump.work(func(ctx context.Context) func() {
		if _, err := w.client.Devices(ctx); over(proof.KindOf(err)) {
			return func() { w.signedOut(proof.KindOf(err)) }
		}
		return nil
	})
}

// startPreview shows the moving picture until endPreview. Frames that come too
// fast, or before the last one was drawn, are left out.
func (w *Window) startPreview() {
	w.endPreview()
	ctx, end := context.WithCancel(w.pump.ctx)
	w.preview = end
	w.pump.work(func(context.Context) func() {
		var drawing atomic.Bool
		var last time.Time
		// A preview that breaks off leaves the last frame; the capture goes on.
		_ = w.client.Preview(ctx, func(raw []byte) bool {
			if time.Since(last) < frameEvery || drawing.Load() {
				return ctx.Err() == nil
			}
			last = time.Now()
			if img, err := decode(raw); err == nil {
				drawing.Store(true)
				w.pump.post(func() {
					drawing.Store(false)
					w.page.Frame(img)
				})
			}
			return ctx.Err() == nil
		})
		return nil
	})
}

// endPreview ends the moving picture.
func (w *Window) endPreview() {
	if w.preview != nil {
		w.preview()
		w.preview = nil
	}
}

// errHuge is a picture that is too large to be shown.
var errHuge = errors.New("picture too large to be shown")

// decode reads a JPEG of a size that can be shown.
func decode(raw []byte) (image.Image, error) {
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if cfg.Width*cfg.Height > maxPixels {
		return nil, errHuge
	}
	return jpeg.Decode(bytes.NewReader(raw))
}
