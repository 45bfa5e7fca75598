package parts

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/counterproof/counterproof/ui/look"
)

// Tone is the kind of a banner.
type Tone int

// The tones. The banner's title says the same in words.
const (
	Info Tone = iota
	Good
	Bad
)

// Banner is something that must be seen: a title and sentences with a thick edge
// on the left.
type Banner struct {
	widget.BaseWidget
	title string
	body  *fyne.Container
	edge  *canvas.Rectangle
	paper *canvas.Rectangle
}

// NewBanner makes a banner.
func NewBanner(tone Tone, title string, texts []string) *Banner {
	b := &Banner{title: title, edge: canvas.NewRectangle(toneColour(tone)), paper: canvas.NewRectangle(look.Paper)}
	all := []fyne.CanvasObject{NewHeading(title)}
	for _, t := range texts {
		all = append(all, NewText(t))
	}
	b.body = Column(all...)
	b.ExtendBaseWidget(b)
	return b
}

// toneColour is the edge's colour.
func toneColour(t Tone) color.NRGBA {
	return map[Tone]color.NRGBA{Info: look.Head, Good: look.Go, Bad: look.Stop}[t]
}

// Role is alert.
func (b *Banner) Role() Role { return RoleAlert }

// Label is the title.
func (b *Banner) Label() string { return b.title }

// States has none.
func (b *Banner) States() []string { return nil }

// Paddings of a banner.
const (
	bannerEdge = 8
	bannerPad  = 14
)

// HeightFor is the height in a width.
func (b *Banner) HeightFor(width float32) float32 {
	return heightFor(b.body, width-bannerEdge-2*bannerPad) + 2*bannerPad
}

// CreateRenderer draws the banner.
func (b *Banner) CreateRenderer() fyne.WidgetRenderer { return &bannerDrawing{b} }

type bannerDrawing struct{ b *Banner }

// Layout places the banner's parts.
func (d *bannerDrawing) Layout(s fyne.Size) {
	d.b.paper.Resize(s)
	d.b.edge.Resize(fyne.NewSize(bannerEdge, s.Height))
	d.b.body.Resize(fyne.NewSize(s.Width-bannerEdge-2*bannerPad, s.Height-2*bannerPad))
	d.b.body.Move(fyne.NewPos(bannerEdge+bannerPad, bannerPad))
}

// MinSize is narrow, since the text wraps.
func (d *bannerDrawing) MinSize() fyne.Size {
	return fyne.NewSize(200, d.b.HeightFor(max(d.b.Size().Width, 200)))
}

// Refresh draws again.
func (d *bannerDrawing) Refresh() { d.b.body.Refresh() }

// Objects are the banner's parts.
func (d *bannerDrawing) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{d.b.paper, d.b.edge, d.b.body}
}

// Destroy has nothing to let go.
func (d *bannerDrawing) Destroy() {}

// Picture is a picture with its label below. Until it has one it says why not.
type Picture struct {
	widget.BaseWidget
	label *Text
	empty *Text
	paper *canvas.Rectangle
	image *canvas.Image
	high  float32
}

// NewPicture makes a picture of a height without one; empty says why.
func NewPicture(label, empty string, high float32) *Picture {
	p := &Picture{label: NewBold(label), empty: NewText(empty), paper: canvas.NewRectangle(look.Paper), high: high}
	p.paper.StrokeColor, p.paper.StrokeWidth = look.Muted, 2
	p.image = &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleSmooth}
	p.image.Hide()
	p.ExtendBaseWidget(p)
	return p
}

// SetImage shows a picture; the size stays.
func (p *Picture) SetImage(img image.Image) {
	p.image.Image = img
	p.image.Show()
	p.empty.Hide()
	p.image.Refresh()
}

// Shown reports whether there is a picture.
func (p *Picture) Shown() bool { return p.image.Image != nil }

// Role is img.
func (p *Picture) Role() Role { return RoleImage }

// Label is what the picture shows.
func (p *Picture) Label() string { return p.label.Label() }

// States tells whether the picture is there.
func (p *Picture) States() []string {
	if p.Shown() {
		return nil
	}
	return []string{"busy"}
}

// HeightFor is the height in a width.
func (p *Picture) HeightFor(width float32) float32 { return p.high + 6 + p.label.HeightFor(width) }

// CreateRenderer draws the picture.
func (p *Picture) CreateRenderer() fyne.WidgetRenderer { return &pictureDrawing{p} }

type pictureDrawing struct{ p *Picture }

// Layout places the picture and its label.
func (d *pictureDrawing) Layout(s fyne.Size) {
	p := d.p
	p.paper.Resize(fyne.NewSize(s.Width, p.high))
	p.image.Resize(fyne.NewSize(s.Width-4, p.high-4))
	p.image.Move(fyne.NewPos(2, 2))
	high := p.empty.HeightFor(s.Width - 24)
	p.empty.Resize(fyne.NewSize(s.Width-24, high))
	p.empty.Move(fyne.NewPos(12, (p.high-high)/2))
	p.label.Resize(fyne.NewSize(s.Width, p.label.HeightFor(s.Width)))
	p.label.Move(fyne.NewPos(0, p.high+6))
}

// MinSize is narrow; the picture shrinks.
func (d *pictureDrawing) MinSize() fyne.Size {
	return fyne.NewSize(160, d.p.HeightFor(max(d.p.Size().Width, 160)))
}

// Refresh draws again.
func (d *pictureDrawing) Refresh() {
	d.p.image.Refresh()
	d.p.label.Refresh()
	d.p.empty.Refresh()
}

// Objects are the picture's parts.
func (d *pictureDrawing) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{d.p.paper, d.p.empty, d.p.image, d.p.label}
}

// Destroy has nothing to let go.
func (d *pictureDrawing) Destroy() {}
