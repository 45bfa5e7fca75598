package strip

import "image"

// Finder finds lines. Its zero value is ready; it keeps its room for the next
// picture, so it serves one caller at a time.
type Finder struct {
	ink     inker
	working []uint8
}

// mostLines is how many lines of one direction are told.
const mostLines = 8

// Find looks for lines of evenly spaced characters in a copy of the picture that
// is scale times as large: characters of some 10 to 40 pixels in the copy are
// found. Lying lines run from left to right, standing ones from the bottom
// upwards; either may be upside down. The best come first, in pixels of the
// picture.
func (f *Finder) Find(g *image.Gray, scale float64) (lying, standing []Line) {
	if scale != 1 {
		small := resize(g, scale, f.working)
		f.working = small.Pix
		g = small
	}
	f.ink.smooth(g)
	height := g.Rect.Dy()
	for _, w := range windows {
		marks := f.ink.marks(g, w)
		lying = append(lying, findLines(marks)...)
		standing = append(standing, findLines(turned(marks, height))...)
	}
	for i := range standing {
		standing[i].Curve = standing[i].unturned(height)
	}
	return choose(lying, scale), choose(standing, scale)
}

// choose takes the best lines and scales them to the picture.
func choose(lines []Line, scale float64) []Line {
	lines = distinct(lines)
	lines = lines[:min(len(lines), mostLines)]
	for i := range lines {
		lines[i].Curve = lines[i].scaled(1 / scale)
	}
	return lines
}

// Reversed turns a line round: its first character becomes the last.
func (l Line) Reversed() Line {
	l.Curve = l.Curve.Reversed()
	l.From, l.To = -l.To, -l.From
	return l
}
