// Package specimen makes documents of nobody: data pages, cards and visas with
// an invented person's details in print and in the machine-readable zone, and
// photographs of them as a counter's camera would take them, with the truth of
// what is where. Tests, training and the demonstration live on it.
//
// It never imitates a security feature and never draws a real state's document:
// every page says SPECIMEN in large letters, and its only art is a wave pattern.
//
// # The laws
//
//   - The same Options give the same pixels on every machine.
//   - Every person is invented here or by the caller; portraits come from the
//     caller or are a drawing.
//   - The truth comes from the geometry that made the picture, never from
//     reading it.
package specimen

import (
	"fmt"
	"image"
	"math/rand/v2"

	"github.com/counterproof/counterproof/agent/mrz"
)

// Condition is how a photograph was taken.
type Condition string

// The conditions. Mix is perspective, blur and glare together, each milder.
const (
	Clean       Condition = "clean"
	Blur        Condition = "blur"
	Motion      Condition = "motion"
	Perspective Condition = "perspective"
	Glare       Condition = "glare"
	JPEG        Condition = "jpeg" // compressed until blocks show
	LowLight    Condition = "lowlight"
	Mix         Condition = "mix"
)

// Conditions lists every Condition, the mildest first.
func Conditions() []Condition {
	return []Condition{Clean, Blur, Motion, Perspective, Glare, JPEG, LowLight, Mix}
}

// Options say what to make. The zero Options are a passport of an invented
// citizen of Utopia, photographed well.
type Options struct {
	Seed      uint64
	Format    mrz.Format // TD3 if empty
	Condition Condition  // Clean if empty
	// Width is the photograph's longer side in pixels, 1920 if 0.
	Width int
	// Turn is how far the camera was turned, in degrees clockwise: 0, 90, 180
	// or 270.
	Turn int
	// Severity scales what the Condition spoils; 1 if 0.
	Severity float64
	// Portrait goes into the photo box, filling it; a drawing if nil.
	Portrait image.Image
	// Person is whose document it is; invented by Seed if zero.
	Person Person
	// Lines are printed in the zone instead of the person's, to make a document
	// whose check digits are wrong. The alphabet of zones only.
	Lines []string
	// Font is the path of OCR-B; looked for on the machine if empty.
	Font string
}

// normal fills in what was left out.
func (o Options) normal() Options {
	if o.Format == "" {
		o.Format = mrz.TD3
	}
	if o.Condition == "" {
		o.Condition = Clean
	}
	if o.Width == 0 {
		o.Width = 1920
	}
	if o.Severity == 0 {
		o.Severity = 1
	}
	if o.Person == (Person{}) {
		o.Person = Invent(o.Seed, o.Format)
	}
	return o
}

// random is the source for one purpose; purposes do not disturb each other.
func (o Options) random(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(o.Seed, 0x636f756e746572<<8|purpose))
}

// The purposes of randomness.
const (
	forPerson = iota
	forPaper
	forCamera
	forSet
)

// Set yields n photographs' Options over all formats, conditions and widths
// from 640 to 3000 pixels. The same n and seed give the same set, and a longer
// set begins with the shorter one.
func Set(n int, seed uint64) []Options {
	formats := []mrz.Format{mrz.TD3, mrz.TD1, mrz.TD3, mrz.TD1, mrz.TD2, mrz.MRVA, mrz.TD3, mrz.MRVB}
	widths := []int{1280, 1920, 1024, 1600, 640, 2592, 800, 3000}
	out := make([]Options, n)
	for i := range out {
		round := i / len(formats)
		out[i] = Options{
			Seed:      seed<<20 | uint64(i),
			Format:    formats[i%len(formats)],
			Condition: Conditions()[round%len(Conditions())],
			Width:     widths[(5*i+round)%len(widths)],
		}
	}
	return out
}

// Name is a file name that tells what the photograph is of.
func (o Options) Name(number int) string {
	o = o.normal()
	return fmt.Sprintf("%04d_%s_%s_%d.jpg", number, o.Format, o.Condition, o.Width)
}
