// Package daemon is the counter: it puts the desk, the devices, the queue, the
// way to the centre and the local interface together, starts them and stops
// them. It is one of the few rooms that start goroutines.
//
// It has no rules: the visit is the desk's, its way is route's, the accounts'
// rules are clerk's.
//
// # The laws
//
//   - One daemon works on a data folder at a time, and one answers a socket.
//   - Only users of the configuration may speak to the socket; the kernel says
//     who they are.
//   - The first part that fails stops all; stopping takes five seconds at most,
//     and whatever was answered is on disk before.
//   - A device, a matcher or a centre that is missing is said and lived without.
//   - No log line holds a person's data: the keys come from a list.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/bench"
	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/clerklog"
	"github.com/counterproof/counterproof/agent/clerkstore"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/face"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/ocr"
	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/proof"
)

// Version is what records and the status say of the program.
const Version = "0.1.0"

// stopWithin is how long stopping may take.
const stopWithin = 5 * time.Second

// counter is everything that the daemon holds.
type counter struct {
	cfg     config.Config
	lock    *os.File
	outbox  *outbox.Outbox
	clerks  *clerkstore.Store
	deeds   *deeds
	matcher *face.Engine
	hub     *bench.Bench
	desk    *desk.Desk
	news    *news
}

// Run opens the counter of a configuration and answers its local interface
// until ctx ends; then it returns nil. ready, if not nil, is called once the
// socket answers.
func Run(ctx context.Context, cfg config.Config, ready func()) error {
	c, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	defer c.close()
	listener, err := listen(cfg.SocketPath(), cfg.Users)
	if err != nil {
		return err
	}
	s := &server{c: c, sessions: newSessions(), news: c.news}
	actors := []actor{
		{"interface", func(ctx context.Context) error { return serve(ctx, listener, s.handler()) }},
		{"devices", c.hub.Run},
		{"outbox", c.outbox.Run},
		{"news", func(ctx context.Context) error { return c.tellQueue(ctx) }},
		{"sessions", s.watchSessions},
	}
	slog.Info("the counter answers", "socket", cfg.SocketPath(), "version", Version)
	if ready != nil {
		ready()
	}
	return runAll(ctx, actors)
}

// actor is one part that runs until its context ends.
type actor struct {
	name string
	run  func(context.Context) error
}

// runAll runs the parts until ctx ends or one of them fails, and waits for the
// others. A part that does not stop in time is left behind and named.
func runAll(ctx context.Context, actors []actor) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	running := map[string]bool{}
	ended := make(chan string, len(actors))
	for _, a := range actors {
		running[a.name] = true
		go func() {
			err := a.run(ctx)
			if ctx.Err() == nil {
				stop(fmt.Errorf("%s ended: %w", a.name, errors.Join(err, errEnded)))
			}
			ended <- a.name
		}()
	}
	<-ctx.Done()
	late := time.After(stopWithin)
	for waits := true; waits && len(running) > 0; {
		select {
		case name := <-ended:
			delete(running, name)
		case <-late:
			waits = false
		}
	}
	for name := range running {
		slog.Error("a part does not stop", "op", name)
	}
	if cause := context.Cause(ctx); errors.Is(cause, errEnded) {
		return cause
	}
	return nil
}

// errEnded says that a part ended though nobody asked it to.
var errEnded = errors.New("it is meant to run until the end")

// open opens everything that lies in the data folder.
func open(ctx context.Context, cfg config.Config) (_ *counter, err error) {
	c := &counter{cfg: cfg, news: newNews()}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.lock, err = lock(cfg.Data); err != nil {
		return nil, err
	}
	if c.outbox, err = openOutbox(cfg); err != nil {
		return nil, err
	}
	if c.clerks, err = clerkstore.Open(cfg.Data, c.outbox); err != nil {
		return nil, err
	}
	c.openDeeds()
	if c.hub, err = bench.Open(cfg, c.training()); err != nil {
		return nil, err
	}
	c.outbox.TakeTrust(c.hub.Trust.Put)
	c.openMatcher()
	return c, c.openDesk(ctx)
}

