package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/ocr/specimen"
	"github.com/spf13/cobra"
)

// specimenTruth is what is true of one photograph that was made.
type specimenTruth struct {
	File      string             `json:"file"`
	Lines     []string           `json:"lines"`
	Format    mrz.Format         `json:"format"`
	Condition specimen.Condition `json:"condition"`
	Pitch     float64            `json:"pitch"` // pixels a character
	Zone      [4][2]float64      `json:"zone"`  // corners of the zone in pixels, from the upper left, clockwise
}

// truthFile lists the truths, one a line.
const truthFile = "truth.json"

// mostSpecimens bounds one run of "inspect specimen".
const mostSpecimens = 10_000

// specimenCommandFiles makes n photographs of documents of nobody in a folder,
// over all formats and conditions, and writes what is true of them beside them.
func specimenCommandFiles(dir string, n int, seed uint64) (err error) {
	if n < 1 || n > mostSpecimens {
		return &NotUnderstood{"--count", fmt.Errorf("it is not between 1 and %d", mostSpecimens)}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	truths, err := os.Create(filepath.Join(dir, truthFile))
	if err != nil {
		return fmt.Errorf("writing the truths: %w", err)
	}
	defer func() { err = errors.Join(err, truths.Close()) }()
	enc := json.NewEncoder(truths)
	enc.SetEscapeHTML(false)
	for i, o := range specimen.Set(n, seed) {
		truth, err := makeSpecimen(dir, o.Name(i), o)
		if err != nil {
			return err
		}
		if err := enc.Encode(truth); err != nil {
			return fmt.Errorf("writing the truths: %w", err)
		}
	}
	return nil
}

// makeSpecimen makes one photograph.
func makeSpecimen(dir, name string, o specimen.Options) (specimenTruth, error) {
	page, err := specimen.Page(o)
	if err != nil {
		return specimenTruth{}, fmt.Errorf("making a document: %w", err)
	}
	photo, err := specimen.Photograph(page, o)
	if err != nil {
		return specimenTruth{}, fmt.Errorf("photographing it: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), photo.JPEG, 0o644); err != nil {
		return specimenTruth{}, fmt.Errorf("writing a photograph: %w", err)
	}
	return specimenTruth{name, photo.Lines, photo.Format, photo.Condition, photo.Pitch, photo.Zone}, nil
}

// specimenCommand is "inspect specimen".
func specimenCommand() *cobra.Command {
	dir, count, seed := "", 64, uint64(1)
	cmd := &cobra.Command{
		Use: "specimen", Short: "Make photographs of documents of nobody",
		Long: `Makes photographs of passports, cards and visas of invented people, over all
formats and conditions, and ` + truthFile + ` beside them: one object a line with the file's
name, the lines of its zone, the format and the condition. The same seed makes
the same photographs. Needs the package fonts-ocr-b.`,
		Example: `  counterproofd inspect specimen --out specimens --count 64 --seed 1`,
		Args:    strictly(cobra.NoArgs),
		RunE:    func(*cobra.Command, []string) error { return specimenCommandFiles(dir, count, seed) },
	}
	cmd.Flags().StringVar(&dir, "out", "specimens", "folder to write to")
	cmd.Flags().IntVar(&count, "count", count, "how many photographs")
	cmd.Flags().Uint64Var(&seed, "seed", seed, "which photographs")
	return cmd
}
