package opener

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/sync/wire"
)

// suiteFlag adds the flag that says of which suite keys are made; suite reads it.
func suiteFlag(cmd *cobra.Command) (suite func() (wire.Suite, error)) {
	name := cmd.Flags().String("suite", "", "hybrid (ML-KEM-768 with X25519), or p256 for hardware that has only that; as before if empty")
	return func() (wire.Suite, error) {
		if *name == "" {
			return wire.Suite{}, nil
		}
		return vault.Suite(*name)
	}
}

// keygenCommand makes the keys and prints their names, which are public: the
// headers of records name them.
func keygenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a private key for each part of a record, where there is none",
		Long: `Make a private key for each part of a record, where there is none.

A key that is there stays as it is. To change a part's key, rename its file
from PART.key to PART-ANYTHING.key, so that older records still open, make a
new one and enrol again; or begin with keys for each month (keys make).`,
		Args: cobra.NoArgs,
	}
	suite := suiteFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		id, err := suite()
		if err != nil {
			return err
		}
		cfg := ConfigOf(cmd)
		keys, err := vault.Standing(vault.Config{Dir: cfg.Dir, Token: cfg.Token}, id, time.Now())
		if err != nil {
			return err
		}
		for _, k := range keys {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s %s\n", k.Part, k.Key, vault.SuiteName(k.Suite)); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// keysCommand lists the keys and begins with sets for months.
func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List the keys, or make sets for months",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the keys: month, part, name, suite, place, and which are in force",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOpener(cmd, func(o *Opener) error { return listKeys(cmd.OutOrStdout(), o.vault.Keys(time.Now())) })
		},
	}
	cmd.AddCommand(list, makeCommand())
	return cmd
}

// withOpener does something with the opener, which no other process uses then.
func withOpener(cmd *cobra.Command, what func(*Opener) error) error {
	o, err := Open(ConfigOf(cmd))
	if err != nil {
		return err
	}
	return errors.Join(what(o), o.Close())
}

// makeCommand makes the sets of this month and the next.
func makeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "make",
		Short: "Make a set of keys for this month and the next, where there is none",
		Long: `Make a set of keys for this month and the next, where there is none.

From then on a running opener makes each month's set a month ahead and hands it
to the centre when the month begins. Copy the folder, or the token, once a month:
a record whose key is lost is lost. Older keys stay, for opening, until they are
destroyed with shred.`,
		Args: cobra.NoArgs,
	}
	suite := suiteFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		id, err := suite()
		if err != nil {
			return err
		}
		return withOpener(cmd, func(o *Opener) error {
			now := time.Now()
			if _, err := o.vault.Make(vault.MonthOf(now), id); err != nil {
				return err
			}
			if _, err := o.vault.Ahead(now); err != nil {
				return err
			}
			return listKeys(cmd.OutOrStdout(), o.vault.Keys(now))
		})
	}
	return cmd
}

// listKeys writes a line for each key.
func listKeys(out io.Writer, keys []vault.Held) error {
	for _, k := range keys {
		place, force := "file", ""
		if k.Token {
			place = "token"
		}
		if k.InForce {
			force = " in force"
		}
		month := k.Month
		if month == "" {
			month = "-"
		}
		if _, err := fmt.Fprintf(out, "%-7s %-8s %s %s %s%s\n", month, printable(string(k.Part)), k.Key, vault.SuiteName(k.Suite), place, force); err != nil {
			return err
		}
	}
	return nil
}

// shredCommand destroys a month's keys.
func shredCommand() *cobra.Command {
	var month string
	var parts []string
	var yes bool
	cmd := &cobra.Command{
		Use:   "shred --month MONTH [--part PART]",
		Short: "Destroy a month's private keys for good: what was sealed to them opens never again",
		Long: `Destroy a month's private keys for good: what was sealed to them opens never again.

That holds for every copy of the records, at the centre, in its backups and on the
counters. It holds only if the copies of this folder are destroyed too: see to
them first, and keep the folder on a disk that is encrypted. Parts are kept for
as long as settings.json says (retention_days), else claims for 400 days, evidence
and chip for 90, audit for 2557, all after their key was handed out last. The
other parts of the same records go on opening. The centre's log is told by the
next run. End a running opener first.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var names []wire.PartName
			for _, p := range parts {
				names = append(names, wire.PartName(p))
			}
			return withOpener(cmd, func(o *Opener) error {
				doomed, err := o.vault.MayShred(o.shredding(month, names), time.Now())
				if err != nil {
					return err
				}
				if err := listKeys(cmd.OutOrStdout(), doomed); err != nil {
					return err
				}
				if !yes && !confirmed(cmd, month) {
					return errors.New("nothing was destroyed: the month was not typed again")
				}
				n, err := o.Shred(month, names)
				if n > 0 {
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%d keys are destroyed\n", n)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month, as 2026-08")
	cmd.Flags().StringSliceVar(&parts, "part", nil, "of this part alone: claims, evidence, audit or chip; may be repeated")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask to type the month again")
	cmd.MarkFlagsOneRequired("month")
	return cmd
}

// maxAnswer bounds what is typed, in bytes.
const maxAnswer = 64

// confirmed asks to type the month again.
func confirmed(cmd *cobra.Command, month string) bool {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "These keys are destroyed for good. Type the month again: ")
	if err != nil {
		return false
	}
	typed, _ := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), maxAnswer)).ReadString('\n')
	return strings.TrimSpace(typed) == month
}
