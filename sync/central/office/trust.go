package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// trustCommand hands out whom to trust about chips.
func trustCommand(s *setting) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Hand out whom the counters trust about chips of documents",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "set FILE",
		Short: "Let the counters have a newer list",
		Long: `Let the counters have a newer list of whom to trust about chips of documents: the
states' signers, and what they revoked.

FILE is a bundle as its publisher signed it. The centre does not read it: every
counter checks it under the publisher's key, which is pinned there, and refuses
one that is older than the one it has. It is fetched by the counters within the
hour. One older than 90 days is warned of, one older than 180 not used any more.`,
		Example: "  counterproof-central trust set 00000042.bundle",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := readFile(args[0])
			if err != nil {
				return err
			}
			return s.staff(cmd, func(ctx context.Context, staff Staff, c *central.Central) error {
				if err := staff.note(ctx, "trust_set", wire.HashOf(data), 0); err != nil {
					return err
				}
				f, err := c.SetFile(ctx, wire.FileChips, data)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "The counters are given list %d, %d bytes.\n", f.Version, f.Len)
				return err
			})
		},
	})
	return cmd
}

// readFile reads a file that may be handed out.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, wire.MaxFile+1))
	if err == nil && len(data) > wire.MaxFile {
		err = fmt.Errorf("it has more than %d bytes", wire.MaxFile)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	return data, nil
}

// settingsCommand shows and changes what is asked of all counters.
func settingsCommand(s *setting) *cobra.Command {
	var next wire.Settings
	cmd := &cobra.Command{
		Use:   "settings [--high-grade GRADE] [--pace SECONDS]",
		Short: "Show or change what is asked of all counters",
		Long: `Show or change what is asked of all counters. They have it with the next bundle,
within the hour.

  --high-grade  the least that a counter's key is kept with where a high level is
                to be reached: tpm, dpapi or file; empty for any
  --pace        how long at least a counter with nothing to send waits before it
                asks again, in seconds, at most 3600; 0 leaves it to the centre`,
		Example: "  counterproof-central settings --high-grade tpm",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.staff(cmd, func(ctx context.Context, staff Staff, c *central.Central) error {
				now, err := staff.settings(ctx, c, func(now wire.Settings) wire.Settings {
					if cmd.Flags().Changed("high-grade") {
						now.HighGrade = next.HighGrade
					}
					if cmd.Flags().Changed("pace") {
						now.Pace = next.Pace
					}
					return now
				})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "high-grade %s\npace %d\n", dash(now.HighGrade), now.Pace)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&next.HighGrade, "high-grade", "", "least grade of a key for high levels")
	cmd.Flags().IntVar(&next.Pace, "pace", 0, "seconds between two questions of an idle counter")
	return cmd
}

// settings changes the settings, after the leaf that tells of it.
func (s Staff) settings(ctx context.Context, c *central.Central, change func(wire.Settings) wire.Settings) (wire.Settings, error) {
	b, err := c.Bundle(ctx)
	if err != nil {
		return wire.Settings{}, err
	}
	next := change(b.Settings)
	if err := next.Check(); err != nil || next == b.Settings {
		return next, err
	}
	if err := s.note(ctx, "settings", wire.Hash{}, 0); err != nil {
		return next, err
	}
	return c.SetSettings(ctx, change)
}

// statusCommand says how the centre stands.
func statusCommand(s *setting) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how the centre stands",
		Long: `Say how the centre stands: its mode and address, who is enrolled, what the
counters are told, what the log has committed to, and what waits for the office.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, func(ctx context.Context, c *central.Central) error {
				return status(ctx, c, cmd.OutOrStdout())
			})
		},
	}
}

// status writes how the centre stands.
func status(ctx context.Context, c *central.Central, out io.Writer) error {
	office, err := c.Office()
	if err != nil {
		return err
	}
	counts, err := count(ctx, office)
	if err != nil {
		return err
	}
	b, err := c.Bundle(ctx)
	if err != nil {
		return err
	}
	flags, err := Staff{Office: office}.Flags(ctx, false)
	if err != nil {
		return err
	}
	tree, err := office.Checkpoint(ctx, 0)
	if err != nil {
		return err
	}
	mode, address := "live", "not known yet"
	if b.Training {
		mode = "training"
	}
	if at, err := c.Address(); err == nil {
		address = at
	}
	list := "none"
	if f, ok := b.File(wire.FileChips); ok {
		list = fmt.Sprintf("list %d, %d bytes", f.Version, f.Len)
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "mode\t%s\naddress\t%s\n", mode, address)
	fmt.Fprintf(table, "agents\t%d active, %d waiting for a second person, %d revoked, %d forked\n",
		counts["active"], counts[string(store.Pending)], counts[string(store.Revoked)], counts["forked"])
	fmt.Fprintf(table, "bundle\tversion %d of %s, %d keys, %d openers\n", b.Version, b.Issued.Format(time.DateTime), len(b.Recipients), len(b.Openers))
	fmt.Fprintf(table, "chips\t%s\nlog\t%d leaves committed\nflags\t%d open\n", list, tree.Size, len(flags))
	return table.Flush()
}

// count counts the agents by what they may do.
func count(ctx context.Context, office store.Office) (map[string]int, error) {
	counts := map[string]int{}
	for after := wire.AgentID(""); ; {
		page, err := office.Agents(ctx, after, 500)
		if err != nil {
			return nil, errors.Join(errors.New("counting the agents"), err)
		}
		if len(page) == 0 {
			return counts, nil
		}
		for _, a := range page {
			counts[statusWord(a)]++
			after = a.ID
		}
	}
}
