package daemon

import (
	"image"
	"time"

	"github.com/counterproof/counterproof/agent/barcode"
)

// symbolWithin bounds the search in one frame of a running camera: the next
// frame comes soon.
const symbolWithin = 400 * time.Millisecond

// symbol reads the first bar code in a frame: that of a licence, or of a
// practice's letter.
func symbol(frame image.Image) (symbology, text string, found bool) {
	symbols, err := barcode.Read(frame, barcode.Options{
		Among: []barcode.Symbology{barcode.PDF417, barcode.QR, barcode.Code128}, Within: symbolWithin,
	})
	if err != nil || len(symbols) == 0 {
		return "", "", false
	}
	return string(symbols[0].Symbology), symbols[0].Text, true
}
