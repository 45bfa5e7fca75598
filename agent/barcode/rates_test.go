package barcode

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// mild is a photograph as a patient clerk takes it: a few degrees askew, a
// little blurred and noisy, JPEG of quality 70. A licence fills most of it.
func mild(r *rand.Rand, d drawing) shot {
	w, _ := d.size()
	s := shot{w: []int{1280, 1600, 1920, 2304}[r.IntN(4)], seed: r.Uint64(), quality: 70}
	s.module = between(r, 3, 5)
	if w > 150 {
		s.module = between(r, 0.55, 0.8) * float64(s.w) / w
	}
	s.blur = between(r, 0.2, 0.4) * s.module
	s.noise = between(r, 2, 6)
	return s.askew(r, 6, 0.05)
}

// hard is one taken in haste.
func hard(r *rand.Rand, d drawing) shot {
	w, _ := d.size()
	s := shot{w: []int{1280, 1600, 1920}[r.IntN(3)], seed: r.Uint64(), quality: 50}
	s.module = between(r, 2, 4)
	s.blur = between(r, 0.4, 0.65) * s.module
	if w > 150 {
		s.module = between(r, 0.5, 0.75) * float64(s.w) / w
		s.blur = between(r, 0.35, 0.55) * s.module
	}
	s.noise = between(r, 4, 10)
	return s.askew(r, 20, 0.1)
}

// coarse is a page at 200 dots per inch: 2 pixels to a module of a quarter of a
// millimetre, as licences and letters have.
func coarse(r *rand.Rand, _ drawing) shot {
	s := shot{w: 1280, seed: r.Uint64(), quality: 70, module: between(r, 1.9, 2.2)}
	s.blur = between(r, 0.25, 0.4) * s.module
	s.noise = between(r, 2, 5)
	return s.askew(r, 6, 0.03)
}

// askew turns and moves a shot at random.
func (s shot) askew(r *rand.Rand, degrees, lean float64) shot {
	s.h = s.w * 3 / 4
	s.tilt = between(r, -degrees, degrees) * math.Pi / 180
	s.lean = between(r, -lean, lean)
	s.offX = between(r, -0.1, 0.1) * float64(s.w)
	s.offY = between(r, -0.15, 0.15) * float64(s.h)
	return s
}

// series takes n photographs of a symbol, always the same ones.
func series(tb testing.TB, d drawing, n int, how func(*rand.Rand, drawing) shot) []image.Image {
	tb.Helper()
	r := rand.New(rand.NewPCG(11, uint64(len(d.modules[0]))))
	var all []image.Image
	for range n {
		all = append(all, how(r, d).take(tb, d))
	}
	return all
}

// TestReadsPhotographs holds what is read of mild photographs; nothing else may
// be read in any of them.
func TestReadsPhotographs(t *testing.T) {
	t.Parallel()
	const n = 3
	least := map[Symbology]int{Aztec: 2} // its middle is lost in blur first
	for _, want := range samples(t) {
		pictures := series(t, want.d, n, mild)
		for name, e := range engines() {
			if e.offers()&setOf(want.kind) == 0 {
				continue
			}
			read := 0
			for i, img := range pictures {
				found := mustRead(t, e, img)
				if says(found, want) {
					read++
				} else if len(found) > 0 {
					t.Errorf("%s/%s/%d: got %s", name, want.kind, i, brief(found))
				}
			}
			bound, ok := least[want.kind]
			if !ok {
				bound = n
			}
			if read < bound {
				t.Errorf("%s/%s: %d of %d read, want %d", name, want.kind, read, n, bound)
			}
		}
	}
}

// BenchmarkRates tells how many of 24 photographs are read, and how many say
// something wrong, of each kind and engine.
func BenchmarkRates(b *testing.B) {
	sets := map[string]func(*rand.Rand, drawing) shot{"mild": mild, "hard": hard, "200dpi": coarse}
	for set, how := range sets {
		for _, want := range samples(b) {
			pictures := series(b, want.d, 24, how)
			for name, e := range engines() {
				if e.offers()&setOf(want.kind) == 0 {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s/%s", set, want.kind, name), func(b *testing.B) {
					read, wrong, all := 0, 0, 0
					for b.Loop() {
						for _, img := range pictures {
							found := mustRead(b, e, img)
							all++
							if says(found, want) {
								read++
							} else if len(found) > 0 {
								wrong++
							}
						}
					}
					b.ReportMetric(24*float64(read)/float64(all), "read/24")
					b.ReportMetric(24*float64(wrong)/float64(all), "wrong/24")
					b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(all), "ms/picture")
				})
			}
		}
	}
}

// BenchmarkRead reads a picture of 1280 × 960 pixels with one symbol in it, or
// with none.
func BenchmarkRead(b *testing.B) {
	pictures := map[string]image.Image{"nothing": shot{w: 1280, h: 960, module: 4, noise: 5, seed: 3}.take(b, drawing{modules: [][]bool{{false}}})}
	for _, one := range samples(b) {
		s := shot{w: 1280, h: 960, module: 4, tilt: 0.05, blur: 1, noise: 3, quality: 70, seed: 5}
		if one.kind == PDF417 {
			s.module = 3.2
		}
		pictures[string(one.kind)] = s.take(b, one.d)
	}
	for kind, img := range pictures {
		for name, e := range engines() {
			b.Run(kind+"/"+name, func(b *testing.B) {
				for b.Loop() {
					mustRead(b, e, img)
				}
			})
		}
	}
}
