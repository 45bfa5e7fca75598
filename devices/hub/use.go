package hub

import (
	"context"
	"errors"

	"github.com/counterproof/counterproof/devices"
)

// errLeft is what a supervisor hears of a user who left without a word: his
// call panicked.
var errLeft = errors.New("the call did not come back")

// use borrows the device that serves a want, calls it once and gives it back.
// Every error is a Fault.
func use[T any](ctx context.Context, h *Hub, w want, call func(context.Context, T) error) error {
	l, err := h.borrow(ctx, w)
	if err != nil {
		return err
	}
	result := error(fault(w.op, l.id, errLeft))
	defer func() { l.back <- result }() // there is room for one
	device, ok := l.opened.(T)
	if !ok {
		result = &devices.Fault{Op: w.op, Kind: devices.Unsupported, Device: l.id}
		return result
	}
	result = l.judge(ctx, w.op, call(l.ctx, device))
	return result
}

// borrow asks the supervisor of the fitting device for it.
func (h *Hub) borrow(ctx context.Context, w want) (*loan, error) {
	if ctx.Err() != nil {
		return nil, gaveUp(ctx, w.op)
	}
	h.mu.Lock()
	u := h.find(w)
	if u == nil {
		h.mu.Unlock()
		return nil, &devices.Fault{Op: w.op, Kind: devices.Missing}
	}
	s := u.stay
	h.mu.Unlock()
	a := ask{ctx: ctx, op: w.op, answer: make(chan answer)}
	select {
	case s.asks <- a:
	case <-s.done:
		return nil, &devices.Fault{Op: w.op, Kind: devices.Missing, Device: s.about.ID}
	case <-ctx.Done():
		return nil, gaveUp(ctx, w.op)
	}
	select {
	case got := <-a.answer:
		return got.loan, got.err
	case <-ctx.Done():
		return nil, gaveUp(ctx, w.op)
	}
}

// gaveUp is the fault of a call whose own context ended.
func gaveUp(ctx context.Context, op string) error {
	return &devices.Fault{Op: op, Kind: devices.Cancelled, Err: context.Cause(ctx)}
}

// judge makes a Fault of what a call returned. Where the device was taken away
// or the user gave up, that is the reason, whatever the driver says.
func (l *loan) judge(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if taken, ok := errors.AsType[*devices.Fault](context.Cause(l.ctx)); ok && ctx.Err() == nil {
		return taken
	}
	if ctx.Err() != nil && devices.KindOf(err) == devices.KindNone {
		return gaveUp(ctx, op)
	}
	return fault(op, l.id, err)
}
