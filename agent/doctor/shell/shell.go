// Package shell is the command "counterproofd doctor": it asks the counter that
// runs, or looks for itself where none does, and tells a person what is wrong, the
// worst first.
//
// It changes nothing. What it prints and writes is about devices and the computer,
// never about a patient or a clerk.
//
// # The laws
//
//   - Exit 0 nothing is wrong, 1 something is, 2 it could not look.
//   - While the counter runs no device is opened beside it.
package shell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/agent/doctor/clinic"
	"github.com/counterproof/counterproof/agent/doctor/look"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/hub"
)

// settle is how long devices may take to be opened before they are told about.
const settle = 3 * time.Second

// asking is how long the counter may take to answer.
const asking = 10 * time.Second

// wish is what the command line asks for.
type wish struct {
	file, data, report string
	json, test, quick  bool
}

// Command is "doctor".
func Command() *cobra.Command {
	var w wish
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong with this counter and how to mend it",
		Long: `Say what is wrong with this counter and how to mend it, the worst first: what it is,
why it matters, and what to do. It asks the counter that runs; where none does, it
looks for itself. As root it also sees which program holds a device.

Exit code 0: nothing is wrong. 1: something is. 2: it could not look.
Nothing in it is about a patient or a clerk.`,
		Example: `  counterproofd doctor
  counterproofd doctor --test
  counterproofd doctor --report counter.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return w.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&w.file, "config", "", "configuration file, JSON (default: built-in settings)")
	flags.StringVar(&w.data, "data", "", "folder of everything that the counter keeps")
	flags.StringVar(&w.report, "report", "", "write the report to this file too, as text")
	flags.BoolVar(&w.json, "json", false, "print JSON for programs")
	flags.BoolVar(&w.test, "test", false, "try every device: it asks for something to be laid on readers, and prints a slip")
	flags.BoolVar(&w.quick, "quick", false, "do not film with the cameras to measure the light")
	return cmd
}

// run looks and tells.
func (w wish) run(cmd *cobra.Command) error {
	cfg, err := config.Read(w.file)
	if err != nil {
		return &doctor.Exit{Code: 2, Err: err}
	}
	if w.data != "" {
		cfg.Data = w.data
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // what matters is told in words
	out := cmd.OutOrStdout()
	told := out
	if w.json {
		told = io.Discard
	}
	c, err := w.examine(cmd.Context(), cfg, told)
	if err != nil {
		return &doctor.Exit{Code: 2, Err: fmt.Errorf("looking at the counter: %w", err)}
	}
	if err := w.tell(out, c); err != nil {
		return &doctor.Exit{Code: 2, Err: err}
	}
	if n := len(c.Findings); n > 0 {
		return &doctor.Exit{Code: 1, Err: fmt.Errorf("findings: %d", n)}
	}
	return nil
}

// tell prints what was found, and writes it where a person wants it.
func (w wish) tell(out io.Writer, c api.Checkup) error {
	text := strings.Join(doctor.Report(c, doctor.PageWidth), "\n") + "\n"
	if w.report != "" {
		if err := os.WriteFile(w.report, []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	if !w.json {
		_, err := io.WriteString(out, text)
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(c)
}

// counter is who looks and tries: the daemon, or this program where there is none.
type counter interface {
	Doctor(ctx context.Context) (api.Checkup, error)
	Try(ctx context.Context, in api.Trial) (api.TrialResult, error)
}

// examine asks the counter that runs, or looks for itself.
func (w wish) examine(ctx context.Context, cfg config.Config, told io.Writer) (api.Checkup, error) {
	daemon := client.New(cfg.SocketPath())
	bounded, done := context.WithTimeout(ctx, asking)
	defer done()
	if _, err := daemon.Doctor(bounded); err == nil {
		c, err := w.checked(ctx, daemon, told)
		c.Findings = seen(ctx, cfg, c.Findings)
		return c, err
	}
	service := doctor.ServiceAway
	if answers(cfg.SocketPath()) {
		service = doctor.ServiceShut
	}
	return w.alone(ctx, cfg, service, told)
}

// answers reports whether somebody is behind a socket, or may not be asked.
func answers(path string) bool {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close() // nothing was said
		return true
	}
	return errors.Is(err, os.ErrPermission)
}

// alone looks without the counter: it opens the devices for a moment, if nobody
// behind the socket has them.
func (w wish) alone(ctx context.Context, cfg config.Config, service doctor.Service, told io.Writer) (api.Checkup, error) {
	plugs := bus.New(bus.Config{Profiles: cfg.ProfilesPath()})
	sources := []hub.Source{plugs, plugs.Chips()}
	if service == doctor.ServiceShut || !cfg.Plugs {
		sources = nil
	}
	h := hub.New(hub.Config{Sources: sources})
	c := clinic.New(clinic.Config{Hub: h, Settings: cfg, Service: service})
	if sources == nil {
		return c.Doctor(ctx)
	}
	return w.beside(ctx, h, c, told)
}

// beside looks while a hub runs, and ends it then.
func (w wish) beside(ctx context.Context, h *hub.Hub, who counter, told io.Writer) (c api.Checkup, err error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	begun, begin := context.WithCancel(context.WithoutCancel(ctx))
	looked := make(chan struct{})
	context.AfterFunc(begun, func() {
		defer close(looked)
		defer stop()
		await(ctx, h)
		c, err = w.checked(ctx, who, told)
	})
	begin()
	ran := h.Run(running)
	<-looked
	return c, errors.Join(err, ran)
}

// await waits until no device is being opened any more, for a while.
func await(ctx context.Context, h *hub.Hub) {
	tick := time.NewTicker(settle / 10)
	defer tick.Stop()
	for range 10 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if list := h.Devices(); len(list) > 0 && !slices.ContainsFunc(list, func(d devices.Device) bool {
			return d.State == devices.Found || d.State == devices.Opening
		}) {
			return
		}
	}
}

// checked tries what is to be tried and looks then.
func (w wish) checked(ctx context.Context, who counter, told io.Writer) (api.Checkup, error) {
	c, err := who.Doctor(ctx)
	if err != nil {
		return c, err
	}
	tried := false
	for _, d := range c.Devices {
		for _, can := range d.Can {
			if d.State != string(devices.Ready) || !w.test && (w.quick || can != string(devices.CanFilm)) {
				continue
			}
			tried = true
			w.try(ctx, who, d, can, told)
		}
	}
	if !tried {
		return c, nil
	}
	return who.Doctor(ctx)
}

// asks says what a person is to do for a trial.
var asks = map[devices.Capability]string{
	devices.CanReadMRZ: "Lay any document on it within 20 seconds.", devices.CanReadBarcode: "Scan anything within 20 seconds.",
	devices.CanReadChip: "Lay a passport or any card on it within 20 seconds.", devices.CanPrint: "It prints a test slip.",
	devices.CanScanDocument: "It scans a page.", devices.CanFilm: "It films for some seconds.",
}

// try tries one thing that a device can do. One that cannot be tried now, because
// a visit has it, is left alone.
func (w wish) try(ctx context.Context, who counter, d api.CheckedDevice, can string, told io.Writer) {
	say := func(format string, args ...any) {
		if w.test {
			fmt.Fprintf(told, format, args...)
		}
	}
	say("%s: %s\n", doctor.Plain(d.Name, 48), asks[devices.Capability(can)])
	r, err := who.Try(ctx, api.Trial{Device: d.ID, Can: can})
	switch {
	case err != nil:
		say("  not tried: %v\n", err)
	case r.Code == api.TrialFailed:
		say("  it does not work: %s\n", strings.ReplaceAll(string(r.Problem), "_", " "))
	case r.Light != nil:
		say("  it works: %.0f pictures a second, brightness %.0f of 255, %.0f %% washed out\n", r.Light.Rate, r.Light.Mean, 100*r.Light.Glare)
	case r.Code == api.TrialNothing || r.Code == api.TrialNoCard:
		say("  nothing was there\n")
	case r.Code == api.TrialReadOther:
		say("  another device has read it: %s\n", doctor.Plain(r.Values["name"], 48))
	default:
		say("  it works\n")
	}
}

// seen adds to what a counter finds the programs that hold devices: root sees them
// where the counter's own user does not.
func seen(ctx context.Context, cfg config.Config, found []api.Finding) []api.Finding {
	facts := look.Gather(ctx, look.PC{}.Of(cfg), time.Now())
	for i := range facts.Things {
		facts.Things[i].Access = "" // this user's, not the counter's
	}
	for _, mine := range doctor.Examine(doctor.Facts{Things: facts.Things}) {
		if mine.Code != api.Held && mine.Code != api.ModemManager {
			continue
		}
		i := slices.IndexFunc(found, func(f api.Finding) bool { return f.Device == mine.Device && f.Code == api.HeldUnseen })
		if i >= 0 {
			found[i] = mine
		}
	}
	return found
}
