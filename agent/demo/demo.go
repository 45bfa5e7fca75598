// Package demo puts a whole counter and a whole centre on one machine, without
// hardware: a training centre, an opener, an enrolled counter whose cameras show
// pictures, and a visit from sign-in to the opened record. It uses the local
// interface and the programs' own code, like any counter; it has no way in that
// a counter has not.
//
// # The laws
//
//   - Everything is a training enrolment, whose records prove nobody.
//   - What it makes lies in one folder, which goes with it unless it was named.
//   - Documents are specimens of Utopia or the pictures that the caller names;
//     nothing of them is left anywhere but in that folder.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/bureau"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/daemon"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/training"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/wire"
)

// Config says what the demonstration shows.
type Config struct {
	// Dir is where everything lies; a temporary folder, removed at the end, if
	// empty.
	Dir string
	// Document and Face are photographs: of the data page before the document
	// camera and of the patient before the face camera. Where they are empty a
	// specimen passport of Utopia is made, and the pictures that set-up fetched
	// are used.
	Document, Face string
	// Impostor puts another man before the camera.
	Impostor bool
	// Route is the visit that is told, by a word of stories; passport if empty.
	Route string
	// Language is the patient's, BCP 47.
	Language string
	// Models is the folder of the face networks; the usual places if empty.
	Models string
	// Out takes what is told.
	Out io.Writer
}

// The invented pharmacy of the demonstration, and the post office to which a
// patient goes another day.
const (
	site       = "FWC87"
	secondSite = "PO123"
)

// The first clerk of the demonstration.
const (
	clerkName   = "Robin Vale"
	clerkSecret = "470126"
)

// world is a running centre and counter.
type world struct {
	cfg     Config
	story   story
	dir     string
	centre  *central.Central
	address string // of the centre
	opener  *opener.Opener
	start   func(run func(context.Context) error) // until the demonstration ends

	// The counter where the patient is now, and who serves there.
	conf   config.Config
	clerk  api.Session
	client *client.Client
	slip   []string // the last, which the patient has

	utopia *training.Utopia // whose documents have the chips
	lines  []string         // of the document before the camera
	head   image.Image      // in it, nil for a drawing

	hand sync.Mutex // over next
	next [][]byte   // pictures of the document that were not shown yet
}

// say tells one line of what happens.
func (w *world) say(format string, args ...any) {
	fmt.Fprintf(w.cfg.Out, format+"\n", args...)
}

