package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/proof"
)

func queueCommand() *cobra.Command {
	root := &cobra.Command{Use: "queue", Short: "Look at the queue of sealed records, carry records out and in"}
	root.AddCommand(queueListCommand(), queueExportCommand(), queueImportCommand())
	return root
}

func queueListCommand() *cobra.Command {
	return withConfig(&cobra.Command{
		Use:     "list",
		Short:   "List the records that wait or were sent, newest first, as JSON",
		Long:    "List the records of this counter, newest first, one JSON object a line.",
		Example: "  counterproofd queue list | grep '\"sealed\"'",
	}, func(cmd *cobra.Command, cfg config.Config) error {
		items, err := outbox.Records(cmd.Context(), cfg.Data)
		if err != nil {
			return fmt.Errorf("listing the queue in %s: %w", cfg.Data, err)
		}
		enc := json.NewEncoder(cmd.OutOrStdout())
		for _, i := range items {
			err = errors.Join(err, enc.Encode(i))
		}
		return err
	})
}

func queueExportCommand() *cobra.Command {
	var all bool
	cmd := withConfig(&cobra.Command{
		Use:   "export FILE",
		Short: "Write the records that the centre does not have into a file",
		Long: `Write the records that the centre does not have into a new file, which any other
counter of the same centre can carry in and send (counterproofd queue import). The
records stay sealed: the file shows no more than the queue does, and nobody but
the centre's openers can read what is in it. The queue stays as it is.

Use it when this PC cannot send any more, as when its network card died, or
before it is repaired. A record that arrives from both is known by its name.`,
		Example: "  counterproofd queue export /media/stick/counter-7.parcel",
	}, func(cmd *cobra.Command, cfg config.Config) error {
		c, err := outbox.Export(cmd.Context(), cfg.Data, cmd.Flags().Arg(0), all)
		if err != nil {
			return err
		}
		if c.Left > 0 {
			err = fmt.Errorf("%d records are damaged and were left out: keep this PC's disk", c.Left)
		}
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%d records are in the file.\n", c.Records)
		return err
	})
	cmd.Args = cobra.ExactArgs(1)
	cmd.Flags().BoolVar(&all, "all", false, "also what the centre has acknowledged, as for a centre that lost it")
	return cmd
}

func queueImportCommand() *cobra.Command {
	cmd := withConfig(&cobra.Command{
		Use:   "import FILE",
		Short: "Take the records of another counter's file into this queue, to be sent",
		Long: `Take the records that another counter exported into this counter's queue. They
stay sealed; this counter signs around them that it carries them, and the first
counter's signature goes along. Doing it again takes nothing twice. This counter
must be enrolled; one in training takes records of training alone, and no other
counter does.`,
		Example: "  counterproofd queue import /media/stick/counter-7.parcel",
	}, func(cmd *cobra.Command, cfg config.Config) error {
		return importQueue(cmd, cfg, cmd.Flags().Arg(0))
	})
	cmd.Args = cobra.ExactArgs(1)
	return cmd
}

// importQueue takes a parcel in, or leaves it for the counter that runs.
func importQueue(cmd *cobra.Command, cfg config.Config, name string) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("importing into the queue: %w", err)
	}
	defer f.Close()
	err = owned(cfg, func(box *outbox.Outbox) error { return carryIn(cmd, box, f) })
	if proof.KindOf(err) == proof.KindAlreadyRunning {
		n, err := outbox.Deliver(cfg.Data, f)
		if err == nil {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d records were left for the counter, which takes them in within a minute.\n", n)
		}
		return err
	}
	return err
}

// carryIn takes a parcel into a queue.
func carryIn(cmd *cobra.Command, box *outbox.Outbox, f io.Reader) error {
	c, err := box.CarryIn(cmd.Context(), f)
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%d records are in the queue.\n", c.Records)
	if err == nil && c.Left > 0 {
		err = fmt.Errorf("%d records could not be taken: they are damaged, or of the other mode (training or not)", c.Left)
	}
	return err
}
