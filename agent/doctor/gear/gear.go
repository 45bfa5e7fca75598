// Package gear is the command "counterproofd devices": what is plugged in, which
// rules it needs, how a site says which reader is which, recordings of a device and
// what the program makes of them, and simulated devices for training.
//
// # The laws
//
//   - A recording has no byte of a document unless a person says so.
//   - Exit 0 it was done, 2 it could not be.
//   - While the counter runs its devices are listed as it has them, and none is
//     opened beside it.
package gear

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/record"
	"github.com/counterproof/counterproof/devices/tap"
)

// Command is "devices" with its subcommands.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "devices", Short: "List, pin, record and simulate the counter's devices",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(listCommand(), rulesCommand(), pinCommand(), recordCommand(), replayCommand(), simCommand())
	return cmd
}

// place is where a command looks: a configuration and, for tests, other plugs.
type place struct{ file, data, sys, dev, locks string }

// flags gives a command the flags of a place.
func (p *place) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.file, "config", "", "configuration file, JSON (default: built-in settings)")
	cmd.Flags().StringVar(&p.data, "data", "", "folder of everything that the counter keeps")
	cmd.Flags().StringVar(&p.sys, "sys", "", "where the kernel shows its devices (default /sys)")
	cmd.Flags().StringVar(&p.dev, "dev", "", "where their nodes are (default /dev)")
	cmd.Flags().StringVar(&p.locks, "locks", "", "where serial lines are locked (default /run/lock)")
	for _, rare := range []string{"sys", "dev", "locks"} {
		_ = cmd.Flags().MarkHidden(rare) // they are there
	}
}

// open reads the configuration and finds the plugs.
func (p *place) open() (config.Config, *bus.Source, error) {
	cfg, err := config.Read(p.file)
	if err != nil {
		return cfg, nil, err
	}
	if p.data != "" {
		cfg.Data = p.data
	}
	return cfg, bus.New(bus.Config{Profiles: cfg.ProfilesPath(), Sys: p.sys, Dev: p.dev, Log: slog.New(slog.DiscardHandler)}), nil
}

// command makes a subcommand whose failure is exit code 2.
func command(cmd *cobra.Command, do func(cmd *cobra.Command, args []string) error) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := do(cmd, args); err != nil {
			return &doctor.Exit{Code: 2, Err: err}
		}
		return nil
	}
	return cmd
}

func listCommand() *cobra.Command {
	var p place
	var all, asJSON bool
	cmd := command(&cobra.Command{
		Use: "list", Short: "List what is plugged in, with its state, kind and profile", Args: cobra.NoArgs,
		Long: `List what is plugged in: its name for the configuration, how it stands in the counter
that runs, what it can do, and its profile. "spec" is a profile that was written from
a description, "trace" one that fits a recording, "bench" one that worked at a counter.`,
		Example: "  counterproofd devices list\n  counterproofd devices list --profiles",
	}, func(cmd *cobra.Command, _ []string) error {
		cfg, plugs, err := p.open()
		if err != nil {
			return err
		}
		if all {
			set, wrong := plugs.Profiles()
			_, err := io.WriteString(cmd.OutOrStdout(), set.Table()+strings.Join(append([]string{""}, wrong...), "\n"))
			return err
		}
		return list(cmd.Context(), cfg, plugs, asJSON, cmd.OutOrStdout())
	})
	p.flags(cmd)
	cmd.Flags().BoolVar(&all, "profiles", false, "list the kinds of devices that are known instead")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for programs, one device a line")
	return cmd
}

// row is one line of the list.
type row struct {
	ID      devices.ID `json:"id"`
	Name    string     `json:"name"`
	State   string     `json:"state"`
	Kind    []string   `json:"kind"`
	Profile string     `json:"profile,omitempty"`
	Tried   string     `json:"tried,omitempty"`
	Node    string     `json:"node,omitempty"`
}

