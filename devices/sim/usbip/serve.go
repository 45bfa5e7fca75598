package usbip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// writeLimit is how long the host's side may leave an answer lying.
	writeLimit = 5 * time.Second
	// fading is how long a pulled device still answers, with failures alone: a
	// host finds transfers damaged before its hub, asked each 256 ms, tells it
	// that the port is empty. Without it a request that is under way would wait
	// for its time-out of five seconds, which no real cable makes it do.
	fading = 100 * time.Millisecond
)

// Serve plugs the device in: it answers on conn until ctx ends, the cable is
// pulled on either side or the other side talks nonsense. It closes conn. The
// error is nil when the device was unplugged, by ctx or by Unplug.
func (d *Device) Serve(ctx context.Context, conn Conn) error {
	defer conn.Close()
	if err := d.plug(conn); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { d.leave(conn) })
	defer stop()
	err := d.listen(conn)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(err)
	err = d.broken
	d.conn, d.broken = nil, nil
	if errors.Is(err, errUnplugged) {
		return nil
	}
	return fmt.Errorf("serving a USB device: %w", err)
}

// leave pulls one cable, and not the one that came after it.
func (d *Device) leave(conn Conn) {
	d.change(func() {
		if d.conn == conn {
			d.pull()
		}
	})
}

// pull pulls the cable: what waits fails, and so does every request until the hub
// has noticed. Other transfers are left waiting then: a driver that begins each
// one anew when it fails would do so without end.
func (d *Device) pull() {
	if d.conn == nil || !d.until.IsZero() {
		return
	}
	d.until = time.Now().Add(fading)
	for i := range d.pipes {
		for len(d.pipes[i].waiting) > 0 {
			d.end(&d.pipes[i], statusNoise, 0, nil)
		}
	}
}

// plug makes the device as it comes out of its box.
func (d *Device) plug(conn Conn) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		return ErrPlugged
	}
	d.conn, d.broken, d.until, d.configured = conn, nil, time.Time{}, 0
	for i := range d.pipes {
		d.pipes[i] = pipe{held: d.pipes[i].held}
	}
	d.plugged++
	return nil
}

// listen takes messages until the connection is of no more use. Reading ends
// early when a transfer falls due: settle sets the time.
func (d *Device) listen(conn Conn) error {
	var have []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := conn.Read(chunk)
		have = append(have, chunk[:n]...)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return d.reason(err)
		}
		used, err := d.take(have)
		if err != nil {
			return err
		}
		have = have[:copy(have, have[used:])]
	}
}

// reason is why reading failed: on a pulled cable it is no failure.
func (d *Device) reason(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.until.IsZero() {
		return errUnplugged
	}
	return err
}

// take does every whole message in b and what has fallen due.
func (d *Device) take(b []byte) (used int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.broken == nil {
		m, n, err := parse(b[used:])
		if err != nil {
			return used, err
		}
		if n == 0 {
			break
		}
		used += n
		if err := d.obey(m); err != nil {
			return used, err
		}
	}
	d.settle()
	return used, d.broken
}

// obey does one message or lets it wait on its endpoint.
func (d *Device) obey(m message) error {
	switch {
	case m.command == cmdUnlink:
		d.unlink(m)
	case m.endpoint == 0 && !d.until.IsZero():
		d.answer(m, statusNoise, 0, nil)
	case m.endpoint == 0:
		d.control(m)
	case d.waiting() >= maxWaiting:
		return fmt.Errorf("more than %d transfers wait: %w", maxWaiting, errNonsense)
	default:
		e := d.at(m.address())
		m.data = append([]byte(nil), m.data...) // the buffer goes on to be used
		e.waiting = append(e.waiting, m)
	}
	return nil
}

// waiting counts the transfers that the host began on all endpoints.
func (d *Device) waiting() int {
	n := 0
	for i := range d.pipes {
		n += len(d.pipes[i].waiting)
	}
	return n
}

// unlink takes a transfer back. One that is done already cannot be: its answer
// is on its way.
func (d *Device) unlink(m message) {
	status := statusOK
	for i := range d.pipes {
		if d.pipes[i].forget(m.victim) {
			status = statusUnlinked
		}
	}
	d.write(reply(retUnlink, m.seq, status, 0, nil))
}

// settle does what can be done now on every endpoint, and has the listener come
// back when the next transfer falls due. The lock is held.
func (d *Device) settle() {
	if d.conn == nil || d.broken != nil {
		return
	}
	now := time.Now()
	if !d.until.IsZero() {
		d.fade(now)
		return
	}
	next := d.move(now)
	if !d.until.IsZero() { // a trouble of that kind came
		next = d.until
	}
	if err := d.conn.SetReadDeadline(next); err != nil {
		d.drop(err)
	}
}

// fade waits until the pulled device is silent.
func (d *Device) fade(now time.Time) {
	if !now.Before(d.until) {
		d.drop(errUnplugged)
		return
	}
	if err := d.conn.SetReadDeadline(d.until); err != nil {
		d.drop(err)
	}
}

// move steps through every endpoint and returns when the next transfer falls
// due, or the zero time.
func (d *Device) move(now time.Time) (next time.Time) {
	for i := range d.pipes {
		address := byte(i%endpoints) | byte(i/endpoints)<<7
		for d.step(address, now) {
		}
		if due := d.pipes[i].due; due.After(now) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

// answer ends a transfer. Of one that went out, moved bytes were taken; of one
// that came in, data was given.
func (d *Device) answer(m message, status, moved int, data []byte) {
	d.write(reply(retSubmit, m.seq, status, moved, data))
}

// write sends to the host. It goes on the goroutine of whoever made the device
// move; a host that takes nothing loses its device.
func (d *Device) write(b []byte) {
	if d.broken != nil {
		return
	}
	if err := d.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		d.drop(err)
		return
	}
	if _, err := d.conn.Write(b); err != nil {
		d.drop(err)
	}
}

// drop ends the connection; the first reason stays.
func (d *Device) drop(err error) {
	if d.conn == nil || d.broken != nil {
		return
	}
	d.broken = err
	d.conn.Close()
}