// openDeeds opens the record of who did what; without it the counter works, and
// whoever wants to read it hears why it cannot be.
func (c *counter) openDeeds() {
	log, err := clerklog.Open(clerklog.Config{Dir: filepath.Join(c.cfg.Data, "activity"), Vault: c.outbox}, time.Now())
	if err != nil {
		slog.Error("who did what is not recorded", "kind", string(proof.KindOf(err)), "err", err)
		log = nil
	}
	c.deeds = &deeds{log: log, last: map[proof.OperatorID]time.Time{}}
}

// training reports whether the counter is enrolled for training.
func (c *counter) training() bool {
	identity, err := c.outbox.Identity()
	return err == nil && identity.Training
}

// openMatcher loads the face networks; without them the operator compares.
func (c *counter) openMatcher() {
	var err error
	c.matcher, err = face.Open(face.Config{Models: c.cfg.Models})
	if err != nil {
		slog.Warn("faces are compared by eye", "kind", string(proof.KindFaceUnavailable), "err", err)
	}
}

// openDesk opens the desk, which takes up a visit that was interrupted. What is
// damaged or cannot be finished now is said; the desk works.
func (c *counter) openDesk(ctx context.Context) error {
	policy, err := gpg45.Load(c.cfg.Policy)
	if err != nil {
		return err
	}
	reader, err := ocr.NewReader()
	if err != nil {
		return err
	}
	drafts, err := draft.Open(filepath.Join(c.cfg.Data, "drafts"), c.outbox)
	if err != nil {
		return err
	}
	// Before the enrolment no visit begins, so it does not matter that an
	// identity without one is not for training.
	identity, err := c.outbox.Identity()
	if err != nil && proof.KindOf(err) != proof.KindNotEnrolled {
		return err
	}
	templates, err := c.cfg.Templates()
	if err != nil {
		return err
	}
	c.desk, err = desk.Open(ctx, desk.Config{
		Drafts: drafts, Cameras: c.hub, Readers: c.hub, Chips: c.hub, Reader: reader, Matcher: matcher{c.matcher}, Policy: policy, Recorder: c.outbox,
		Slips: c.slips(),
		Site:  c.site(), App: Version, Training: identity.Training, Capture: c.cfg.CaptureTime(), Notify: c.news.tell,
		Clerks: c.clerks.Operators, Templates: templates, Symbols: symbols,
	})
	if err != nil {
		slog.Error("a visit could not be taken up whole", "kind", string(proof.KindOf(err)), "err", err)
	}
	return nil
}

// close lets go of everything; nothing that was answered depends on it.
func (c *counter) close() {
	var errs []error
	if c.matcher != nil {
		errs = append(errs, c.matcher.Close())
	}
	if c.deeds != nil {
		errs = append(errs, c.deeds.log.Close())
	}
	if c.outbox != nil {
		errs = append(errs, c.outbox.Close())
	}
	if c.lock != nil {
		errs = append(errs, c.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		slog.Warn("closing the counter", "err", err)
	}
}

// serve answers the local interface until ctx ends. Streams end with it.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin/2)
		defer cancel()
		stopped <- errors.Join(srv.Shutdown(grace), srv.Close())
	})
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering: %w", err)
	}
	<-stopped
	return nil
}

// queueTold is how often the screens hear of the queue.
const queueTold = 2 * time.Second

// tellQueue tells the screens how the queue stands, whenever that changed.
func (c *counter) tellQueue(ctx context.Context) error {
	var last api.Queue
	tick := time.NewTicker(queueTold)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := c.outbox.State(ctx); now != last {
			last = now
			c.news.tell(api.Event{Kind: api.EventQueue, Queue: &now})
		}
	}
}

// unlock lets a clerk in again, for a supervisor.
func (c *counter) unlock(by proof.Operator, whom proof.OperatorID) error {
	if !clerk.MayUnlock(by, whom) {
		return &proof.Error{Op: "unlocking", Kind: proof.KindNotAllowed}
	}
	return c.clerks.Unlock(whom)
}
