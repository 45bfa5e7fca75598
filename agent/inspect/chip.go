package inspect

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
)

// maxTrusted bounds a file with a certificate or a revocation list, in bytes.
const maxTrusted = 16 << 20

// chipOptions is the command line of "inspect chip".
type chipOptions struct {
	reader            string
	authorities, crls []string
	wait              time.Duration
	readers           bool
}

// chipCommand is "inspect chip".
func chipCommand() *cobra.Command {
	var o chipOptions
	cmd := &cobra.Command{
		Use: "chip --reader NAME", Short: "Read the chip of a document on a reader, and judge it",
		Long: `Reads the chip of the document that lies on a reader of the system's smart-card
service, with the key that is printed in the document, and judges what it gave by
the authorities' certificates that are trusted. For each key on standard input the
document is waited for and read anew. Nothing that was read is kept.

The verdict is a word: genuine, genuine_copy_not_excluded, issuer_unknown, failed
(a sign of fraud), unreadable, or not_attempted where no document was laid down;
the reason says more. Without --csca every issuer is unknown.`,
		Example: `  counterproofd inspect chip --readers
  counterproofd inspect chip --reader 'ACME Reader 00 00' --csca utopia.cer < keys.json
  {"mrz_information":"L898902C<369080619406236"}
  {"can":"123456"}`,
		Args: strictly(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.readers {
				return listReaders(cmd.OutOrStdout())
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&o.reader, "reader", "", "name of the reader; may be left out if there is one")
	cmd.Flags().StringArrayVar(&o.authorities, "csca", nil, "file with the certificate of an authority to trust (DER); repeatable")
	cmd.Flags().StringArrayVar(&o.crls, "crl", nil, "file with a revocation list (DER); repeatable")
	cmd.Flags().DurationVar(&o.wait, "wait", 30*time.Second, "how long to wait for a document, and how long for it to be read")
	cmd.Flags().BoolVar(&o.readers, "readers", false, "list the readers, one a line, and read nothing")
	return cmd
}

// listReaders lists the chip readers.
func listReaders(out io.Writer) error {
	names, err := bus.ChipReaderNames()
	if err != nil {
		return fmt.Errorf("listing the chip readers: %w", err)
	}
	for _, name := range names {
		if err := writeLine(out, map[string]string{"reader": name}); err != nil {
			return err
		}
	}
	return nil
}

// run opens the reader and answers every key.
func (o chipOptions) run(ctx context.Context, in io.Reader, out io.Writer) error {
	authorities, err := trusted(o.authorities)
	if err != nil {
		return err
	}
	crls, err := trusted(o.crls)
	if err != nil {
		return err
	}
	reader, err := bus.OpenChipReader(o.reader)
	if err != nil {
		return fmt.Errorf("opening the chip reader: %w", err)
	}
	defer reader.Close()
	var store *trust.Store
	if len(authorities) > 0 {
		store = trust.Given(authorities, crls)
	}
	return jsonLines(in, out, chipAnswer(ctx, reader, store, o.wait))
}

// trusted reads the files of a flag.
func trusted(paths []string) (all [][]byte, err error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, &NotUnderstood{path, errors.New("it cannot be opened")}
		}
		b, err := io.ReadAll(io.LimitReader(f, maxTrusted+1))
		_ = f.Close() // it was only read
		if err != nil || len(b) > maxTrusted {
			return nil, &NotUnderstood{path, errors.New("it cannot be read, or is too large")}
		}
		all = append(all, b)
	}
	return all, nil
}

// chipInput is a printed key: one of the two.
type chipInput struct {
	MRZInformation string `json:"mrz_information"`
	CAN            string `json:"can"`
}

// What keys look like: number, birth and expiry with their check digits; a card
// access number of six digits (ICAO Doc 9303-4 §4.2.2.4 and the appendix there).
var (
	mrzInformation = regexp.MustCompile(`^[A-Z0-9<]{24,40}$`)
	accessNumber   = regexp.MustCompile(`^[0-9]{6}$`)
)

