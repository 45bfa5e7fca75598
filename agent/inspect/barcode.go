package inspect

import (
	"encoding/hex"
	"fmt"

	"github.com/counterproof/counterproof/agent/barcode"
	"github.com/counterproof/counterproof/agent/capture"
	"github.com/spf13/cobra"
)

// barcodeReading is what was read in one picture.
type barcodeReading struct {
	File    string          `json:"file"`
	Symbols []barcodeSymbol `json:"symbols"` // from top to bottom; empty where none was read
}

// barcodeSymbol is one symbol of a picture.
type barcodeSymbol struct {
	Symbology barcode.Symbology `json:"symbology"`
	Text      string            `json:"text"`
	BytesHex  string            `json:"bytes_hex"` // the content as the symbol holds it
}

// barcodeAnswer reads the symbols in a picture file. A file that is no picture
// is an error: an answer without symbols would say that it was looked at.
func barcodeAnswer(path string) (any, error) {
	raw, err := readPicture(path)
	if err != nil {
		return nil, err
	}
	img, err := capture.Decode(raw)
	if err != nil {
		return nil, err
	}
	found, err := barcode.Read(img, barcode.Options{})
	if err != nil {
		return nil, fmt.Errorf("reading a picture: %w", err)
	}
	a := barcodeReading{File: path, Symbols: []barcodeSymbol{}}
	for _, s := range found {
		a.Symbols = append(a.Symbols, barcodeSymbol{s.Symbology, s.Text, hex.EncodeToString(s.Bytes)})
	}
	return a, nil
}

// barcodeCommand is "inspect barcode".
func barcodeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "barcode FILE…", Short: "Read the barcodes in pictures",
		Long: fmt.Sprintf(`Reads the symbols in pictures (JPEG, PNG) of licences and letters, each content
once, from top to bottom: as text, and as the bytes that the symbol holds.
This build finds %v.`, barcode.Offered()),
		Example: `  counterproofd inspect barcode licence-back.jpg letter.png`,
		Args:    strictly(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			return fileLines(files, cmd.OutOrStdout(), barcodeAnswer)
		},
	}
}
