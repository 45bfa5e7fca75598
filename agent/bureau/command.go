package bureau

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/dossier"
	"github.com/counterproof/counterproof/agent/export"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/sync/wire"
)

// Command is the counterproof-opener command with the casework: keygen, enrol,
// run, review, decide, export. What else run needs is attached.
func Command(more ...opener.Attach) *cobra.Command {
	root := opener.Command(append([]opener.Attach{attach}, more...)...)
	root.Long += `
  counterproof-opener review               what people have to look at
  counterproof-opener review REF pass      let a case pass, or fail it
  counterproof-opener export REF           a proved case in another form

With --services FILE, run works every case to its end: sources, NHS record, final
level, account, news to the site. Without, it only opens and shows.`
	root.AddCommand(reviewCommand(), decideCommand(), exportCommand())
	return root
}

// serviceFlags adds the flags that say with whom the casework speaks.
func serviceFlags(cmd *cobra.Command) *Services {
	var s Services
	cmd.Flags().StringVar(&s.File, "services", "", "JSON file with the addresses of PDS and NHS login: work the cases to their end")
	cmd.Flags().BoolVar(&s.Simulate, "simulate", false, "simulate all services in this process; under a training enrolment only")
	cmd.MarkFlagsMutuallyExclusive("services", "simulate")
	return &s
}

// attach joins the casework to the run command.
func attach(run *cobra.Command) func(*opener.Opener) (opener.Worker, error) {
	s := serviceFlags(run)
	return func(o *opener.Opener) (opener.Worker, error) {
		if s.None() {
			return nil, nil
		}
		return s.Worker(o, logger(run))
	}
}

// dataOf is the opener's folder, as the command line has it.
func dataOf(cmd *cobra.Command) string { return cmd.Flag("data").Value.String() }

// refOf reads a reference as a person types it.
func refOf(typed string) (wire.Ref, error) {
	ref, err := wire.ParseRef(typed)
	if err != nil {
		return "", errors.New("the reference is not one of a slip: check what was typed")
	}
	return ref, nil
}

