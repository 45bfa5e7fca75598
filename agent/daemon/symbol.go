package daemon

import (
	"image"
	"time"

	"github.com/counterproof/counterproof/agent/barcode"
	"github.com/counterproof/counterproof/agent/proof"
)

// symbolWithin bounds the search in one frame of a running camera: the next
// frame comes soon.
const symbolWithin = 400 * time.Millisecond

// symbols reads the bar codes in a frame: that of a licence, or of a practice's
// letter, and whatever else is printed beside it.
func symbols(frame image.Image) []proof.EvidenceScanned {
	found, err := barcode.Read(frame, barcode.Options{
		Among: []barcode.Symbology{barcode.PDF417, barcode.QR, barcode.Code128}, Within: symbolWithin,
	})
	if err != nil {
		return nil
	}
	var out []proof.EvidenceScanned
	for _, s := range found {
		out = append(out, proof.EvidenceScanned{Symbology: string(s.Symbology), Text: s.Text})
	}
	return out
}
