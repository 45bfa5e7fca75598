// Package print turns a slip into what a printer takes: ESC/POS for receipt
// printers, PDF for others, or plain text. It is the one door to the PDF module.
//
// It chooses no words, stores nothing and talks to no device.
//
// # The laws
//
//   - Nothing is printed that the slip does not say.
//   - A job's title carries no personal data: it shows in the print queue.
//   - The same slip gives the same bytes.
package print

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"github.com/counterproof/counterproof/agent/slip"
	"github.com/counterproof/counterproof/devices"
)

// Job lays a slip out in the first kind that a printer accepts and we can make.
// A printer that takes none of them is a Fault of Kind Unsupported; one that
// accepts nothing at all is missing.
func Job(accepts []devices.JobKind, lines []slip.Line) (devices.Job, error) {
	if len(accepts) == 0 {
		return devices.Job{}, &devices.Fault{Op: "printing a slip", Kind: devices.Missing}
	}
	job := devices.Job{Title: "slip"}
	for _, kind := range accepts {
		job.Kind = kind
		var err error
		switch kind {
		case devices.ESCPOS:
			job.Data = ESCPOS(lines)
		case devices.Text:
			job.Data = []byte(strings.Join(slip.Text(lines), "\n") + "\n")
		case devices.PDF:
			job.Data, err = PDF(lines)
		default:
			continue
		}
		return job, err
	}
	return devices.Job{}, &devices.Fault{Op: "printing a slip", Kind: devices.Unsupported}
}

// ESC/POS commands (Epson ESC/POS Application Programming Guide).
var (
	escInit   = []byte{0x1b, '@'}
	escCentre = []byte{0x1b, 'a', 1}
	escLeft   = []byte{0x1b, 'a', 0}
	escSize   = []byte{0x1d, '!'}     // then width and height, less one, a nibble each
	escLatin1 = []byte{0x1b, 't', 16} // WPC1252
	escCut    = []byte{0x1d, 'V', 66, 0}
)

// sizes are the character sizes of the styles.
var sizes = map[slip.Style]byte{slip.Head: 0x10, slip.Big: 0x11}

// ESCPOS lays a slip out for a receipt printer of 42 columns.
func ESCPOS(lines []slip.Line) []byte {
	b := slices.Concat(escInit, escLatin1)
	for _, l := range lines {
		text := l.Text
		align := escLeft
		switch l.Style {
		case slip.Rule:
			text = strings.Repeat("-", slip.Width)
		case slip.Head, slip.Big:
			align = escCentre
		}
		b = slices.Concat(b, align, escSize, []byte{sizes[l.Style]}, latin1(text), []byte("\n"))
	}
	return slices.Concat(b, []byte("\n\n"), escCut)
}

// latin1 writes text in the printer's code page. Welsh ŵ and ŷ are not in it and
// lose their roof rather than the letter.
func latin1(s string) []byte {
	s = strings.NewReplacer("ŵ", "w", "ŷ", "y", "Ŵ", "W", "Ŷ", "Y", "’", "'").Replace(s)
	out := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r == '\n' || r >= 0x20 && r < 0x7f || r >= 0xa0 && r <= 0xff:
			out = append(out, byte(r))
		default:
			out = append(out, '?')
		}
	}
	return out
}

// Measures of the page in millimetres and points: an A6 card, large print.
const (
	pageWidth  = 105.0
	pageHeight = 148.0
	margin     = 8.0
	pointPlain = 11.0
	pointHead  = 15.0
	pointBig   = 24.0
)

// PDF lays a slip out as one A6 page or more, in the PDF standard's own font
// Helvetica, which every printer has.
func PDF(lines []slip.Line) ([]byte, error) {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: pageWidth, Ht: pageHeight}})
	doc.SetCreationDate(time.Unix(0, 0).UTC()) // the same slip gives the same bytes
	doc.SetModificationDate(time.Unix(0, 0).UTC())
	doc.SetCatalogSort(true) // otherwise fonts come in any order
	doc.SetTitle("slip", true)
	doc.SetMargins(margin, margin, margin)
	doc.SetAutoPageBreak(true, margin)
	doc.AddPage()
	for _, l := range lines {
		pdfLine(doc, l)
	}
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		return nil, fmt.Errorf("laying out a slip as PDF: %w", err)
	}
	return b.Bytes(), nil
}

// pdfLine writes one line.
func pdfLine(doc *fpdf.Fpdf, l slip.Line) {
	points, style, align := pointPlain, "", "L"
	switch l.Style {
	case slip.Rule:
		y := doc.GetY() + 2
		doc.Line(margin, y, pageWidth-margin, y)
		doc.SetY(y + 2)
		return
	case slip.Space:
		doc.Ln(3)
		return
	case slip.Head:
		points, style, align = pointHead, "B", "C"
	case slip.Big:
		points, style, align = pointBig, "B", "C"
	}
	doc.SetFont("Helvetica", style, points)
	doc.CellFormat(0, points*0.5, string(latin1(l.Text)), "", 1, align, false, 0, "")
}
