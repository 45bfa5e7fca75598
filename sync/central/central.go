// Package central is the centre's front: it enrols counters and openers,
// takes sealed records and their parts, answers with signed receipts, hands
// out the signed bundle, gives the openers what was stored, and carries their
// signed news back to the counters. What it holds lies in a store.Store; what it
// is, a certificate authority and a receipt key, lies in its data folder.
//
// It never opens a record and holds no key that could.
//
// # The laws
//
//   - A receipt is signed only inside the transaction that stores its record.
//     An unclear commit is answered 503, never 200.
//   - Who speaks is what the TLS certificate says, checked against the enrolled
//     key on every request; a path never says who.
//   - News goes to the counter that it names and to nobody else, with the
//     signature of the opener who sent it. The centre adds nothing to it.
//   - A body is bounded before it is read, and work is refused before it is
//     begun: shedding costs no signature, no disk and no body.
//   - A centre is in training or it is not, for the whole life of its data
//     folder. The records of one kind are refused, signed, by the other.
//   - Log lines carry agents, numbers and verdicts, and nothing of a person.
package central

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/central/metrics"
	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/postgres"
	"github.com/counterproof/counterproof/sync/store/sqlite"
)

// Files of the data folder.
const (
	DatabaseFile = "centre.db"
	addressFile  = "address" // where the centre was last reached, for invitations
)

// Config says how a centre runs. Only Dir is needed.
type Config struct {
	Dir      string       // data folder; made if missing
	Training bool         // fixed by the first start in Dir
	Names    []string     // DNS names and IP addresses it is reached by; this machine's own by default
	Address  string       // host:port for invitations; by default where it listens
	InFlight int          // requests worked on at the same time; 64 if 0
	Store    store.Store  // SQLite in Dir if nil; otherwise the caller's to close
	Database string       // postgres:// address of the store; SQLite in Dir if empty
	Objects  object.Store // takes the blobs; they lie in the store's own tables if nil
	Log      *slog.Logger // silent if nil
}

// Central is an opened centre. It is safe for use by many goroutines.
type Central struct {
	cfg       Config
	log       *slog.Logger
	keys      *authority.Authority
	store     store.Store
	close     func() error
	slots     chan struct{} // of agents
	strangers chan struct{}
	sequencer sequencer

	figures  *metrics.Counters
	document func() ([]byte, error) // the interface's description, made once
}

// Open opens the centre in cfg.Dir and makes its keys, its store and its first
// bundle where they are missing. It starts nothing.
func Open(ctx context.Context, cfg Config) (*Central, error) {
	c, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the centre: %w", err)
	}
	return c, nil
}

func open(ctx context.Context, cfg Config) (*Central, error) {
	if cfg.InFlight == 0 {
		cfg.InFlight = 64
	}
	if len(cfg.Names) == 0 {
		cfg.Names = []string{"localhost", "127.0.0.1", "::1"}
	}
	c := &Central{cfg: cfg, log: cfg.Log, slots: make(chan struct{}, cfg.InFlight), strangers: make(chan struct{}, min(strangers, cfg.InFlight)),
		figures: metrics.New(), document: sync.OnceValues(api.OpenAPI)}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := authority.FixMode(cfg.Dir, cfg.Training); err != nil {
		return nil, err
	}
	var err error
	if c.keys, err = authority.Open(cfg.Dir, cfg.Names); err != nil {
		return nil, err
	}
	if c.store, c.close, err = openStore(ctx, cfg); err != nil {
		return nil, err
	}
	if _, err := c.freshBundle(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// openStore opens the configured store and says how to close it.
func openStore(ctx context.Context, cfg Config) (store.Store, func() error, error) {
	if cfg.Store != nil {
		return cfg.Store, func() error { return nil }, nil
	}
	if cfg.Database != "" {
		s, err := postgres.OpenWith(ctx, cfg.Database, postgres.Config{Objects: cfg.Objects})
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	}
	s, err := sqlite.OpenWith(ctx, filepath.Join(cfg.Dir, DatabaseFile), sqlite.Config{Objects: cfg.Objects})
	if err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

// Close closes the centre's store. Nothing that was answered is lost without
// it.
func (c *Central) Close() error { return c.close() }

// Limits of a connection's patience.
const (
	headerTime = 10 * time.Second
	bodyTime   = time.Minute // for each MiB read or written
	idleTime   = 2 * time.Minute
	graceTime  = 5 * time.Second // for what is under way at the end
)

// Listen opens the address to serve on.
func Listen(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", address, err)
	}
	return ln, nil
}

// Serve answers on ln, over TLS, until ctx ends; then it finishes what is
// under way, for at most five seconds, and returns nil. It closes ln.
func (c *Central) Serve(ctx context.Context, ln net.Listener) error {
	if err := c.noteAddress(ln); err != nil {
		return errors.Join(err, ln.Close())
	}
	srv := &http.Server{
		Handler:           c.Handler(),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		WriteTimeout:      2 * bodyTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	defer c.sweeping(ctx)()
	ended := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
		defer cancel()
		ended <- errors.Join(srv.Shutdown(grace), srv.Close())
	})
	c.log.Info("the centre answers", "addr", ln.Addr().String())
	err := srv.Serve(tls.NewListener(ln, c.keys.TLS()))
	if stop() {
		return fmt.Errorf("serving: %w", err)
	}
	if err := <-ended; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping: %w", err)
	}
	// What was stored last is signed for now, not when somebody asks again.
	if _, _, err := c.again(context.WithoutCancel(ctx), 1); err != nil {
		c.log.Error("the log could not be signed at the end", "err", err)
	}
	c.log.Info("the centre has stopped")
	return nil
}

// noteAddress keeps where the centre is reached, for the invite command.
func (c *Central) noteAddress(ln net.Listener) error {
	address := c.cfg.Address
	if address == "" {
		host, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			return fmt.Errorf("reading the own address: %w", err)
		}
		if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
			host = c.cfg.Names[0]
		}
		address = net.JoinHostPort(host, port)
	}
	if err := authority.Replace(filepath.Join(c.cfg.Dir, addressFile), []byte(address+"\n")); err != nil {
		return fmt.Errorf("noting the own address: %w", err)
	}
	return nil
}
