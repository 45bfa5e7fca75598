package inspect

import (
	"os"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/spf13/cobra"
)

// Command is "inspect" with a subcommand for every reader and rule.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Use one reader, parser or rule from the shell",
		Long: `Use one reader, parser or rule from the shell: JSON or files in, JSON out,
one object a line, in the order of the inputs.

Exit code 0: every input was answered, also with a negative verdict.
Exit code 2: an input could not be understood; a sentence says which and why.`,
		Args: strictly(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &NotUnderstood{commandLine, err} })
	cmd.AddCommand(mrzCommand(), documentCommand(), faceCommand(), scoreCommand(), nhsNumberCommand(), odsCommand(), specimenCommand(),
		driverCommand(), aamvaCommand(), barcodeCommand(), framesCommand(), passiveCommand(), chipCommand())
	return cmd
}

// commandLine names the command line as an input.
const commandLine = "the command line"

// strictly makes a wrong number of arguments an input that was not understood.
func strictly(args cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := args(cmd, given); err != nil {
			return &NotUnderstood{commandLine, err}
		}
		return nil
	}
}

// question is a subcommand that answers JSON on standard input.
type question struct {
	use, short, long, example string
	answer                    func() (answerer, error)
}

// command makes the subcommand.
func (q question) command() *cobra.Command {
	return &cobra.Command{
		Use: q.use, Short: q.short, Long: q.long, Example: q.example,
		Args: strictly(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			answer, err := q.answer()
			if err != nil {
				return err
			}
			return jsonLines(cmd.InOrStdin(), cmd.OutOrStdout(), answer)
		},
	}
}

// mrzCommand is "inspect mrz".
func mrzCommand() *cobra.Command {
	return question{
		use: "mrz", short: "Read a machine-readable zone",
		long: `Reads the lines of a machine-readable zone: format, fields and check digits, and
what a correction by the alphabet of each position would change.`,
		example: `  echo '{"lines":["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<","D231458907UTO7408122F1204159<<<<<<<6"]}' | counterproofd inspect mrz`,
		answer:  func() (answerer, error) { return mrzAnswer(today()), nil },
	}.command()
}

// scoreCommand is "inspect score".
func scoreCommand() *cobra.Command {
	policy, file := "", ""
	cmd := question{
		use: "score", short: "GPG 45: profiles, gaps and pieces",
		long: `Scores by GPG 45. Three questions, as JSON on standard input:

  scores              which profiles and which level they come to
  "have", "profile"   what the scores lack for that profile
  "pieces"            what several readings come to, one piece a document type`,
		example: `  echo '{"evidence":[{"strength":3,"validity":2}],"activity":0,"fraud":0,"verification":2}' | counterproofd inspect score
  echo '{"have":{"evidence":[[3,2]],"activity":0,"fraud":0,"verification":2},"profile":"M1C"}' | counterproofd inspect score
  echo '{"pieces":[{"doc":"passport","strength":3,"validity":2},{"doc":null,"fraud":1}]}' | counterproofd inspect score`,
		answer: func() (answerer, error) {
			p, err := openPolicy(policy, file)
			if err != nil {
				return nil, err
			}
			return scoreAnswer(p), nil
		},
	}.command()
	cmd.Flags().StringVar(&policy, "policy", "", "version of the rules (default "+gpg45.Default+")")
	cmd.Flags().StringVar(&file, "policy-file", "", "rules from this file instead")
	return cmd
}

// openPolicy loads a policy of the program, or the one in a file.
func openPolicy(version, file string) (*gpg45.Policy, error) {
	if file == "" {
		p, err := gpg45.Load(version)
		if err != nil {
			return nil, &NotUnderstood{"--policy", err}
		}
		return p, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &NotUnderstood{"--policy-file", err}
	}
	p, err := gpg45.Parse(text)
	if err != nil {
		return nil, &NotUnderstood{"--policy-file", err}
	}
	return p, nil
}

// nhsNumberCommand is "inspect nhs-number".
func nhsNumberCommand() *cobra.Command {
	return question{
		use: "nhs-number", short: "Check an NHS number",
		long: `Checks an NHS number as somebody gave it: spaces and hyphens go, modulus 11
must agree. Nothing is looked up anywhere.`,
		example: `  echo '{"input":"900 000 0009"}' | counterproofd inspect nhs-number`,
		answer:  func() (answerer, error) { return nhsNumber, nil },
	}.command()
}

// odsCommand is "inspect ods".
func odsCommand() *cobra.Command {
	return question{
		use: "ods", short: "What the shape of an ODS code tells",
		long: `Tells which patterns of the Personal Demographics Service an organisation's
code fits and what kind of organisation usually has such a code.`,
		example: `  echo '{"code":"FWC87"}' | counterproofd inspect ods`,
		answer: func() (answerer, error) {
			p, err := gpg45.Load("")
			if err != nil {
				return nil, err
			}
			return odsAnswer(p.NHS()), nil
		},
	}.command()
}