// Run makes the world, lets use work in it and takes it down again.
func Run(ctx context.Context, cfg Config, use func(context.Context, *world) error) (err error) {
	w := &world{cfg: cfg, dir: cfg.Dir}
	if w.story, err = storyOf(cmp.Or(cfg.Route, "passport")); err != nil {
		return err
	}
	if w.dir == "" {
		if w.dir, err = os.MkdirTemp("", "counterproof-demo-"); err != nil {
			return fmt.Errorf("making the demonstration's folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(w.dir)) }()
	}
	if err := w.pictures(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer func() {
		running.Wait()
		if w.opener != nil {
			err = errors.Join(err, w.opener.Close())
		}
	}()
	defer stop()
	failed := make(chan error, 2)
	w.start = func(run func(context.Context) error) {
		running.Go(func() {
			if err := run(ctx); err != nil {
				failed <- err
				stop()
			}
		})
	}
	if err := w.open(ctx); err != nil {
		return errors.Join(err, first(failed))
	}
	return errors.Join(use(ctx, w), first(failed))
}

// first is an error that a part ended with, if one did.
func first(failed <-chan error) error {
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// open starts the centre, makes and enrols the opener, and opens the first
// counter.
func (w *world) open(ctx context.Context) error {
	if err := w.openCentre(ctx); err != nil {
		return err
	}
	return w.openCounter(ctx, site)
}

// openCounter invites, enrols and starts a counter, and makes its first clerk.
// From now on the patient is there.
func (w *world) openCounter(ctx context.Context, site wire.SiteID) error {
	invite, err := w.centre.Invite(ctx, central.Invitation{Site: site, Address: w.address})
	if err != nil {
		return err
	}
	w.conf = config.Default()
	w.conf.Plugs = false // what is plugged in here belongs to somebody
	w.conf.Data = filepath.Join(w.dir, "counter-"+string(site))
	w.conf.Models = w.cfg.Models
	w.conf.DocumentCamera = "sim:" + w.folder("document")
	w.conf.FaceCamera = "sim:" + w.folder("face")
	w.conf.Printer = "file:" + filepath.Join(w.dir, "slips")
	if err := w.layChip(); err != nil {
		return err
	}
	if w.story.expert {
		w.conf.UVIRTemplates = route.Today(time.Now()).AddDays(-60).String()
	}
	enrolled, err := daemon.Enrol(ctx, w.conf, invite.String(), nil)
	if err != nil {
		return fmt.Errorf("enrolling the counter: %w", err)
	}
	w.say("The counter is enrolled as %s of site %s, for training.", enrolled.Agent, enrolled.Site)
	ready, conf := make(chan struct{}), w.conf
	w.start(func(ctx context.Context) error { return daemon.Run(ctx, conf, func() { close(ready) }) })
	select {
	case <-ready:
	case <-ctx.Done():
		return fmt.Errorf("starting the counter: %w", context.Cause(ctx))
	}
	w.client = client.New(w.conf.SocketPath())
	return w.signUp(ctx, enrolled.FirstClerk)
}

// openCentre starts a training centre on a free port with an opener whose keys
// it hands out.
func (w *world) openCentre(ctx context.Context) error {
	var err error
	w.centre, err = central.Open(ctx, central.Config{Dir: filepath.Join(w.dir, "centre"), Training: true})
	if err != nil {
		return err
	}
	listener, err := central.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	w.address = listener.Addr().String()
	w.start(func(ctx context.Context) error { return errors.Join(w.centre.Serve(ctx, listener), w.centre.Close()) })
	w.say("The centre answers on %s and is in training.", w.address)
	openerInvite, err := w.centre.Invite(ctx, central.Invitation{Opener: true, Address: w.address})
	if err != nil {
		return err
	}
	if err := w.openOpener(); err != nil {
		return err
	}
	if err := w.opener.Enrol(ctx, openerInvite.String()); err != nil {
		return fmt.Errorf("enrolling the opener: %w", err)
	}
	cases, err := bureau.Services{Simulate: true}.Worker(w.opener, slog.Default())
	if err != nil {
		return fmt.Errorf("opening the casework: %w", err)
	}
	w.opener.Use(cases)
	w.say("The opener has made its keys; the centre hands out their public halves. What it asks (PDS, NHS login,")
	w.say("sources, practices) is simulated.")
	return nil
}

// openerPoll is how often the opener looks for records beside a window.
const openerPoll = 2 * time.Second

// openOpener makes the opener's keys and opens it until the demonstration ends.
func (w *world) openOpener() error {
	dir := filepath.Join(w.dir, "opener")
	if _, err := opener.Keygen(dir, wire.Suite{}); err != nil {
		return fmt.Errorf("making the opener's keys: %w", err)
	}
	cfg := opener.Config{Dir: dir, Poll: openerPoll, Show: w.tellOpened}
	if err := w.found(&cfg); err != nil {
		return err
	}
	var err error
	w.opener, err = opener.Open(cfg)
	return err
}

// signUp makes the first clerk, who was trained some months ago.
func (w *world) signUp(ctx context.Context, code string) error {
	today := route.Today(time.Now())
	trained := proof.Training{
		Impostor: proof.Date{Year: today.Year - 2, Month: 11, Day: 2},
		Document: proof.Date{Year: today.Year - 1, Month: 2, Day: 10},
	}
	if w.story.expert {
		trained.Impostor, trained.UVIR = today.AddDays(-200), today.AddDays(-100)
	}
	if w.story.fresh {
		trained.Impostor = today.AddDays(-200)
	}
	var err error
	w.clerk, err = w.client.FirstClerk(ctx, api.FirstClerk{Code: code, Name: clerkName, Secret: clerkSecret, Training: trained})
	if err != nil {
		return fmt.Errorf("making the first clerk: %w", err)
	}
	return nil
}
