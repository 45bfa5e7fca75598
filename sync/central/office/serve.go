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
	"github.com/counterproof/counterproof/sync/central/metrics"
	"github.com/counterproof/counterproof/sync/store/postgres"
	"github.com/counterproof/counterproof/sync/store/sqlite"
)

// serve opens the centre and answers until ctx ends; so do its figures, if an
// address is given for them.
func serve(ctx context.Context, cfg central.Config, listen, figures string) error {
	c, err := central.Open(ctx, cfg)
	if err != nil {
		return err
	}
	ln, err := central.Listen(listen)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	ended, err := give(ctx, c.Figures(), cfg.Log, figures)
	if err != nil {
		cancel()
		return errors.Join(err, ln.Close(), c.Close())
	}
	err = c.Serve(ctx, ln)
	cancel()
	return errors.Join(err, <-ended, c.Close())
}

// give gives the figures until ctx ends, and tells then how that ended.
func give(ctx context.Context, c *metrics.Counters, log *slog.Logger, address string) (ended chan error, err error) {
	ended = make(chan error, 1)
	if address == "" {
		ended <- nil
		return ended, nil
	}
	ln, err := metrics.Listen(address)
	if err != nil {
		return nil, err
	}
	log.Info("figures are given", "addr", ln.Addr().String())
	begun, begin := context.WithCancel(ctx)
	context.AfterFunc(begun, func() { ended <- c.Serve(ctx, ln) })
	begin()
	return ended, nil
}

// migrateCommand brings the database to this program's version.
func migrateCommand(s *setting) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Check the database and bring it to this program's version",
		Long: `Check the database and bring it to this program's version.

Stop the centre first, on every machine that answers for it, and copy its data
folder or back up its database. An interrupted migration changes nothing.`,
		Example: `  counterproof-central migrate
  counterproof-central migrate --database postgres://centre@db.example/counterproof`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := s.migrate(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the database is sound; schema %d, was %d\n", to, from)
			return err
		},
	}
}

// migrate migrates the database that is in use.
func (s *setting) migrate(ctx context.Context) (from, to int, err error) {
	if s.database != "" {
		return postgres.Migrate(ctx, s.database)
	}
	path := filepath.Join(s.data, central.DatabaseFile)
	if _, err := os.Stat(path); err != nil {
		return 0, 0, fmt.Errorf("there is no database to migrate: %w", err)
	}
	return sqlite.Migrate(ctx, path)
}
