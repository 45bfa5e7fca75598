package ocr

import (
	"image"
	"image/draw"
	"math"

	"github.com/counterproof/counterproof/agent/mrz"
)

// zoneBox is where the portrait may be, in millimetres from the upper left
// corner of the zone's characters: x to the right, y upwards.
type zoneBox struct{ left, right, bottom, top float64 }

// portraitBox gives the place of the portrait with room around it. The zone
// begins about 6 mm from the left edge of every document. On ID-3 and ID-2 pages
// and visas the portrait stands at the left above the zone and is at most 35 by
// 45 mm (ICAO 9303-4 §4.1, 9303-6, 9303-7). Cards of ID-1 size mostly carry the
// zone on their back, where there is no portrait (ICAO 9303-5); those that have
// both show it at the left.
func portraitBox(f mrz.Format) (zoneBox, bool) {
	switch f {
	case mrz.TD3, mrz.MRVA:
		return zoneBox{-10, 44, 0.5, 66}, true
	case mrz.TD2, mrz.MRVB, mrz.FRID:
		return zoneBox{-10, 40, 0.5, 54}, true
	case mrz.TD1:
		return zoneBox{-8, 29, 0.5, 34}, true
	case mrz.DL30: // the same place on the card, above one line
		return zoneBox{-8, 29, 10, 46}, true
	}
	return zoneBox{}, false
}

// onPage is the plane of the page: a millimetre to the right and one upwards, in
// pixels, and the zone's upper left corner.
type onPage struct{ x, y, rightX, rightY, upX, upY float64 }

// page finds the plane from the zone's corners. The zone is a narrow strip, so
// how the page leans away from the camera cannot be told from it: a right angle
// and equal scales are taken, and portraitBox has room for the difference.
func page(r Reading) (onPage, bool) {
	lines := r.Format.Lines()
	if len(lines) == 0 || len(r.Lines) == 0 {
		return onPage{}, false
	}
	const pitch = 2.54 // millimetres
	width := float64(lines[0]) * pitch
	top := r.Corners[1].Sub(r.Corners[0])
	o := onPage{
		x: float64(r.Corners[0].X), y: float64(r.Corners[0].Y),
		rightX: float64(top.X) / width, rightY: float64(top.Y) / width,
	}
	o.upX, o.upY = o.rightY, -o.rightX
	return o, math.Hypot(o.rightX, o.rightY) > 0.5
}

// at is a place of the page in pixels.
func (o onPage) at(right, up float64) (x, y float64) {
	return o.x + right*o.rightX + up*o.upX, o.y + right*o.rightY + up*o.upY
}

// PortraitZone is the part of a picture that holds the document's portrait, with
// room around it, as an upright rectangle of the picture; bounds are the
// picture's. It is empty where no zone was found or the format has no portrait
// beside it. Nothing says that a portrait is there: on cards of ID-1 size it is
// mostly on the other side.
func PortraitZone(r Reading, bounds image.Rectangle) image.Rectangle {
	box, ok := portraitBox(r.Format)
	o, found := page(r)
	if !ok || !found {
		return image.Rectangle{}
	}
	var out image.Rectangle
	for _, c := range [...][2]float64{{box.left, box.bottom}, {box.right, box.bottom}, {box.left, box.top}, {box.right, box.top}} {
		x, y := o.at(c[0], c[1])
		out = grow(out, x, y)
	}
	return out.Add(bounds.Min).Intersect(bounds)
}

// grow takes a place into a rectangle.
func grow(r image.Rectangle, x, y float64) image.Rectangle {
	p := image.Pt(int(math.Floor(x)), int(math.Floor(y)))
	cell := image.Rectangle{p, p.Add(image.Pt(1, 1))}
	return r.Union(cell)
}

// Bounds of a cut-out portrait.
const (
	leastPortrait = 64   // pixels, its shorter side; less shows no face
	mostPortrait  = 1200 // pixels, its longer side
)

// Portrait cuts the portrait out of the picture that was read, turned upright
// and at the picture's own scale. ok is false where there is no place for one or
// it lies mostly outside the picture. What is cut out may hold no face.
func Portrait(img image.Image, r Reading) (cut image.Image, ok bool) {
	zone := PortraitZone(r, img.Bounds())
	box, known := portraitBox(r.Format)
	o, found := page(r)
	if !known || !found || zone.Empty() {
		return nil, false
	}
	scale := math.Hypot(o.rightX, o.rightY)
	scale = min(scale, mostPortrait/max(box.right-box.left, box.top-box.bottom))
	w, h := int((box.right-box.left)*scale), int((box.top-box.bottom)*scale)
	// A box turned by half a right angle covers half of the rectangle around it.
	if min(w, h) < leastPortrait || zone.Dx()*zone.Dy() < w*h/2 {
		return nil, false
	}
	out, src := image.NewRGBA(image.Rect(0, 0, w, h)), image.NewRGBA(zone)
	draw.Draw(src, zone, img, zone.Min, draw.Src)
	origin := zone.Min.Sub(img.Bounds().Min)
	for y := range h {
		for x := range w {
			px, py := o.at(box.left+(float64(x)+0.5)/scale, box.top-(float64(y)+0.5)/scale)
			blend(src, px-float64(origin.X), py-float64(origin.Y), out.Pix[y*out.Stride+4*x:][:4])
		}
	}
	return out, true
}

// blend is the colour of a place between pixels, counted from the picture's
// corner; beyond the picture its border goes on.
func blend(img *image.RGBA, x, y float64, out []uint8) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	x, y = min(max(x, 0), float64(w-1)), min(max(y, 0), float64(h-1))
	ix, iy := int(x), int(y)
	ax, ay := x-float64(ix), y-float64(iy)
	right, down := min(1, w-1-ix)*4, min(1, h-1-iy)*img.Stride
	p := img.Pix[iy*img.Stride+4*ix:]
	for c := range out {
		upper := float64(p[c])*(1-ax) + float64(p[right+c])*ax
		lower := float64(p[down+c])*(1-ax) + float64(p[down+right+c])*ax
		out[c] = uint8(upper*(1-ay) + lower*ay + 0.5)
	}
}
