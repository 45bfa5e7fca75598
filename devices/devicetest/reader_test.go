package devicetest

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// slate is a reader of software, with switches for what can be wrong with one.
type slate struct {
	mu      sync.Mutex
	laid    [][]byte
	n       byte
	used    bool
	out     bool
	changed chan struct{}

	eager, doubles, reverses, deaf, sleeps, shared, numb, alive, dead, forgets, plain bool
}

func newSlate() *slate { return &slate{changed: make(chan struct{})} }

func (s *slate) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *slate) lay() (thing []byte) {
	s.change(func() {
		s.n++
		thing = []byte{s.n, s.n}
		s.laid = append(s.laid, thing)
		if s.doubles {
			s.laid = append(s.laid, thing)
		}
		if s.reverses && s.n > 1 {
			s.laid[0] = []byte{99}
		}
		if s.dead && s.out {
			s.laid = nil
		}
	})
	return bytes.Clone(thing)
}

func (s *slate) fault(kind devices.Kind) error {
	if s.plain {
		return errors.New("it does not read")
	}
	return &devices.Fault{Op: "reading", Kind: kind}
}

// step does what can be done at once.
func (s *slate) step(ctx context.Context, first bool) (got []byte, changed chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case ctx.Err() != nil && !(s.deaf && first) && !s.forgets:
		return nil, nil, s.fault(devices.Cancelled)
	case ctx.Err() != nil && s.forgets:
		s.laid = nil
		return nil, nil, s.fault(devices.Cancelled)
	case s.out && !s.alive && (first || !s.numb):
		return nil, nil, s.fault(devices.Gone)
	case first && s.used && !s.shared:
		return nil, nil, s.fault(devices.InUse)
	case len(s.laid) > 0:
		got, s.laid = s.laid[0], s.laid[1:]
		return got, nil, nil
	case s.eager:
		return []byte{0}, nil, nil
	}
	s.used = true
	return nil, s.changed, nil
}

func (s *slate) read(ctx context.Context) ([]byte, error) {
	for first := true; ; first = false {
		got, changed, err := s.step(ctx, first)
		if changed == nil {
			s.mu.Lock()
			s.used = s.used && first && err != nil
			s.mu.Unlock()
			return got, err
		}
		if s.sleeps {
			time.Sleep(time.Hour)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (s *slate) rig() ReaderRig {
	return ReaderRig{
		Read: s.read, Lay: s.lay,
		Unplug: func() { s.change(func() { s.out = true }) },
		Plug:   func() { s.change(func() { s.out = s.dead }) },
	}
}

// wrongSlate gives a reader that was set wrong.
func wrongSlate(set func(*slate)) func(testing.TB) ReaderRig {
	return func(testing.TB) ReaderRig {
		s := newSlate()
		set(s)
		return s.rig()
	}
}

func TestReaderSuite(t *testing.T) {
	t.Parallel()
	prove(t, readerChecks, wrongSlate(func(*slate) {}), []control[ReaderRig]{
		{"reads-what-is-laid", "another thing", "want the 2 that were laid", wrongSlate(func(s *slate) { s.laid = [][]byte{{7}} })},
		{"reads-in-order", "doubles", "want the 2 that were laid", wrongSlate(func(s *slate) { s.doubles = true })},
		{"waits-for-something", "makes something up", "before anything was laid", wrongSlate(func(s *slate) { s.eager = true })},
		{"reads-once", "reads again", "want a Fault", wrongSlate(func(s *slate) { s.doubles = true })},
		{"ended-context-reads-nothing", "reads all the same", "want a Fault", wrongSlate(func(s *slate) { s.deaf = true })},
		{"ended-context-reads-nothing", "takes it away", "reading did not end", wrongSlate(func(s *slate) { s.forgets = true })},
		{"ends-with-context", "sleeps on", "did not end within", wrongSlate(func(s *slate) { s.sleeps = true })},
		{"ends-with-context", "no fault", "want a Fault", wrongSlate(func(s *slate) { s.plain = true })},
		{"second-user-is-refused", "serves two", `want ["in_use"]`, wrongSlate(func(s *slate) { s.shared = true })},
		{"unplugged-is-gone", "notices nothing", "did not end within", wrongSlate(func(s *slate) { s.numb = true })},
		{"unplugged-reads-nothing", "lives on", `want ["gone" "missing"]`, wrongSlate(func(s *slate) { s.alive = true })},
		{"plugged-in-again-reads", "stays dead", "want the", wrongSlate(func(s *slate) { s.dead = true })},
	})
}

// glass is a scanner of software, with switches.
type glass struct {
	page                                         []byte
	out                                          bool
	blank, greedy, few, deaf, once, keeps, alive bool
	scans                                        int
}

func newGlass(tb testing.TB, set func(*glass)) *glass {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 32)), nil); err != nil {
		tb.Fatal(err)
	}
	g := &glass{page: b.Bytes()}
	set(g)
	return g
}

func (g *glass) Scan(ctx context.Context, lights []devices.Light) (pages [][]byte, err error) {
	kind := devices.KindNone
	switch {
	case ctx.Err() != nil && !g.deaf:
		kind = devices.Cancelled
	case g.out && !g.alive, g.once && g.scans > 0:
		kind = devices.Gone
	}
	for _, l := range lights {
		if l != devices.White && l != devices.UV && !g.greedy {
			kind = devices.Unsupported
		}
	}
	if kind != devices.KindNone {
		return nil, &devices.Fault{Op: "scanning", Kind: kind}
	}
	g.scans++
	for range lights {
		page := g.page
		switch {
		case g.blank:
			page = []byte("a page of text")
		case !g.keeps:
			page = bytes.Clone(page)
		}
		pages = append(pages, page)
	}
	if g.few {
		pages = pages[:1]
	}
	return pages, nil
}

func scannerRig(set func(*glass)) func(testing.TB) ScannerRig {
	return func(tb testing.TB) ScannerRig {
		g := newGlass(tb, set)
		return ScannerRig{Scanner: g, Lights: []devices.Light{devices.White, devices.UV}, Unplug: func() { g.out = true }}
	}
}

func TestScannerSuite(t *testing.T) {
	t.Parallel()
	prove(t, scannerChecks, scannerRig(func(*glass) {}), []control[ScannerRig]{
		{"page-is-a-picture", "text", "is no picture", scannerRig(func(g *glass) { g.blank = true })},
		{"one-page-for-each-light", "one for all", "got 1 pages", scannerRig(func(g *glass) { g.few = true })},
		{"other-light-is-unsupported", "takes any", "want a Fault", scannerRig(func(g *glass) { g.greedy = true })},
		{"ended-context-scans-nothing", "scans all the same", "want a Fault", scannerRig(func(g *glass) { g.deaf = true })},
		{"scans-again", "once", "got 0", scannerRig(func(g *glass) { g.once = true })},
		{"bytes-are-the-callers", "shared", "is no picture", scannerRig(func(g *glass) { g.keeps = true })},
		{"unplugged-scans-nothing", "lives on", "want a Fault", scannerRig(func(g *glass) { g.alive = true })},
	})
}
