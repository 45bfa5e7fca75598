package inspect

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/ocr"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/spf13/cobra"
)

// documentReading is what was read in one picture. Lines, format and score are
// of the best candidate, also where it was not accepted; fields are empty then,
// because they would be taken for true.
type documentReading struct {
	File      string         `json:"file"`
	Accepted  bool           `json:"accepted"`
	Lines     []string       `json:"lines"`
	Format    mrz.Format     `json:"format"`
	Score     float64        `json:"score"`
	Fields    map[string]any `json:"fields"`
	Guidance  []proof.Kind   `json:"guidance"`
	CPUMillis float64        `json:"cpu_millis"` // decoding and reading, of this process
}

// documentAnswer reads the machine-readable zone in picture files; today settles
// centuries. A file that is no picture is answered, with guidance that says so;
// only one that cannot be opened is an error.
func documentAnswer(r *ocr.Reader, today proof.Date) func(path string) (any, error) {
	return func(path string) (any, error) {
		raw, err := readPicture(path)
		if err != nil {
			return nil, err
		}
		start := cpuMillis()
		a := documentReading{File: path, Format: mrz.Unknown, Lines: []string{}, Fields: map[string]any{}, Guidance: []proof.Kind{}}
		img, err := capture.Decode(raw)
		if err != nil {
			a.Guidance = []proof.Kind{proof.KindOf(err)}
			return a, nil
		}
		read := r.Read(img, today)
		a.CPUMillis = cpuMillis() - start
		a.Accepted, a.Format, a.Score, a.Lines = read.Accepted, read.Format, read.Score, listOf(read.Lines)
		if read.Accepted {
			a.Fields = read.Document.Map()
		}
		a.Guidance = slices.Concat(a.Guidance, read.Guidance)
		return a, nil
	}
}

// readPicture reads a file up to one byte more than a picture may have, which is
// enough for it to be refused.
func readPicture(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a picture: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, capture.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading a picture: %w", err)
	}
	return raw, nil
}

// documentCommand is "inspect document".
func documentCommand() *cobra.Command {
	return &cobra.Command{
		Use: "document FILE…", Short: "Read the machine-readable zone in pictures",
		Long: `Reads the machine-readable zone in pictures (JPEG, PNG) of passports, cards and
visas. A picture in which none can be read is answered too, with what to change.`,
		Example: `  counterproofd inspect document passport.jpg`,
		Args:    strictly(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			r, err := ocr.NewReader()
			if err != nil {
				return fmt.Errorf("preparing the reader: %w", err)
			}
			return fileLines(files, cmd.OutOrStdout(), documentAnswer(r, today()))
		},
	}
}