// list prints what is plugged in and what the counter has besides.
func list(ctx context.Context, cfg config.Config, plugs *bus.Source, asJSON bool, out io.Writer) error {
	things, err := plugs.Things()
	if err != nil {
		return err
	}
	ctx, done := context.WithTimeout(ctx, 5*time.Second)
	defer done()
	checkup, away := client.New(cfg.SocketPath()).Doctor(ctx)
	rows := rowsOf(things, checkup.Devices)
	if asJSON {
		enc := json.NewEncoder(out)
		for _, r := range rows {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DEVICE\tNAME\tSTATE\tKIND\tPROFILE\tTRIED\tNODE")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, or(r.Name), r.State, or(strings.Join(r.Kind, "+")), or(r.Profile), or(r.Tried), or(r.Node))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if away != nil {
		_, err = fmt.Fprintln(out, "\nThe counter does not answer, so nothing is said of what it has opened.")
	}
	return err
}

// or is a dash for nothing.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// rowsOf puts together what is plugged in and what the counter says.
func rowsOf(things []bus.Thing, told []api.CheckedDevice) (rows []row) {
	state := func(id devices.ID) (api.CheckedDevice, bool) {
		i := slices.IndexFunc(told, func(d api.CheckedDevice) bool { return d.ID == string(id) })
		if i < 0 {
			return api.CheckedDevice{}, false
		}
		return told[i], true
	}
	seen := map[string]bool{}
	for _, t := range things {
		r := row{ID: t.ID, Name: doctor.Plain(t.Name, 40), State: "plugged in", Profile: t.Profile.ID, Tried: string(t.Profile.Status), Node: t.Node}
		for _, c := range t.Profile.Can {
			r.Kind = append(r.Kind, string(c))
		}
		switch d, has := state(t.ID); {
		case has:
			r.State = d.State
		case !t.Known:
			r.State = "unknown"
		case t.Profile.Hint != "":
			r.State = t.Profile.Hint
		}
		seen[string(t.ID)] = true
		rows = append(rows, r)
	}
	for _, d := range told {
		if !seen[d.ID] {
			rows = append(rows, row{ID: devices.ID(d.ID), Name: doctor.Plain(d.Name, 40), State: d.State, Kind: d.Can, Profile: d.Profile, Tried: d.Tried})
		}
	}
	return rows
}

func rulesCommand() *cobra.Command {
	var p place
	cmd := command(&cobra.Command{
		Use: "rules", Short: "Print the rules of udev that let the counter open its devices", Args: cobra.NoArgs,
		Long: `Print the rules of udev that let the counter open its devices and keep ModemManager
off them, written from the profiles of the program and of the site.`,
		Example: `  sudo groupadd --system --force usbscanner
  counterproofd devices rules | sudo tee /etc/udev/rules.d/` + profile.RulesFile + `
  sudo udevadm control --reload && sudo udevadm trigger`,
	}, func(cmd *cobra.Command, _ []string) error {
		_, plugs, err := p.open()
		if err != nil {
			return err
		}
		set, wrong := plugs.Profiles()
		for _, w := range wrong {
			fmt.Fprintln(cmd.ErrOrStderr(), "a profile is left out:", w)
		}
		_, err = cmd.OutOrStdout().Write(set.Udev())
		return err
	})
	p.flags(cmd)
	return cmd
}

// fileName is what may name a site's profile.
var fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,47}$`)

func pinCommand() *cobra.Command {
	var p place
	var name string
	var byPort bool
	cmd := command(&cobra.Command{
		Use: "pin DEVICE KIND", Short: "Say which kind of reader a device is", Args: cobra.ExactArgs(2),
		Long: `Say which kind of reader a device is: it writes a profile of the site, which the
counter takes up at once. DEVICE is a name of "devices list", KIND one of
"devices list --profiles". Install the rules again afterwards.`,
		Example: "  counterproofd devices pin usb:1-4/1234:5678 elyctis-idbox\n  counterproofd devices pin serial:ttyS0 desko-cute --port",
	}, func(cmd *cobra.Command, args []string) error {
		cfg, plugs, err := p.open()
		if err != nil {
			return err
		}
		t, err := find(plugs, devices.ID(args[0]))
		if err != nil {
			return err
		}
		if name == "" {
			name = "site-" + args[1]
		}
		if !fileName.MatchString(name) {
			return fmt.Errorf("the name %q has other than small letters, digits and hyphens", name)
		}
		set, _ := plugs.Profiles()
		raw, err := set.Pin(name, args[1], t.Found, byPort)
		if err != nil {
			return err
		}
		file := filepath.Join(cfg.ProfilesPath(), name+".json")
		if err := keep(file, raw, 0o644); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is a %s now. Written to %s.\nInstall the rules again: counterproofd devices rules --help\n", args[0], args[1], file)
		return err
	})
	p.flags(cmd)
	cmd.Flags().StringVar(&name, "name", "", "name of the profile (default site- and the kind)")
	cmd.Flags().BoolVar(&byPort, "port", false, "mean whatever is plugged into this place, for equal readers and adapter cables")
	return cmd
}

// keep writes a new file, in a folder that is made if need be.
func keep(file string, raw []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(file), err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("there is a %s already; remove it or choose another name: %w", filepath.Base(file), err)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(file), err)
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Close())
}

// find is a thing that is plugged in.
func find(plugs *bus.Source, id devices.ID) (bus.Thing, error) {
	things, err := plugs.Things()
	if err != nil {
		return bus.Thing{}, err
	}
	i := slices.IndexFunc(things, func(t bus.Thing) bool { return t.ID == id })
	if i < 0 {
		return bus.Thing{}, fmt.Errorf("%.160q is not plugged in; counterproofd devices list shows what is", string(id))
	}
	return things[i], nil
}

func recordCommand() *cobra.Command {
	var p place
	var clear bool
	var seconds int
	cmd := command(&cobra.Command{
		Use: "record DEVICE FILE", Short: "Record what a device sends, without what it read", Args: cobra.ExactArgs(2),
		Long: `Record what passes between this computer and a device, until it is interrupted or
its time is over. The counter must not have the device: stop it before.

By default the recording has the lengths and the times of all that passed and no byte
of a document: it can be sent to technical support. With --clear it has everything;
use specimen documents only, and delete it afterwards.`,
		Example: "  counterproofd devices record usb:1-4/1234:5678 reader.jsonl",
	}, func(cmd *cobra.Command, args []string) error {
		_, plugs, err := p.open()
		if err != nil {
			return err
		}
		t, err := find(plugs, devices.ID(args[0]))
		if err != nil {
			return err
		}
		if !tap.Records(t.Profile) {
			return fmt.Errorf("%s cannot be recorded: only serial lines, HID devices and printers with a profile can", t.ID)
		}
		f, err := record.Create(args[1])
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "Recording %s for %d seconds. Use it now; interrupt ends it.\n", t.ID, seconds)
		ctx, done := context.WithTimeout(cmd.Context(), time.Duration(seconds)*time.Second)
		defer done()
		pieces, err := tap.Record(ctx, tap.Config{ID: t.ID, Found: t.Found, Profile: t.Profile, Clear: clear, Locks: p.locks}, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d pieces came in. Written to %s.\n", pieces, args[1])
		return err
	})
	p.flags(cmd)
	cmd.Flags().BoolVar(&clear, "clear", false, "keep every byte, of documents too: for specimens only")
	cmd.Flags().IntVar(&seconds, "seconds", 60, "how long")
	return cmd
}
