package hid

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// scanner is a device of software that does what the system below a port may do.
type scanner struct {
	reports [][]byte // nil is a report without a byte
	err     error    // after the reports
	wrote   int
	endless bool // there is always one more to drop
	drops   int
	pulled  bool
}

func (s *scanner) read(p []byte) (int, error) {
	if len(s.reports) == 0 {
		return 0, s.err
	}
	n := copy(p, s.reports[0])
	s.reports = s.reports[1:]
	return n, nil
}

func (s *scanner) write([]byte) (int, error) { return s.wrote, s.err }

func (s *scanner) drop([]byte) (bool, error) {
	s.drops++
	return s.endless, s.err
}
func (s *scanner) there() bool                   { return !s.pulled }
func (s *scanner) deadline(way, time.Time) error { return nil }
func (s *scanner) Close() error                  { return nil }

func TestRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		no := errors.New("protocol error")
		full := make([]byte, MaxReport)
		for i := range full {
			full[i] = byte(i)
		}
		for name, c := range map[string]struct {
			scanner scanner
			room    int
			want    string
			kind    devices.Kind
		}{
			"report":             {scanner{reports: [][]byte{[]byte("\x02\x03abc")}}, 64, "\x02\x03abc", ""},
			"report/longest":     {scanner{reports: [][]byte{full}}, MaxReport, string(full), ""},
			"report/fits":        {scanner{reports: [][]byte{[]byte("abc")}}, 3, "abc", ""},
			"report/too-long":    {scanner{reports: [][]byte{[]byte("abc")}}, 2, "", devices.Protocol},
			"report/over-bounds": {scanner{reports: [][]byte{append(full, 1, 2, 3)}}, MaxReport, "", devices.Protocol},
			"empty-reports":      {scanner{reports: [][]byte{nil, {}, nil, []byte("abc")}}, 64, "abc", ""},
			"no-room":            {scanner{reports: [][]byte{[]byte("abc")}}, 0, "", devices.Unsupported},
			"fails":              {scanner{err: no}, 64, "", devices.Protocol},
			"fails/pulled-out":   {scanner{err: no, pulled: true}, 64, "", devices.Gone},
		} {
			p := newPort(&c.scanner, Info{}, nil)
			b := make([]byte, c.room)
			n, err := p.Read(t.Context(), b)
			if got := string(b[:n]); got != c.want || devices.KindOf(err) != c.kind {
				t.Errorf("%s: read %d bytes and %v, want %d and kind %q", name, n, err, len(c.want), c.kind)
			}
			for _, left := range p.report {
				if left != 0 {
					t.Errorf("%s: a part of the report stays in the port", name)
					break
				}
			}
		}
	})
}

func TestWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			scanner scanner
			report  []byte
			kind    devices.Kind
		}{
			"whole":             {scanner{wrote: 3}, []byte{0, 1, 2}, ""},
			"padded":            {scanner{wrote: 65}, []byte{0, 1, 2}, ""},
			"short":             {scanner{wrote: 2}, []byte{0, 1, 2}, devices.Protocol},
			"short/pulled-out":  {scanner{wrote: 2, pulled: true}, []byte{0, 1, 2}, devices.Gone},
			"fails":             {scanner{err: errors.New("stalled")}, []byte{0, 1}, devices.Protocol},
			"nothing":           {scanner{}, nil, devices.Unsupported},
			"only-a-number":     {scanner{wrote: 1}, []byte{0}, devices.Unsupported},
			"longest":           {scanner{wrote: MaxReport}, make([]byte, MaxReport), ""},
			"longer-than-bound": {scanner{wrote: MaxReport + 1}, make([]byte, MaxReport+1), devices.Unsupported},
		} {
			p := newPort(&c.scanner, Info{}, nil)
			if err := p.Write(t.Context(), c.report); devices.KindOf(err) != c.kind {
				t.Errorf("%s: got %v, want kind %q", name, err, c.kind)
			}
		}
	})
}

func TestFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scanner{endless: true}
		p := newPort(s, Info{}, nil)
		if err := p.Flush(); err != nil || s.drops != maxWaiting {
			t.Errorf("a device that never stops: %d dropped and %v, want %d", s.drops, err, maxWaiting)
		}
		s.pulled, s.endless = true, false
		for range 2 {
			if err := p.Flush(); devices.KindOf(err) != devices.Gone {
				t.Errorf("pulled out: got %v, want gone", err)
			}
		}
		if err := newPort(&scanner{err: errors.New("no")}, Info{}, nil).Flush(); devices.KindOf(err) != devices.Protocol {
			t.Errorf("it fails: got %v, want protocol", err)
		}
	})
}

// late is a device that fails before the system knows that it was pulled out.
type late struct {
	scanner
	until time.Time
}

func (l *late) there() bool { return time.Now().Before(l.until) }

func TestFailsBeforeItIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for after, want := range map[time.Duration]devices.Kind{
			0: devices.Gone, 100 * time.Millisecond: devices.Gone, 450 * time.Millisecond: devices.Gone, time.Hour: devices.Protocol,
		} {
			p := newPort(&late{scanner{err: errors.New("protocol error")}, time.Now().Add(after)}, Info{}, nil)
			began := time.Now()
			err := p.Write(t.Context(), []byte{0, 1})
			if took := time.Since(began); devices.KindOf(err) != want || took > 500*time.Millisecond {
				t.Errorf("gone after %v: got %v in %v, want kind %q in half a second", after, err, took, want)
			}
		}
	})
}

// sleeper reads until its deadline passes.
type sleeper struct {
	scanner
	passed chan struct{}
}

func (s *sleeper) read([]byte) (int, error) {
	<-s.passed
	return 0, nil
}

func (s *sleeper) deadline(of way, at time.Time) error {
	if of == inward && !at.IsZero() {
		s.passed <- struct{}{}
	}
	return nil
}

func TestSecondRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPort(&sleeper{passed: make(chan struct{})}, Info{}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() { _, err := p.Read(ctx, make([]byte, 1)); first <- err }()
		synctest.Wait()
		if _, err := p.Read(t.Context(), make([]byte, 1)); devices.KindOf(err) != devices.InUse {
			t.Errorf("a second Read: got %v, want in use", err)
		}
		cancel()
		if err := <-first; devices.KindOf(err) != devices.Cancelled {
			t.Errorf("the first Read: got %v, want cancelled", err)
		}
	})
}

func TestInfo(t *testing.T) {
	t.Parallel()
	p := newPort(&scanner{}, Info{Bus: 3, Vendor: 0x1234, Product: 0x5678, Name: "Sc\x1b[2Janner\xff\x00", Path: "usb-1\n2"}, []byte{5, 0x8c})
	if got, want := p.Info(), (Info{3, 0x1234, 0x5678, "Sc[2Janner", "usb-12"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	clear(p.Descriptor())
	if got := p.Descriptor(); len(got) != 2 || got[1] != 0x8c {
		t.Errorf("the descriptor was written over: % x", got)
	}
}

func TestOpenMissing(t *testing.T) {
	t.Parallel()
	p, err := Open("no-such-device")
	if p != nil || err == nil || !strings.Contains(err.Error(), "no-such-device") {
		t.Errorf("got %v, want a Fault that names the node", err)
	}
}