// chipVerdict is what came of reading a chip.
type chipVerdict struct {
	Verdict       trust.Word  `json:"verdict"`
	Class         trust.Class `json:"class,omitempty"` // of what failed
	Reason        string      `json:"reason,omitempty"`
	Access        string      `json:"access"` // PACE, BAC, or "" where neither came about
	Downgraded    bool        `json:"downgraded"`
	CloneExcluded bool        `json:"clone_excluded"`
	Lines         []string    `json:"dg1_lines"`
	Portrait      int         `json:"portrait_bytes"`
	Commands      int         `json:"apdus"`
	Millis        float64     `json:"millis"` // from the document's lying there to the verdict
}

// chipAnswer reads what lies on a reader.
func chipAnswer(ctx context.Context, reader devices.ChipReader, store *trust.Store, wait time.Duration) answerer {
	return func(in json.RawMessage) (any, error) {
		var given chipInput
		if err := decode(in, &given); err != nil {
			return nil, err
		}
		switch {
		case given.MRZInformation == "" && given.CAN == "":
			return nil, errors.New(`"mrz_information" or "can" is missing: it is the key that is printed in the document`)
		case given.MRZInformation != "" && !mrzInformation.MatchString(given.MRZInformation):
			return nil, errors.New(`"mrz_information" is not number, date of birth and date of expiry with their check digits`)
		case given.CAN != "" && !accessNumber.MatchString(given.CAN):
			return nil, errors.New(`"can" is not six digits`)
		}
		return readChip(ctx, reader, chip.Key{MRZInformation: given.MRZInformation, CAN: given.CAN}, store, wait), nil
	}
}

// readChip reads one document and judges it.
func readChip(ctx context.Context, reader devices.ChipReader, key chip.Key, store *trust.Store, wait time.Duration) chipVerdict {
	none := chipVerdict{Verdict: trust.NotAttempted, Lines: []string{}}
	laid, end := context.WithTimeout(ctx, wait)
	defer end()
	if err := reader.Connect(laid); err != nil {
		none.Reason = whyUnread(err)
		return none
	}
	begun := time.Now()
	within, stop := context.WithTimeout(ctx, wait)
	defer stop()
	got, err := chip.Read(within, chip.Config{
		Send: reader.Transmit, Key: key, Random: rand.Reader, Want: []chip.File{chip.DG1, chip.DG2},
	})
	a := none
	a.Access, _, _ = strings.Cut(string(got.Way), "-")
	a.Commands, a.Downgraded = got.Commands, got.Downgraded
	if err != nil && !errors.Is(err, chip.ErrClone) {
		a.Verdict, a.Reason = trust.Unreadable, whyUnread(err)
		a.Downgraded = a.Downgraded || errors.Is(err, chip.ErrDowngrade)
	} else {
		a.judge(got, store)
	}
	a.Millis = float64(time.Since(begun).Microseconds()) / 1000
	goodbye, left := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer left()
	_ = reader.Disconnect(goodbye) // the document may be gone, which is as good
	return a
}

// judge says what was read and what it is worth.
func (a *chipVerdict) judge(got chip.Reading, store *trust.Store) {
	evidence := emrtd.Evidence{Way: got.Way, Downgraded: got.Downgraded, Proof: got.Proof, Files: got.Files, At: time.Now()}
	fact, v, _ := evidence.Judge(store) // its error says no more than the verdict
	a.Verdict, a.Class, a.Reason = v.Word, v.Class, string(v.Reason)
	a.Downgraded, a.CloneExcluded = fact.Downgraded, v.Facts.CloneExcluded
	if lines, err := lds.MRZ(got.Files[chip.DG1]); err == nil {
		a.Lines = lines
	}
	if face, err := lds.Face(got.Files[chip.DG2]); err == nil {
		a.Portrait = len(face.Bytes)
	}
}

