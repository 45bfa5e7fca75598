package office

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/export"
	"github.com/counterproof/counterproof/sync/store"
)

// exportCommand writes a sealed record to a file.
func exportCommand(s *setting) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export (REFERENCE | PROOFING-ID)",
		Short: "Write a sealed record with its receipt and its proof to a file",
		Long: `Write a sealed record to a file: the envelope as its counter sealed it, the
centre's receipt, who made it, and the proof that the log has it. Nothing is
opened: only the opener can read it. An auditor can check it with the centre's
receipt key alone.

The record is named by the reference on the patient's slip or by the proofing's
id. Where one visit arrived twice, the file holds both. Every export is written
into the log.`,
		Example: `  counterproof-central export 8QXR-2M4K-7TD --out record.json
  counterproof-central export 00112233445566778899aabbccddeeff > record.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.staff(cmd, func(ctx context.Context, staff Staff, c *central.Central) error {
				return write(cmd.OutOrStdout(), out, func(w io.Writer) error { return staff.Export(ctx, args[0], c.ReceiptKey(), w) })
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to make, which must not be there yet (standard output by default)")
	return cmd
}

// write hands out the standard output, or a new file of the owner's alone, which
// is removed again if writing it fails.
func write(stdout io.Writer, path string, use func(io.Writer) error) error {
	if path == "" {
		return use(stdout)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already: give another name with --out", path)
	}
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	if err := errors.Join(use(f), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// Export writes the records of a reference or of a proofing's id to w, after the
// leaf that tells of it.
func (s Staff) Export(ctx context.Context, name string, key []byte, w io.Writer) error {
	found, err := s.Find(ctx, name)
	if err != nil {
		return err
	}
	var places []uint64
	for _, e := range found {
		if err := s.note(ctx, "export", e.Receipt.RecHash, e.Receipt.LogIndex); err != nil {
			return err
		}
		places = append(places, e.Receipt.LogIndex)
	}
	f := export.File{Made: time.Now().UTC().Truncate(time.Second), By: s.By, ReceiptKey: key}
	if f, err = export.Make(ctx, s.Office, f, places...); err != nil {
		return err
	}
	return f.Write(w)
}

// eraseCommand destroys a record's content.
func eraseCommand(s *setting) *cobra.Command {
	var reason string
	var yes bool
	var index uint64
	cmd := &cobra.Command{
		Use:   "erase (REFERENCE | PROOFING-ID) --reason WORD",
		Short: "Destroy what a record holds, for good",
		Long: `Destroy what a record holds, for good.

The sealed parts are removed from this centre's store, and a tombstone is written
into the log. Header, signature and receipt stay, so that the chain and the log
can still be verified; they tell nothing of a person. Backups made before still
hold the parts, and so does the counter until it purges its copy; the opener
keeps what it made of the record: have it erased there too.

You are asked for the reference again, unless --yes is given. The reason is one
of: request, court, retention, mistake.`,
		Example: "  counterproof-central erase 8QXR-2M4K-7TD --reason request",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.staff(cmd, func(ctx context.Context, staff Staff, _ *central.Central) error {
				found, err := staff.Find(ctx, args[0])
				if err != nil {
					return err
				}
				entry, err := pick(found, index)
				if err != nil {
					return err
				}
				if err := confirm(cmd, entry, yes); err != nil {
					return err
				}
				if err := staff.Erase(ctx, entry, reason); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "Record %d of the log is erased.\n", entry.Receipt.LogIndex)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, in a word")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for the reference again")
	cmd.Flags().Uint64Var(&index, "index", 0, "place in the log, where a reference stands for several records")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

// pick chooses among the records that a name stands for.
func pick(found []store.Entry, index uint64) (store.Entry, error) {
	var places []string
	for _, e := range found {
		if e.Receipt.LogIndex == index || index == 0 && len(found) == 1 {
			return e, nil
		}
		places = append(places, strconv.FormatUint(e.Receipt.LogIndex, 10))
	}
	return store.Entry{}, fmt.Errorf("it stands for the records %s of the log: say which with --index", strings.Join(places, ", "))
}

// confirm asks for the reference again.
func confirm(cmd *cobra.Command, e store.Entry, yes bool) error {
	if yes {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Record %d of the log, received %s from %s, will be destroyed for good.\nType its reference again: ",
		e.Receipt.LogIndex, e.Receipt.At.Format(time.DateTime), e.Receipt.Agent)
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if typed, err := parseName(line); err != nil || typed.ref != e.Record.Ref() {
		return errAnswer
	}
	return nil
}

// flagsCommand lists and settles what the openers ask the office to look at.
func flagsCommand(s *setting) *cobra.Command {
	var all bool
	show := func(cmd *cobra.Command, _ []string) error {
		return s.with(cmd, func(ctx context.Context, c *central.Central) error {
			office, err := c.Office()
			if err != nil {
				return err
			}
			flags, err := Staff{Office: office}.Flags(ctx, all)
			if err != nil {
				return err
			}
			return showFlags(cmd.OutOrStdout(), flags)
		})
	}
	cmd := &cobra.Command{
		Use:   "flags [list]",
		Short: "List what the openers ask the office to look at",
		Long: `List what the openers ask the office to look at: numbers, what looked wrong, when,
and the records' hashes. No flag tells who anybody is; the opener's own screen
does, to those who may see it.

  document_two_people  one document came with two people
  number_two_people    one NHS number came with different people
  chip_again           a chip's files came with another document, or twice at once
  too_many             one clerk or one site proved more people than can be
  visit_twice          the same visit arrived from two counters
  defect               a record cannot be opened: ask the patient back`,
		Example: `  counterproof-central flags
  counterproof-central flags settle 12 --word explained`,
		Args: cobra.NoArgs, RunE: show,
	}
	list := &cobra.Command{Use: "list", Short: "List the flags", Args: cobra.NoArgs, RunE: show}
	for _, c := range []*cobra.Command{cmd, list} {
		c.Flags().BoolVar(&all, "all", false, "the settled ones too")
	}
	cmd.AddCommand(list, settleCommand(s))
	return cmd
}

// showFlags writes every flag on a line.
func showFlags(out io.Writer, flags []store.Raised) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tKIND\tRAISED\tSETTLED\tRECORDS")
	for _, f := range flags {
		var records []string
		for _, r := range f.Flag.Records {
			records = append(records, r.String()[:16])
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", f.Number, f.Flag.Kind, f.Flag.At.Format(time.DateTime), dash(f.Settled), strings.Join(records, " "))
	}
	return table.Flush()
}

// settleCommand closes a flag.
func settleCommand(s *setting) *cobra.Command {
	var word string
	cmd := &cobra.Command{
		Use:   "settle NUMBER --word WORD",
		Short: "Close a flag with a word",
		Long: `Close a flag with a word: fraud, mistake, same_visit, explained or repaired. It stays
in the list of all, and is not raised again.`,
		Example: "  counterproof-central flags settle 12 --word explained",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.ParseUint(args[0], 10, 63)
			if err != nil {
				return fmt.Errorf("%q is no flag's number: counterproof-central flags lists them", args[0])
			}
			return s.staff(cmd, func(ctx context.Context, staff Staff, _ *central.Central) error {
				return staff.Settle(ctx, number, word)
			})
		},
	}
	cmd.Flags().StringVar(&word, "word", "", "how it ended, in a word")
	_ = cmd.MarkFlagRequired("word")
	return cmd
}
