//go:build unix

package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/proof"
)

// programs builds the counter's and the centre's programs, once.
var programs = sync.OnceValue(func() error {
	if builtErr != nil {
		return builtErr
	}
	cmd := exec.Command("go", "build", "-o", built+string(filepath.Separator),
		"./agent/cmd/counterproofd", "./sync/cmd/counterproof-central")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

// process is a program that is started, killed and started again. What it
// writes goes to its log file.
type process struct {
	t    testing.TB
	dir  string // where it works; its temporary folder is there too
	args []string
	log  string
	cmd  *exec.Cmd // nil while it does not run
}

// command prepares a program in a folder of its own, far from the models and
// settings of whoever runs the test.
func (p *process) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(built, args[0]), args[1:]...)
	cmd.Dir = p.dir
	cmd.Env = []string{"HOME=" + p.dir, "TMPDIR=" + filepath.Join(p.dir, "tmp"), "PATH=" + os.Getenv("PATH")}
	return cmd
}

// start starts it and does not wait until it answers.
func (p *process) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Error(err)
		return
	}
	defer log.Close()
	cmd := p.command(p.args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		p.t.Error(err)
		return
	}
	p.cmd = cmd
}

// complaints are the log's lines that tell of an error.
func (p *process) complaints() (found []string) {
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Error(err)
	}
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "{") || strings.Contains(line, `"level":"ERROR"`) {
			found = append(found, line)
		}
	}
	return found
}

// kill ends it as a power cut would: nothing in it hears of it.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
}

// stop tells it to stop and expects that it does, in time and without an error.
func (p *process) stop() {
	p.t.Helper()
	if p.cmd == nil {
		p.t.Errorf("%s does not run", p.args[0])
		return
	}
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil || time.Since(began) > 8*time.Second {
		p.t.Errorf("%s stopped after %s: %v", p.args[0], time.Since(began), err)
	}
	p.cmd = nil
}

// world is a centre and a counter in processes of their own, on the loopback.
type world struct {
	t       testing.TB
	dir     string
	address string
	conf    config.Config
	centre  *process
	counter *process
	opener  *opener
	client  *client.Client
	code    string // of the first clerk
}

// newWorld builds and starts both, enrols an opener and the counter, and makes
// the first clerk, who is signed in.
func newWorld(t testing.TB, change func(*config.Config)) *world {
	t.Helper()
	if err := programs(); err != nil {
		t.Fatalf("building the programs: %v", err)
	}
	w := &world{t: t, dir: folder(t), address: freeAddress(t)}
	for _, name := range []string{"c", "d"} {
		if err := os.MkdirAll(filepath.Join(w.dir, name, "tmp"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	centreData := filepath.Join(w.dir, "c", "data")
	w.centre = &process{t: t, dir: filepath.Join(w.dir, "c"), log: filepath.Join(w.dir, "c", "log"),
		args: []string{"counterproof-central", "serve", "--data", centreData, "--listen", w.address, "--training"}}
	t.Cleanup(w.centre.kill)
	w.centre.start()
	until(t, "the centre answers", w.centreAnswers)
	w.opener = newOpener(t, w.says(w.centre, "counterproof-central", "invite", "--data", centreData, "--opener"))
	w.conf = configure(t, filepath.Join(w.dir, "d"))
	if change != nil {
		change(&w.conf)
	}
	w.enrol(w.says(w.centre, "counterproof-central", "invite", "--data", centreData, "--site", site))
	t.Cleanup(w.counter.kill)
	w.client = client.New(w.conf.SocketPath())
	w.counter.start()
	until(t, "the counter answers", w.counterAnswers)
	_, err := w.client.FirstClerk(t.Context(), api.FirstClerk{Code: w.code, Name: "Robin Vale", Secret: robinSecret, Training: trained()})
	if err != nil {
		t.Fatalf("making the first clerk: %v", err)
	}
	return w
}

// enrol writes the configuration and enrols the counter with it.
func (w *world) enrol(invitation string) {
	w.t.Helper()
	file := filepath.Join(w.dir, "counter.json")
	b, err := json.Marshal(w.conf)
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.counter = &process{t: w.t, dir: filepath.Join(w.dir, "d"), log: filepath.Join(w.dir, "d", "log"),
		args: []string{"counterproofd", "run", "--config", file}}
	out := w.says(w.counter, "counterproofd", "enrol", "--config", file, "--invite", invitation)
	_, w.code, _ = strings.Cut(out, "good once: ")
}

// says runs a program to its end and gives what it says.
func (w *world) says(p *process, args ...string) string {
	w.t.Helper()
	cmd := p.command(args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("%s: %v: %s", strings.Join(args[:2], " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// freeAddress is a loopback address that nobody listened on a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// centreAnswers reports whether the centre takes connections.
func (w *world) centreAnswers() bool {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.address)
	return err == nil && c.Close() == nil
}

// counterAnswers reports whether the counter answers.
func (w *world) counterAnswers() bool {
	_, err := w.client.Status(w.t.Context())
	return err == nil
}

// signIn signs the clerk in, as soon as the counter is there.
func (w *world) signIn(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := w.client.SignIn(ctx, api.SignIn{Operator: "robin", Secret: robinSecret})
		if err == nil || proof.KindOf(err) != proof.KindDaemonAway {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}