// whyUnread is why a chip was not read, in a word.
func whyUnread(err error) string {
	for _, known := range []struct {
		err  error
		word string
	}{
		{chip.ErrAuthentic, "not_authentic"}, // also where a second try ended otherwise
		{chip.ErrKey, "key_refused"},
		{chip.ErrDowngrade, "downgrade_refused"},
		{chip.ErrBudget, "too_large"},
		{chip.ErrProtocol, "makes_no_sense"},
	} {
		if errors.Is(err, known.err) {
			return known.word
		}
	}
	switch kind := devices.KindOf(err); kind {
	case devices.KindNone:
		return "refused_by_the_chip"
	case devices.Cancelled:
		return "no_document"
	default:
		return string(kind)
	}
}

// passiveCommand is "inspect passive".
func passiveCommand() *cobra.Command {
	return question{
		use: "passive", short: "Judge the files of a chip: passive authentication",
		long: `Judges files that a chip gave, in base64 under their names ("SOD", "DG1", "DG2" …),
by the authorities' certificates that are trusted and by revocation lists. A pass
says that a trusted authority's signer signed every file that is there. Without
"evaluate_at" the chip was read now.`,
		example: `  counterproofd inspect passive < case.json
  {"files_base64":{"SOD":"…","DG1":"…"},"trusted_csca_base64":["…"],"crls_base64":[],"evaluate_at":"2026-11-22T12:00:00Z"}`,
		answer: func() (answerer, error) { return passiveAnswer(time.Now()), nil },
	}.command()
}

// passiveInput is what one chip gave, and what is trusted.
type passiveInput struct {
	Files       map[string][]byte `json:"files_base64"`
	Authorities [][]byte          `json:"trusted_csca_base64"`
	CRLs        [][]byte          `json:"crls_base64"`
	At          string            `json:"evaluate_at"`
}

// passiveVerdict is the answer: the class is that of a failure, or "genuine", or
// "issuer_unknown".
type passiveVerdict struct {
	Verdict string `json:"verdict"` // pass or fail
	Class   string `json:"class"`
	Reason  string `json:"reason"`
}

// passiveAnswer judges chips; now is when they were read where an input does not
// say.
func passiveAnswer(now time.Time) answerer {
	return func(in json.RawMessage) (any, error) {
		var given passiveInput
		if err := decode(in, &given); err != nil {
			return nil, plainBase64(err)
		}
		if given.Files == nil {
			return nil, errors.New(`"files_base64" is missing: it has the chip's files under their names`)
		}
		at := now
		if given.At != "" {
			var err error
			if at, err = time.Parse(time.RFC3339, given.At); err != nil {
				return nil, errors.New(`"evaluate_at" is not a time of the form 2026-11-22T12:00:00Z`)
			}
		}
		return passiveWords(trust.Judge(trust.Evidence{
			Presence: trust.WasRead, Files: given.Files, Store: trust.Given(given.Authorities, given.CRLs), At: at,
		})), nil
	}
}

// plainBase64 says that a text is no base64, which the decoder says of a byte only.
func plainBase64(err error) error {
	if _, is := errors.AsType[base64.CorruptInputError](err); is {
		return errors.New("a text under files_base64, trusted_csca_base64 or crls_base64 is not base64")
	}
	return err
}

// passiveWords puts a verdict in the words of this command, which knows no verdict
// between pass and fail: what cannot be judged does not pass.
func passiveWords(v trust.Verdict) passiveVerdict {
	a := passiveVerdict{"fail", string(v.Class), string(v.Reason)}
	switch v.Word {
	case trust.Genuine, trust.CopyNotExcluded:
		return passiveVerdict{"pass", string(trust.Genuine), ""}
	case trust.IssuerUnknown:
		a.Class = string(trust.IssuerUnknown)
	case trust.Failed:
	default:
		a.Class = string(trust.IntegrityFailed)
		if v.Reason == trust.AlgorithmUnknown || v.Reason == trust.CertificateStrange {
			a.Class = string(trust.SignatureFailed)
		}
	}
	a.Reason = cmp.Or(a.Reason, string(v.Word))
	return a
}
