package window

import (
	"context"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/view"
)

// doctor does what concerns the devices.
func (w *Window) doctor(i view.Intent) {
	switch i.Verb {
	case view.DoTry:
		w.try(i.Trial)
	case view.DoLight:
		w.endLight()
		if i.Role != "" {
			w.measure(i.Role)
		}
		w.render()
	case view.DoFindings:
		w.endLight()
		w.request(func(ctx context.Context) (func(), error) {
			err := w.client.PrintFindings(ctx)
			return func() { w.state.Said = "doctor.said.print" }, err
		})
	}
}

// readDoctor reads how the devices stand.
func (w *Window) readDoctor() {
	w.pump.work(func(ctx context.Context) func() {
		checkup, err := w.client.Doctor(ctx)
		return func() {
			if err != nil {
				w.failed(err)
				return
			}
			w.state.Doctor = &checkup
			w.render()
		}
	})
}

// try tries a device, or finds out which reader somebody uses, and reads then how
// the devices stand.
func (w *Window) try(in api.Trial) {
	w.endLight()
	w.state.Trying, w.state.Tried = &in, nil
	w.request(func(ctx context.Context) (func(), error) {
		ask := w.client.Try
		if in.Device == "" {
			ask = func(ctx context.Context, in api.Trial) (api.TrialResult, error) {
				return w.client.Identify(ctx, in.Can)
			}
		}
		result, err := ask(ctx, in)
		w.pump.post(func() { w.state.Trying = nil })
		return func() {
			w.state.Tried = &result
			w.readDoctor()
		}, err
	})
}

// measure shows the light before a camera until endLight. Figures that come after
// it has ended are dropped.
func (w *Window) measure(role string) {
	ctx, end := context.WithCancel(w.pump.ctx)
	w.light = end
	s := &w.state
	s.Meter, s.Light, s.Problem, s.Tried = role, nil, proof.KindNone, nil
	w.pump.work(func(context.Context) func() {
		err := w.client.Light(ctx, role, func(l api.Light) bool {
			w.pump.post(func() {
				if ctx.Err() == nil {
					s.Light = &l
					w.render()
				}
			})
			return ctx.Err() == nil
		})
		return func() {
			if ctx.Err() != nil {
				return
			}
			w.endLight()
			if err != nil {
				w.failed(err)
				return
			}
			w.render()
		}
	})
}

// endLight ends the light meter.
func (w *Window) endLight() {
	if w.light != nil {
		w.light()
		w.light = nil
	}
	w.state.Meter, w.state.Light = "", nil
}
