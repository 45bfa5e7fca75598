package central

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/wire"
)

// Command is the counterproof-central command: serve, invite, migrate.
func Command() *cobra.Command {
	root := &cobra.Command{
		Use:   "counterproof-central",
		Short: "The centre that counters send their sealed records to",
		Long: `The centre that counters send their sealed records to.

It takes records, answers each with a signed receipt and hands them to the
opener, the only one who can open them. All it has lies in one folder.

  counterproof-central serve                   start it
  counterproof-central invite --site FA123     invite a counter, once
  counterproof-central invite --opener         invite the opener, once`,
		SilenceUsage: true,
	}
	data := root.PersistentFlags().String("data", defaultDir(), "folder with all that the centre has")
	root.AddCommand(serveCommand(data), inviteCommand(data), migrateCommand(data))
	return root
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

// serveCommand starts the centre.
func serveCommand(data *string) *cobra.Command {
	var cfg Config
	var listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the centre and answer until it is told to stop",
		Long: `Start the centre and answer until it is told to stop.

The first start makes the data folder, the certificate authority and the
receipt key. Keep a copy of that folder: a counter knows the centre by it.
--training is fixed by the first start, because the records of a training
centre prove nobody and never lie beside real ones.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Dir = *data
			cfg.Log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
			return serve(cmd.Context(), cfg, listen)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8443", "address to listen on")
	cmd.Flags().BoolVar(&cfg.Training, "training", false, "a training centre, whose records prove nobody")
	cmd.Flags().StringSliceVar(&cfg.Names, "name", nil, "DNS name or IP address that counters reach it by (repeatable; this machine's own by default)")
	cmd.Flags().StringVar(&cfg.Address, "address", "", "host:port for invitations (where it listens by default)")
	return cmd
}

// serve opens the centre and answers until ctx ends.
func serve(ctx context.Context, cfg Config, listen string) error {
	c, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	ln, err := Listen(listen)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	return errors.Join(c.Serve(ctx, ln), c.Close())
}

// inviteCommand prints an invitation.
func inviteCommand(data *string) *cobra.Command {
	var site string
	var i Invitation
	cmd := &cobra.Command{
		Use:   "invite (--site CODE | --opener)",
		Short: "Make a one-time invitation and print it",
		Long: `Make a one-time invitation and print it.

It is good for 24 hours and for one enrolment. Until then it is as secret as a
key. The centre may be running.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i.Site = wire.SiteID(site)
			c, err := openExisting(cmd.Context(), *data)
			if err != nil {
				return err
			}
			invite, err := c.Invite(cmd.Context(), i)
			if err = errors.Join(err, c.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), invite)
			return err
		},
	}
	cmd.Flags().StringVar(&site, "site", "", "site of the counter, usually its ODS code")
	cmd.Flags().BoolVar(&i.Opener, "opener", false, "invite the opener instead of a counter")
	cmd.Flags().StringVar(&i.Address, "address", "", "host:port of the centre (where it was last reached by default)")
	cmd.MarkFlagsOneRequired("site", "opener")
	cmd.MarkFlagsMutuallyExclusive("site", "opener")
	return cmd
}

// openExisting opens a centre that has been started before, in its mode.
func openExisting(ctx context.Context, dir string) (*Central, error) {
	mode, err := os.ReadFile(filepath.Join(dir, modeFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no centre has run in %s: start it once with counterproof-central serve", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the centre: %w", err)
	}
	return Open(ctx, Config{Dir: dir, Training: string(mode) == modeTraining})
}

// lastAddress is where the centre in dir was last reached.
func lastAddress(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, addressFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("the centre's address is not known yet: start it, or give --address")
	}
	return strings.TrimSpace(string(text)), err
}

// migrateCommand brings the database to this program's version.
func migrateCommand(data *string) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Check the database and bring it to this program's version",
		Long: `Check the database and bring it to this program's version.

Stop the centre and copy its data folder first.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := filepath.Join(*data, databaseFile)
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("there is no database to migrate: %w", err)
			}
			from, to, err := sqlite.Migrate(cmd.Context(), path)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the database is sound; schema %d, was %d\n", to, from)
			return err
		},
	}
}
