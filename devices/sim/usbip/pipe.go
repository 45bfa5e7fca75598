package usbip

import (
	"slices"
	"time"
)

// pipe is one endpoint in one direction.
type pipe struct {
	waiting []message  // transfers that the host began, oldest first
	ready   []Transfer // what the device has to say, oldest first
	begun   bool       // the pause before ready[0] has begun
	due     time.Time  // nothing moves before
	moved   int
	halted  bool
	held    bool
}

// forget takes a waiting transfer back.
func (e *pipe) forget(seq uint32) bool {
	n := len(e.waiting)
	e.waiting = slices.DeleteFunc(e.waiting, func(m message) bool { return m.seq == seq })
	return len(e.waiting) < n
}

// empty forgets what the device wanted to say.
func (e *pipe) empty() {
	e.ready, e.begun, e.due = nil, false, time.Time{}
}

// step ends at most one waiting transfer of an endpoint and reports whether to
// go on at once.
func (d *Device) step(address byte, now time.Time) bool {
	e := d.at(address)
	if d.broken != nil || len(e.waiting) == 0 || e.held || now.Before(e.due) {
		return false
	}
	m := e.waiting[0]
	if e.halted {
		d.end(e, statusStall, 0, nil)
		return true
	}
	if !m.in {
		return d.moveOut(address, e, m, now)
	}
	if len(e.ready) == 0 && !d.fill(address, e) {
		return false
	}
	t := &e.ready[0]
	if !e.begun && t.After > 0 {
		e.begun, e.due = true, now.Add(t.After)
		return true
	}
	return d.moveIn(address, e, m, now)
}

// fill asks the model for something to say.
func (d *Device) fill(address byte, e *pipe) bool {
	if d.spec.Next == nil {
		return false
	}
	t, ok := d.spec.Next(address)
	if !ok {
		return false
	}
	e.ready = append(e.ready, t)
	return true
}

// moveIn gives the host what lies ready, as far as its buffer and the next
// trouble let it. The lock is held here and below.
func (d *Device) moveIn(address byte, e *pipe, m message, now time.Time) bool {
	t := &e.ready[0]
	n := min(m.length, len(t.Data))
	whole := n == len(t.Data)
	if trouble, cut := d.trouble(address, e.moved, n); cut {
		n, whole = trouble.At-e.moved, false
		if n == 0 && trouble.Kind != Short {
			d.suffer(e, trouble, now)
			return true
		}
		if trouble.Kind == Short {
			d.forget(trouble)
		}
	}
	data := t.Data[:n]
	t.Data = t.Data[n:]
	if whole {
		e.ready, e.begun = e.ready[1:], false
	}
	e.moved += n
	d.end(e, statusOK, n, data)
	d.last(address, e.moved)
	return true
}

// moveOut takes what the host sent, as far as the next trouble lets it.
func (d *Device) moveOut(address byte, e *pipe, m message, now time.Time) bool {
	n := len(m.data)
	trouble, cut := d.trouble(address, e.moved, n)
	if cut {
		n = trouble.At - e.moved
	}
	d.hear(address, m.data[:n])
	e.moved += n
	if !cut {
		d.end(e, statusOK, m.length, nil)
		d.last(address, e.moved)
		return true
	}
	e.waiting[0].data = m.data[n:]
	d.suffer(e, trouble, now)
	return true
}

// hear gives the model what came.
func (d *Device) hear(address byte, data []byte) {
	if d.spec.Out != nil && len(data) > 0 {
		d.enqueue(d.spec.Out(address, data))
	}
}

// end answers the oldest waiting transfer.
func (d *Device) end(e *pipe, status, moved int, data []byte) {
	m := e.waiting[0]
	e.waiting = e.waiting[1:]
	d.answer(m, status, moved, data)
}

// trouble finds the next trouble of an endpoint, if it comes before n more bytes
// have moved. One whose byte has passed comes at once.
func (d *Device) trouble(address byte, moved, n int) (Trouble, bool) {
	var next Trouble
	found := false
	for _, t := range d.troubles {
		if t.Endpoint != address || t.At >= moved+max(n, 1) {
			continue
		}
		t.At = max(t.At, moved)
		if !found || t.At < next.At {
			next, found = t, true
		}
	}
	return next, found
}

// forget strikes a trouble off the script.
func (d *Device) forget(t Trouble) {
	i := slices.IndexFunc(d.troubles, func(o Trouble) bool {
		return o.Endpoint == t.Endpoint && o.Kind == t.Kind && o.At <= t.At
	})
	if i >= 0 {
		d.troubles = slices.Delete(d.troubles, i, i+1)
	}
}

// suffer lets a trouble come to the oldest waiting transfer.
func (d *Device) suffer(e *pipe, t Trouble, now time.Time) {
	d.forget(t)
	m := e.waiting[0]
	moved := 0
	if !m.in {
		moved = m.length - len(m.data)
	}
	switch t.Kind {
	case Stall:
		e.halted = true
		d.end(e, statusStall, moved, nil)
	case Noise, Babble:
		status := statusNoise
		if t.Kind == Babble && m.in {
			status = statusBabble
		}
		d.end(e, status, moved, nil)
	case Delay:
		e.due = now.Add(t.Wait)
	case Unplug:
		d.pull()
	}
}

// last pulls the cable where the script says that the bytes moved so far were
// the last ones, so that it needs no further transfer to come to pass.
func (d *Device) last(address byte, moved int) {
	if t, ok := d.trouble(address, moved, 1); ok && t.Kind == Unplug {
		d.forget(t)
		d.pull()
	}
}
