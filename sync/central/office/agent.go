package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// inviteCommand prints an invitation.
func inviteCommand(s *setting) *cobra.Command {
	var site string
	var i central.Invitation
	cmd := &cobra.Command{
		Use:   "invite (--site CODE | --opener)",
		Short: "Make a one-time invitation and print it",
		Long: `Make a one-time invitation and print it.

It is good for 24 hours and for one enrolment. Until then it is as secret as a
key. The centre may be running.

With --second the counter that spends it waits until another person than you has
approved it (counterproof-central approve). With --grade only keys that are kept
so are taken: tpm, in the machine's security chip; dpapi, by Windows; file.`,
		Example: `  counterproof-central invite --site FA123
  counterproof-central invite --site FA123 --second --grade tpm,dpapi
  counterproof-central invite --opener --address centre.example:8443`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i.Site = wire.SiteID(site)
			return s.staff(cmd, func(ctx context.Context, staff Staff, c *central.Central) error {
				i.By = staff.By
				invite, err := c.Invite(ctx, i)
				if err != nil {
					return err
				}
				if err := staff.note(ctx, "invite", store.HashCode(invite.Code), 0); err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), invite)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&site, "site", "", "site of the counter, usually its ODS code")
	cmd.Flags().BoolVar(&i.Opener, "opener", false, "invite the opener instead of a counter")
	cmd.Flags().StringVar(&i.Address, "address", "", "host:port of the centre (where it was last reached by default)")
	cmd.Flags().BoolVar(&i.Second, "second", false, "a second person must approve whoever enrols")
	cmd.Flags().StringSliceVar(&i.Grades, "grade", nil, "how the key may be kept: tpm, dpapi, file (repeatable; any by default)")
	cmd.MarkFlagsOneRequired("site", "opener")
	cmd.MarkFlagsMutuallyExclusive("site", "opener")
	return cmd
}

// agentsCommand lists who is enrolled.
func agentsCommand(s *setting) *cobra.Command {
	return &cobra.Command{
		Use:   "agents",
		Short: "List the enrolled counters and openers",
		Long: `List the enrolled counters and openers: site, role, how the key is kept, whether
it may speak, the number of the next record that is expected of it, and when it
was enrolled. "forked" is one whose chain is in doubt: nothing more of it is
taken until the counter has been enrolled again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, func(ctx context.Context, c *central.Central) error {
				office, err := c.Office()
				if err != nil {
					return err
				}
				return list(ctx, office, cmd.OutOrStdout())
			})
		},
	}
}

// list writes every agent on a line.
func list(ctx context.Context, office store.Office, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "AGENT\tSITE\tROLE\tKEY\tSTATUS\tNEXT\tENROLLED")
	for after := wire.AgentID(""); ; {
		page, err := office.Agents(ctx, after, 500)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return table.Flush()
		}
		for _, a := range page {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", a.ID, dash(string(a.Site)), a.Role, a.Grade, statusWord(a), a.Expect,
				a.Enrolled.Format(time.DateOnly))
			after = a.ID
		}
	}
}

// dash stands for nothing in a table.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// statusWord says whether an agent may speak, in a word.
func statusWord(a store.Agent) string {
	switch {
	case a.Status == store.Active && a.Quarantined:
		return "forked"
	case a.Status == store.Active:
		return "active"
	}
	return string(a.Status)
}

// deedCommand is a command with one agent.
func deedCommand(s *setting, cmd *cobra.Command, deed func(context.Context, Staff, *central.Central, wire.AgentID) (string, error)) *cobra.Command {
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return s.staff(cmd, func(ctx context.Context, staff Staff, c *central.Central) error {
			said, err := deed(ctx, staff, c, wire.AgentID(args[0]))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
			return err
		})
	}
	return cmd
}

// approveCommand is the second person's.
func approveCommand(s *setting) *cobra.Command {
	return deedCommand(s, &cobra.Command{
		Use:   "approve AGENT",
		Short: "Approve an enrolment as the second person",
		Long: `Approve an enrolment as the second person.

The counter was invited with --second and waits; its screen tells its name, and
so does counterproof-central agents. You must be another person than who invited
it. It goes on by itself within a minute.`,
		Example: "  counterproof-central approve agent-4f1c… --by sam",
	}, func(ctx context.Context, staff Staff, _ *central.Central, id wire.AgentID) (string, error) {
		a, err := staff.Approve(ctx, id)
		return fmt.Sprintf("%s of %s may speak now.", a.ID, dash(string(a.Site))), err
	})
}

// revokeCommand refuses an agent for ever.
func revokeCommand(s *setting) *cobra.Command {
	var reason string
	cmd := deedCommand(s, &cobra.Command{
		Use:   "revoke AGENT --reason WORD",
		Short: "Refuse a counter or an opener for ever",
		Long: `Refuse a counter or an opener for ever, from its next request on.

What it sent before stays. What still waits in its queue is not lost: it can be
carried to another counter (counterproofd queue export and import). The same
machine can be enrolled again with a new key. An opener's news is believed no
more once the counters have the next bundle.

The reason is one of: stolen, lost, broken, replaced, closed, misused.`,
		Example: "  counterproof-central revoke agent-4f1c… --reason stolen",
	}, func(ctx context.Context, staff Staff, c *central.Central, id wire.AgentID) (string, error) {
		a, err := staff.Revoke(ctx, id, reason)
		if err == nil && a.Role == store.Opener {
			err = c.Disbelieve(ctx, a)
		}
		return fmt.Sprintf("%s is refused from now on.", a.ID), err
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, in a word")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

// moveCommand puts a counter into another site.
func moveCommand(s *setting) *cobra.Command {
	var site string
	cmd := deedCommand(s, &cobra.Command{
		Use:   "move AGENT --site SITE",
		Short: "Put a counter into another site",
		Long: `Put a counter into another site.

It keeps its key, its chain and its queue: what waits is sent after the move. Its
old certificate is good for nothing but getting the new one, which it does by
itself.`,
		Example: "  counterproof-central move agent-4f1c… --site FB456",
	}, func(ctx context.Context, staff Staff, _ *central.Central, id wire.AgentID) (string, error) {
		a, err := staff.Move(ctx, id, wire.SiteID(site))
		return fmt.Sprintf("%s stands in %s now.", a.ID, a.Site), err
	})
	cmd.Flags().StringVar(&site, "site", "", "the new site, usually its ODS code")
	_ = cmd.MarkFlagRequired("site")
	return cmd
}

// errAnswer: a question was answered otherwise.
var errAnswer = errors.New("that is not the reference: nothing was done")
