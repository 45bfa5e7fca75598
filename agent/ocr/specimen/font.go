package specimen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
)

// fontFile is OCR-B as Debian's package fonts-ocr-b installs it.
const fontFile = "/usr/share/fonts/opentype/ocr-b/OCRB.otf"

// fontFolders are searched for the same file where it is not in its place.
var fontFolders = [...]string{
	"/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts",
}

// fontNames are the files that hold OCR-B, best first.
var fontNames = [...]string{"OCRB.otf", "OCRBS.otf", "OCRBE.otf", "OCR-B.otf", "OCRB.ttf", "ocrb.ttf"}

// zoneAlphabet is what a machine-readable zone is written in.
const zoneAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// ErrNoFont is the answer where OCR-B is not installed.
var ErrNoFont = errors.New("the typeface OCR-B is not installed: install the package fonts-ocr-b, or name its file")

// openZoneFont loads OCR-B from path, or from where it is installed if path is
// empty.
func openZoneFont(path string) (*sfnt.Font, error) {
	if path == "" {
		found, err := findFont()
		if err != nil {
			return nil, err
		}
		path = found
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the typeface of machine-readable zones: %w", err)
	}
	return parseZoneFont(raw)
}

// parseZoneFont checks that every character of the zone can be drawn.
func parseZoneFont(raw []byte) (*sfnt.Font, error) {
	mended, err := spellOutFlex(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the typeface of machine-readable zones: %w", err)
	}
	f, err := opentype.Parse(mended)
	if err != nil {
		return nil, fmt.Errorf("reading the typeface of machine-readable zones: %w", err)
	}
	var buf sfnt.Buffer
	for _, r := range zoneAlphabet {
		g, err := f.GlyphIndex(&buf, r)
		if err != nil || g == 0 {
			return nil, fmt.Errorf("the typeface has no %q: %w", r, errFont)
		}
		if _, err := f.LoadGlyph(&buf, g, 64<<6, nil); err != nil {
			return nil, fmt.Errorf("the typeface cannot draw %q: %w", r, err)
		}
	}
	return f, nil
}

// findFont looks for OCR-B in its place, then in the folders of the machine.
func findFont() (string, error) {
	if _, err := os.Stat(fontFile); err == nil {
		return fontFile, nil
	}
	home, _ := os.UserHomeDir()
	for _, dir := range fontFolders {
		if dir[0] == '~' {
			if home == "" {
				continue
			}
			dir = filepath.Join(home, dir[1:])
		}
		if path := findIn(dir); path != "" {
			return path, nil
		}
	}
	return "", ErrNoFont
}

// findIn searches one folder and those below; a folder that cannot be read has
// no fonts.
func findIn(dir string) string {
	best, rank := "", len(fontNames)
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		for i, name := range fontNames[:rank] {
			if d.Name() == name {
				best, rank = path, i
			}
		}
		return nil
	})
	return best
}

// faces are the typefaces of one document, at its scale.
type faces struct {
	zone         *sfnt.Font
	plain, heavy *sfnt.Font
}

// openFaces loads OCR-B and the faces of the printed fields, which are part of
// this program.
func openFaces(path string) (faces, error) {
	zone, err := openZoneFont(path)
	if err != nil {
		return faces{}, err
	}
	plain, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return faces{}, fmt.Errorf("reading the typeface of printed fields: %w", err)
	}
	heavy, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return faces{}, fmt.Errorf("reading the typeface of printed fields: %w", err)
	}
	return faces{zone, plain, heavy}, nil
}

// sized makes a face of a height in pixels.
func sized(f *sfnt.Font, px float64) (font.Face, error) {
	return opentype.NewFace(f, &opentype.FaceOptions{Size: px, DPI: 72, Hinting: font.HintingNone})
}
