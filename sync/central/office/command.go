package office

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/object/place"
)

// Command is the counterproof-central command with all its parts.
func Command() *cobra.Command {
	root := &cobra.Command{
		Use:   "counterproof-central",
		Short: "The centre that counters send their sealed records to",
		Long: `The centre that counters send their sealed records to.

It takes records, answers each with a signed receipt and hands them to the
opener, the only one who can open them. All it has lies in one folder (--data),
but for the records themselves where they are in PostgreSQL (--database).

Starting it:
  counterproof-central serve --name centre.example --address centre.example:8443
  counterproof-central invite --site FA123       a counter, once
  counterproof-central invite --opener           the opener, once

The office's deeds work while it is running. Each is written into the log under
the sign-in name of who did it: the user of this machine, or --by NAME.

What it prints goes to standard output; why something cannot be done, and what
to do next, to standard error, and the exit code is 1 then.`,
		Example: `  counterproof-central invite --site FA123 --second --grade tpm
  counterproof-central agents
  counterproof-central approve agent-4f1c… --by sam
  counterproof-central revoke agent-4f1c… --reason stolen
  counterproof-central export 8QXR-2M4K-7TD --out record.json
  counterproof-central status`,
		SilenceUsage: true,
	}
	var s setting
	flags := root.PersistentFlags()
	flags.StringVar(&s.data, "data", defaultDir(), "folder with all that the centre has (STATE_DIRECTORY)")
	flags.StringVar(&s.database, "database", os.Getenv("COUNTERPROOF_DATABASE"),
		"where the records are, as postgres://user@host/name; a file in the data folder if empty (COUNTERPROOF_DATABASE)")
	flags.StringVar(&s.blobs, "blobs", os.Getenv("COUNTERPROOF_BLOBS"),
		"where the pictures of new records are: a directory with its whole path, or database (the default; COUNTERPROOF_BLOBS)")
	flags.StringVar(&s.by, "by", "", "sign-in name of who does it (the user of this machine)")
	root.AddCommand(
		serveCommand(&s), migrateCommand(&s), statusCommand(&s), inviteCommand(&s),
		agentsCommand(&s), approveCommand(&s), revokeCommand(&s), moveCommand(&s),
		flagsCommand(&s), exportCommand(&s), eraseCommand(&s), verifyCommand(&s), trustCommand(&s), settingsCommand(&s),
	)
	return root
}

// setting is what every command is told.
type setting struct {
	data, database, blobs, by string
}

// defaultDir is the folder that systemd gives the service (StateDirectory), or
// one among the user's own settings.
func defaultDir() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "counterproof-central"
	}
	return filepath.Join(base, "counterproof-central")
}

// with opens a centre that has been started before, in its mode, for one command.
func (s *setting) with(cmd *cobra.Command, use func(context.Context, *central.Central) error) error {
	training, err := authority.Training(s.data)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no centre has run in %s: start it once with counterproof-central serve, or say where it is with --data", s.data)
	}
	if err != nil {
		return fmt.Errorf("opening the centre: %w", err)
	}
	cfg := central.Config{Dir: s.data, Training: training}
	if err := s.stand(&cfg); err != nil {
		return err
	}
	c, err := central.Open(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	return errors.Join(use(cmd.Context(), c), c.Close())
}

// stand says in a centre's configuration where its records and their blobs are.
func (s *setting) stand(cfg *central.Config) error {
	objects, err := place.Open(s.blobs)
	if err != nil {
		return fmt.Errorf("opening the blobs: %w", err)
	}
	cfg.Database, cfg.Objects = s.database, objects
	return nil
}

// staff opens a centre for one deed of the person who runs the command.
func (s *setting) staff(cmd *cobra.Command, use func(context.Context, Staff, *central.Central) error) error {
	by, err := s.person()
	if err != nil {
		return err
	}
	return s.with(cmd, func(ctx context.Context, c *central.Central) error {
		office, err := c.Office()
		if err != nil {
			return err
		}
		return use(ctx, Staff{Office: office, By: by}, c)
	})
}

// person is the sign-in name that a deed is done under.
func (s *setting) person() (string, error) {
	if s.by != "" {
		return leafName(s.by)
	}
	return signedIn()
}

// serveCommand starts the centre.
func serveCommand(s *setting) *cobra.Command {
	var cfg central.Config
	var listen, figures string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the centre and answer until it is told to stop",
		Long: `Start the centre and answer until it is told to stop.

The first start makes the data folder, the certificate authority and the
receipt key. Keep a copy of that folder: a counter knows the centre by it.
--training is fixed by the first start, because the records of a training
centre prove nobody and never lie beside real ones.

Several machines may answer for one centre: give each a copy of the data folder
and the same --database.

--blobs puts pictures beside the database instead of inside it: into a
directory, which all machines must share. It is the same for every
command from then on, and belongs to the backup; pictures that came before stay
where they are.

It writes one line of JSON to standard error for each request. --metrics gives
figures for Prometheus under /metrics, on an address of this machine alone.`,
		Example: `  counterproof-central serve --listen :8443 --name centre.example --address centre.example:8443
  counterproof-central serve --database postgres://centre@db.example/counterproof --metrics 127.0.0.1:9464`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Dir = s.data
			if err := s.stand(&cfg); err != nil {
				return err
			}
			cfg.Log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
			return serve(cmd.Context(), cfg, listen, figures)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8443", "address to listen on")
	cmd.Flags().StringVar(&figures, "metrics", "", "loopback address for figures, as 127.0.0.1:9464 (none if empty)")
	cmd.Flags().BoolVar(&cfg.Training, "training", false, "a training centre, whose records prove nobody")
	cmd.Flags().StringSliceVar(&cfg.Names, "name", nil, "DNS name or IP address that counters reach it by (repeatable; this machine's own by default)")
	cmd.Flags().StringVar(&cfg.Address, "address", "", "host:port for invitations (where it listens by default)")
	return cmd
}
