package opener

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/opener/vault"
)

// Attach joins a worker to the run command: it adds its flags to the command, and
// what it returns makes the worker once the opener is open, nil for none.
type Attach func(run *cobra.Command) func(o *Opener) (Worker, error)

// Command is the counterproof-opener command: keygen, enrol, run. Without a
// worker records are opened and shown, and nothing more becomes of them.
func Command(attach ...Attach) *cobra.Command {
	root := &cobra.Command{
		Use:   "counterproof-opener",
		Short: "Opens the sealed records of the centre and scores them again",
		Long: `Opens the sealed records of the centre and scores them again.

It is the only place with the private keys: run it on a machine of its own, on
a disk that is encrypted, and keep a copy of its folder in a safe. A record
whose key is lost is lost.

  counterproof-opener keygen               make the keys, once
  counterproof-opener enrol --invite TEXT  with counterproof-central invite --opener
  counterproof-opener run                  open what comes in
  counterproof-opener keys make            begin with a set of keys for each month
  counterproof-opener shred --month 2026-08 --part evidence`,
		SilenceUsage: true,
		Args:         cobra.NoArgs,
		RunE:         func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().String("data", defaultDir(), "folder with all that the opener has")
	tokenFlags(root)
	root.AddCommand(keygenCommand(), enrolCommand(), runCommand(attach), keysCommand(), shredCommand())
	return root
}

// tokenFlags adds the flags that say on which token keys are.
func tokenFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.String("hsm", "", "PKCS#11 library of a token: keys are made there, and those that are there open too")
	f.String("hsm-token", "", "the token's label")
	f.String("hsm-pin-file", "", "file with the token's PIN, readable by its owner alone; else COUNTERPROOF_HSM_PIN has it")
}

// ConfigOf is the configuration that the flags of a command give.
func ConfigOf(cmd *cobra.Command) Config {
	value := func(name string) string { return cmd.Flag(name).Value.String() }
	token := vault.Token{Module: value("hsm"), Label: value("hsm-token"), PINFile: value("hsm-pin-file")}
	return Config{Dir: value("data"), Token: token, Log: logger(cmd)}
}

// defaultDir is the folder that systemd gives the service (StateDirectory), or
// one among the user's own settings.
func defaultDir() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "counterproof-opener"
	}
	return filepath.Join(base, "counterproof-opener")
}

// enrolCommand spends an invitation. It is one word, and good for a day, so that
// it may stand on the command line.
func enrolCommand() *cobra.Command {
	var invitation string
	cmd := &cobra.Command{
		Use:   "enrol --invite TEXT",
		Short: "Enrol with the centre and hand it the public keys",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := Open(ConfigOf(cmd))
			if err != nil {
				return err
			}
			if err := errors.Join(o.Enrol(cmd.Context(), invitation), o.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "enrolled; the centre has the public keys")
			return err
		},
	}
	cmd.Flags().StringVar(&invitation, "invite", "", "invitation of the centre, one word that begins with cpi1:")
	cmd.MarkFlagsOneRequired("invite")
	return cmd
}

// runCommand opens what comes in. Results go to standard output, log lines to
// standard error, so that a program can read the one and an operator the other.
func runCommand(attach []Attach) *cobra.Command {
	var once bool
	var s screen
	var policy string
	var workers []func(*Opener) (Worker, error)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Open new records and show what came of each, until told to stop",
		Long: `Open new records and show what came of each, until told to stop.

Every record is shown at least once; one that is shown again says so. What is
kept of a result is in results.jsonl, what did not open is in defects.jsonl,
and neither holds personal data. Removing the file cursor begins the log again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.out = cmd.OutOrStdout()
			cfg := ConfigOf(cmd)
			cfg.Policy = policy
			return run(cmd.Context(), cfg, workers, s, once)
		},
	}
	for _, a := range attach {
		workers = append(workers, a(cmd))
	}
	cmd.Flags().BoolVar(&once, "once", false, "end when the centre has no more")
	cmd.Flags().BoolVar(&s.json, "json", false, "one JSON object a line")
	cmd.Flags().BoolVar(&s.claims, "show-claims", false, "show PERSONAL DATA: name, birth date and document, for account linking")
	cmd.Flags().StringVar(&policy, "policy", "", "score again by this policy instead of the one that each visit names, and hold what comes out differently")
	return cmd
}

// run opens records on a screen. A result that could not be shown ends it
// before the cursor moves.
func run(ctx context.Context, cfg Config, workers []func(*Opener) (Worker, error), s screen, once bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.failed = cancel
	cfg.Show = s.show
	o, err := Open(cfg)
	if err != nil {
		return err
	}
	err = o.join(workers)
	switch {
	case err != nil:
	case once:
		_, err = o.Once(ctx, s.show)
	default:
		err = o.Run(ctx)
	}
	err = errors.Join(err, o.Close())
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// join makes the worker and hands it the cases.
func (o *Opener) join(workers []func(*Opener) (Worker, error)) error {
	for _, make := range workers {
		w, err := make(o)
		if err != nil {
			return err
		}
		if w != nil {
			o.Use(w)
		}
	}
	return nil
}

// logger writes log lines beside the results.
func logger(cmd *cobra.Command) *slog.Logger {
	return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
}
