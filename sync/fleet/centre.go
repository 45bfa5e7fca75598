package fleet

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/sync/central"
)

// centreEnv tells a program of the fleet that it is to be the centre.
const centreEnv = "COUNTERPROOF_FLEET_CENTRE"

// task is what a centre's process is told.
type task struct {
	Dir    string
	Listen string
	Store  Engine
	Source string // of the database; empty for SQLite
	Break  Break
}

// Centre serves as the centre where Run has started this process to, and says
// so. Every program that calls Run calls it first.
func Centre(ctx context.Context, out io.Writer) (ours bool, err error) {
	text := os.Getenv(centreEnv)
	if text == "" {
		return false, nil
	}
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return true, fmt.Errorf("reading what the centre is to do: %w", err)
	}
	return true, t.serve(ctx, out)
}

// inFlight is how many requests the centre works on at once: more than the
// fleet has at work, twice over because of what is delivered twice.
const inFlight = 256

// serve opens the centre, says where it listens, and answers until it is told
// to stop or killed.
func (t task) serve(ctx context.Context, out io.Writer) error {
	// The log goes nowhere: at a thousand lines a second it would be measured too.
	cfg := central.Config{Dir: t.Dir, Database: t.Source, Training: true, InFlight: inFlight, Log: slog.New(slog.DiscardHandler)}
	if t.Break != BreakNone {
		s, err := openStore(ctx, t.Store, t.Source, t.Dir)
		if err != nil {
			return err
		}
		defer s.Close()
		if cfg.Store, err = breakStore(s, t.Break, t.Dir); err != nil {
			return err
		}
	}
	c, err := central.Open(ctx, cfg)
	if err != nil {
		return err
	}
	ln, err := central.Listen(t.Listen)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	_, err = fmt.Fprintln(out, ln.Addr())
	return errors.Join(err, c.Serve(ctx, ln), c.Close())
}

// host runs the centre in a process of its own, again and again.
type host struct {
	command []string
	task    task
	mu      sync.Mutex
	address string
	running *exec.Cmd
	cost    time.Duration // processor time of the processes that ended
}

// newHost makes one that runs nothing yet.
func newHost(cfg Config, b base) *host {
	command := cfg.Command
	if len(command) == 0 {
		command = []string{os.Args[0]}
	}
	return &host{command: command, task: task{
		Dir: centreDir(cfg.Dir), Listen: "127.0.0.1:0", Store: cfg.Store, Source: b.source, Break: cfg.Break,
	}}
}

// start starts the centre where it was before, and waits until it listens.
func (h *host) start() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.task.Listen = cmp.Or(h.address, h.task.Listen)
	text, err := json.Marshal(h.task)
	if err != nil {
		return err
	}
	cmd := exec.Command(h.command[0], h.command[1:]...)
	cmd.Env = append(os.Environ(), centreEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("starting the centre: %w", err)
	}
	h.running = cmd
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return errors.New("the centre does not listen")
	}
	h.address = strings.TrimSpace(line)
	return nil
}

// spent is the processor time of the processes that have ended.
func (h *host) spent() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cost
}

// at is where the centre listens.
func (h *host) at() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.address
}

// kill ends the centre as kill -9 does.
func (h *host) kill() { h.end(os.Kill) }

// stop lets the centre finish what is under way.
func (h *host) stop() { h.end(os.Interrupt) }

// end sends a signal and waits for the end.
func (h *host) end(how os.Signal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running == nil {
		return
	}
	_ = h.running.Process.Signal(how)
	_ = h.running.Wait() // its exit says nothing that matters
	if s := h.running.ProcessState; s != nil {
		h.cost += s.UserTime() + s.SystemTime()
	}
	h.running = nil
}

// cut does to the disk what a power cut does where the run's break is that the
// database does not sync: nothing in its log has to be there.
func (h *host) cut() error {
	if h.task.Break != BreakSync {
		return nil
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(databaseFile(h.task.Dir) + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// again starts the centre anew, for as long as its port is not free yet.
func (h *host) again() error {
	h.stop()
	var err error
	for range 50 {
		if err = h.start(); err == nil {
			return nil
		}
		h.kill()
		<-time.After(100 * time.Millisecond)
	}
	return err
}

// databaseFile is where the centre has its SQLite store.
func databaseFile(dir string) string { return filepath.Join(dir, "centre.db") }