// reviewCommand lists what people look at, and takes what they decided.
func reviewCommand() *cobra.Command {
	var d casework.Decision
	cmd := &cobra.Command{
		Use:   "review [REF pass|fail]",
		Short: "List the cases that people have to look at, or decide one",
		Long: `List the cases that people have to look at, or decide one.

The list says why a case is held; nobody else is told. A decision is left in the
folder and taken up by the running opener, or by the next one.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 0 && len(args) != 2 {
				return errors.New("give nothing, or a reference and pass or fail")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listReviews(cmd.OutOrStdout(), dataOf(cmd))
			}
			kind, known := map[string]wire.NoticeKind{"pass": wire.NoticeReviewPassed, "fail": wire.NoticeReviewFailed}[args[1]]
			if !known {
				return fmt.Errorf("no decision %.20q: there are pass and fail", args[1])
			}
			d.Kind = kind
			return leave(cmd, args[0], d)
		},
	}
	decisionFlags(cmd, &d)
	return cmd
}

// decisionFlags adds the flags of every decision.
func decisionFlags(cmd *cobra.Command, d *casework.Decision) {
	cmd.Flags().StringVar((*string)(&d.Agent), "agent", "", "the counter, where two cases have one reference")
	cmd.Flags().StringVar(&d.By, "by", "", "id of who decides, for the ledger")
}

// leave leaves a decision about a reference.
func leave(cmd *cobra.Command, typed string, d casework.Decision) error {
	var err error
	if d.Ref, err = refOf(typed); err != nil {
		return err
	}
	if err := casework.Decide(Folder(dataOf(cmd)), d); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s: left for the opener to take up\n", d.Ref, d.Kind)
	return err
}

// listReviews writes a line for each case that people look at.
func listReviews(out io.Writer, data string) error {
	held, err := casework.Reviews(Folder(data))
	if err != nil {
		return err
	}
	for _, h := range held {
		var codes []string
		for _, c := range h.Codes {
			codes = append(codes, string(c))
		}
		if _, err := fmt.Fprintf(out, "%s %s %s %s\n", h.Ref, h.Agent, h.Since.Format(time.DateOnly), strings.Join(codes, ",")); err != nil {
			return err
		}
	}
	return nil
}

// decideCommand takes decisions that are made elsewhere: of a practice about
// somebody who acts for a patient, of a voucher who takes a vouch back.
func decideCommand() *cobra.Command {
	var d casework.Decision
	var kinds []string
	for _, k := range casework.Decisions() {
		kinds = append(kinds, string(k))
	}
	cmd := &cobra.Command{
		Use:   "decide REF KIND",
		Short: "Tell what was decided elsewhere about a case",
		Long:  "Tell what was decided elsewhere about a case. The kinds are\n  " + strings.Join(kinds, "\n  "),
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.Kind = wire.NoticeKind(args[1])
			return leave(cmd, args[0], d)
		},
	}
	decisionFlags(cmd, &d)
	return cmd
}

// Forms of exports.
const (
	asClaims     = "verified_claims"
	asCredential = "one_login"
)

// exporting is what an export is made with.
type exporting struct {
	as, agent, keyFile string
	export.Issuance
}

// exportCommand writes a proved case in another form. It works on the opener's
// folder, so that no opener may run there meanwhile.
func exportCommand() *cobra.Command {
	var e exporting
	cmd := &cobra.Command{
		Use:   "export REF",
		Short: "Write a proved case as verified_claims or as One Login credentials: PERSONAL DATA",
		Long: `Write a proved case as verified_claims or as One Login credentials: PERSONAL DATA.

Nothing that a level rests on is kept, so the record is fetched again and the
services are asked again; where they say something else now, nothing is written.
End a running opener first.`,
		Args: cobra.ExactArgs(1),
	}
	s := serviceFlags(cmd)
	cmd.Flags().StringVar(&e.as, "as", asClaims, asClaims+" (OpenID Identity Assurance) or "+asCredential+" (a signed JWT for each document)")
	cmd.Flags().StringVar(&e.agent, "agent", "", "the counter, where two cases have one reference")
	cmd.Flags().StringVar(&e.keyFile, "key", "", "P-256 key of the issuer, PEM, for "+asCredential)
	cmd.Flags().StringVar(&e.KeyID, "key-id", "", "the key's name to readers")
	cmd.Flags().StringVar(&e.Issuer, "issuer", "", "who issues, for "+asCredential)
	cmd.Flags().StringVar(&e.Subject, "subject", "", "a name of the person that tells nothing about them, for "+asCredential)
	cmd.MarkFlagsOneRequired("services", "simulate")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ref, err := refOf(args[0])
		if err != nil {
			return err
		}
		if err := e.check(); err != nil {
			return err
		}
		d, err := fetch(cmd, *s, ref, wire.AgentID(e.agent))
		if err != nil {
			return err
		}
		return e.write(cmd.OutOrStdout(), d)
	}
	return cmd
}

// check reads the issuer's key where one is needed.
func (e *exporting) check() (err error) {
	switch e.as {
	case asClaims:
		return nil
	case asCredential:
		if e.keyFile == "" || e.Issuer == "" || e.Subject == "" {
			return errors.New("a credential needs --key, --issuer and --subject")
		}
		e.Key, err = readKey(e.keyFile)
		return err
	}
	return fmt.Errorf("no form %.20q: there are %s and %s", e.as, asClaims, asCredential)
}

// fetch gets a case with all that its levels rest on.
func fetch(cmd *cobra.Command, s Services, ref wire.Ref, agent wire.AgentID) (d casework.Dossier, err error) {
	o, err := opener.Open(opener.ConfigOf(cmd))
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	w, err := s.casework(o, logger(cmd))
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return w.Dossier(cmd.Context(), ref, agent)
}

// write writes a case in the form that is wanted.
func (e exporting) write(out io.Writer, d casework.Dossier) error {
	p := dossier.Proofing(d)
	if e.as == asClaims {
		text, err := export.VerifiedClaims(p)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", text)
		return err
	}
	e.At = time.Now()
	var lines []string
	for i, piece := range p.Pieces {
		jwt, err := export.IdentityCheck(p, i, e.Issuance)
		switch {
		case errors.Is(err, export.ErrNoSubject) || err != nil && piece.Document == nil:
			continue // the format has none for such evidence
		case err != nil:
			return err
		}
		lines = append(lines, jwt+"\n")
	}
	if len(lines) == 0 {
		return export.ErrNoSubject
	}
	_, err := io.WriteString(out, strings.Join(lines, ""))
	return err
}

// maxKey bounds a key file, in bytes.
const maxKey = 16 << 10

// readKey reads a private key that only its owner may read.
func readKey(path string) (crypto.Signer, error) {
	text, err := ledger.ReadSecret(path, maxKey)
	if err != nil {
		return nil, fmt.Errorf("reading the issuer's key: %w", err)
	}
	defer clear(text)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("reading the issuer's key: it holds no PEM")
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("reading the issuer's key: it holds no private key")
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("reading the issuer's key: it cannot sign")
	}
	return key, nil
}

// logger writes log lines beside the results.
func logger(cmd *cobra.Command) *slog.Logger {
	return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
}
