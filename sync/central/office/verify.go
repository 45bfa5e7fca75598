package office

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/sync/audit"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/export"
	"github.com/counterproof/counterproof/sync/wire"
)

// errUnsound makes the command fail where the log is not what it should be.
var errUnsound = errors.New("the log is not sound: keep the data as they are, and tell technical support and the auditor")

// verifyCommand audits the log.
func verifyCommand(s *setting) *cobra.Command {
	var exports []string
	cmd := &cobra.Command{
		Use:   "verify-log",
		Short: "Calculate the whole log again and say whether all that was promised holds",
		Long: `Calculate the whole log again from its leaves and hold everything that the centre
has promised against it: checkpoints, receipts, every counter's chain, openings,
deeds and tombstones. With --export the receipts in exported files are looked for
too, as they were handed to an auditor or a patient.

It reads, writes nothing, and opens no record. The report is printed as JSON; the
exit code is 1 if anything is wrong. It may run beside the centre, and takes about
a minute for a million leaves.`,
		Example: `  counterproof-central verify-log
  counterproof-central verify-log --export record.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, func(ctx context.Context, c *central.Central) error {
				receipts, err := readReceipts(exports, c.ReceiptKey())
				if err != nil {
					return err
				}
				return verify(ctx, c, receipts, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().StringSliceVar(&exports, "export", nil, "exported file whose receipts are looked for (repeatable)")
	return cmd
}

// verify audits the centre's store and writes the report.
func verify(ctx context.Context, c *central.Central, receipts []wire.Receipt, out io.Writer) error {
	office, err := c.Office()
	if err != nil {
		return err
	}
	report, err := audit.Verify(ctx, office, audit.Options{Key: c.ReceiptKey(), Receipts: receipts})
	if err != nil {
		return fmt.Errorf("verifying the log: %w", err)
	}
	text := json.NewEncoder(out)
	text.SetIndent("", "  ")
	if err := text.Encode(report); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if !report.Sound() {
		return errUnsound
	}
	return nil
}

// readReceipts reads the receipts of exported files.
func readReceipts(paths []string, key []byte) ([]wire.Receipt, error) {
	var receipts []wire.Receipt
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("reading an export: %w", err)
		}
		_, records, _, err := export.Read(f, key)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, r := range records {
			receipts = append(receipts, r.Receipt)
		}
	}
	return receipts, nil
}
