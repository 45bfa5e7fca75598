package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/clerkstore"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/daemon/dump"
	"github.com/counterproof/counterproof/agent/outbox"
)

// Commands are the daemon's own commands: run, enrol, rescue and queue.
func Commands() []*cobra.Command {
	return []*cobra.Command{runCommand(), enrolCommand(), rescueCommand(), queueCommand()}
}

// withConfig gives a command the flags that choose a configuration. What it does
// leaves no core file: every one of them meets a key or what lies under one.
func withConfig(cmd *cobra.Command, run func(*cobra.Command, config.Config) error) *cobra.Command {
	var file, data string
	cmd.Flags().StringVar(&file, "config", "", "configuration file, JSON (default: built-in settings)")
	cmd.Flags().StringVar(&data, "data", "", "folder of everything that the counter keeps")
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Read(file)
		if err != nil {
			return err
		}
		cfg.Data = cmp.Or(data, cfg.Data)
		if err := dump.Forbid(); err != nil {
			return err
		}
		return run(cmd, cfg)
	}
	return cmd
}

func runCommand() *cobra.Command {
	return withConfig(&cobra.Command{
		Use:   "run",
		Short: "Run the counter until it is told to stop",
		Long: `Run the counter until it is told to stop (interrupt or terminate).

It answers the local interface on a Unix socket, takes up the visit that was
interrupted, and sends what waits in the queue. Only its own user, root and the
users of the configuration may speak to it.`,
		Example: "  counterproofd run --config /etc/counterproof/counter.json",
	}, func(cmd *cobra.Command, cfg config.Config) error {
		slog.SetDefault(slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil)))
		return Run(cmd.Context(), cfg, nil)
	})
}

func enrolCommand() *cobra.Command {
	var invitation string
	cmd := withConfig(&cobra.Command{
		Use:   "enrol --invite TEXT",
		Short: "Give this counter its identity, once",
		Long: `Give this counter its identity with the invitation that a supervisor made at the
centre (counterproof-central invite --site CODE).

It prints a code with which the first clerk's account is made at the counter.
Where the centre wants a second person to approve the counter, it says so and
waits; after an interruption the same command goes on waiting.
Without --invite the invitation is read from standard input.`,
		Example: "  counterproofd enrol --invite cpi1:…",
	}, func(cmd *cobra.Command, cfg config.Config) error {
		if invitation == "" {
			b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 4096))
			if err != nil {
				return fmt.Errorf("reading the invitation: %w", err)
			}
			invitation = strings.TrimSpace(string(b))
		}
		e, err := Enrol(cmd.Context(), cfg, invitation, func(agent string) {
			fmt.Fprintf(cmd.OutOrStdout(), pendingText, agent)
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "This counter is %s of site %s.\nCode for the first clerk, good once: %s\n", e.Agent, e.Site, e.FirstClerk)
		return err
	})
	cmd.Flags().StringVar(&invitation, "invite", "", "the invitation")
	return cmd
}

func rescueCommand() *cobra.Command {
	return withConfig(&cobra.Command{
		Use:   "rescue",
		Short: "Print a code for a new supervisor, where all are locked out",
		Long: `Print a code, good once, with which a new supervisor's account is made at the
counter. It is for a counter whose supervisors are all locked out or gone, or that
lost the key of the clerks' PINs: then it makes a new key, and the new supervisor
resets every clerk's PIN. Open visits and the queue stay as they are. The counter must not be running, and only
who may read its files can do this.`,
		Example: "  counterproofd rescue --config /etc/counterproof/counter.json",
	}, func(cmd *cobra.Command, cfg config.Config) error {
		return owned(cfg, func(box *outbox.Outbox) error { return rescue(cfg.Data, box, cmd.OutOrStdout()) })
	})
}

// rescue sets and prints the code of a new supervisor. Where the key of the
// clerks' secrets is lost it makes a new one and says what that means.
func rescue(data string, keys clerkstore.Vault, out io.Writer) error {
	clerks, err := clerkstore.Open(data, keys)
	if err != nil {
		return err
	}
	if clerks.Lost() {
		if err := clerks.Renew(); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "The key of the clerks' PINs was lost; there is a new one. The new supervisor resets every other clerk's PIN.")
		if err != nil {
			return err
		}
	}
	code := drawCode()
	if err := clerks.Expect(code); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Code for a new supervisor, good once: %s\n", code)
	return err
}

// drawCode draws a one-time code: 80 random bits.
func drawCode() string {
	b := make([]byte, 10)
	rand.Read(b)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

// Enrolled is what an enrolment gave.
type Enrolled struct {
	Agent, Site string
	// FirstClerk is the one-time code for the first account; empty where there
	// are accounts already.
	FirstClerk string
}

// pendingText says what an enrolment waits for.
const pendingText = "The centre has this counter's request. A second person there must approve it:\n" +
	"  counterproof-central approve %s\nWaiting; leave this running, or give the same command again later.\n"

// Enrol spends an invitation for the counter of a configuration, which must not
// be running. If waiting is not nil it waits for the second person whom the centre
// may want, and calls it once then, with the name to be approved.
func Enrol(ctx context.Context, cfg config.Config, invitation string, waiting func(agent string)) (e Enrolled, err error) {
	err = owned(cfg, func(box *outbox.Outbox) error {
		id, err := box.EnrolWaiting(ctx, invitation, waiting)
		if err != nil {
			return err
		}
		e = Enrolled{Agent: id.Agent, Site: id.Site}
		return e.expectClerk(cfg.Data, box)
	})
	return e, err
}

// expectClerk draws the first clerk's code, where there is no account yet.
func (e *Enrolled) expectClerk(data string, keys clerkstore.Vault) error {
	clerks, err := clerkstore.Open(data, keys)
	if err != nil || !clerks.Empty() {
		return err
	}
	e.FirstClerk = drawCode()
	return clerks.Expect(e.FirstClerk)
}
