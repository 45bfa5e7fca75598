package face

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// Trial measures a matcher on a set of pictures. Each picture's template is made
// once and stays inside; only scores come out. It is not for visits.
type Trial struct {
	engine *Engine
	items  []sample
}

// sample is a picture of a trial.
type sample struct {
	faces    int
	quality  Quality
	template template // nil without a face
}

// Format keeps the templates out of logs, whatever the verb.
func (Trial) Format(f fmt.State, _ rune) { fmt.Fprint(f, "face trial") }

// Trial begins a measurement; it asks for the Consent of Measuring. Close it.
func (e *Engine) Trial(c Consent) (*Trial, error) {
	if !c.measure {
		return nil, &proof.Error{Op: "measuring a matcher", Kind: proof.KindNoConsent}
	}
	if !e.Available() {
		return nil, unavailable(errNeverOpened)
	}
	return &Trial{engine: e}, nil
}

// Add takes in a picture and gives its number, counting from 0, with how many
// faces of comparable size it has. Of several the main one is measured: test
// sets name one person a picture.
func (t *Trial) Add(img image.Image) (number, faces int, err error) {
	var s sample
	e := t.engine
	err = e.with(img, func(p *picture) error {
		found, err := e.find(p)
		if err != nil || len(found) == 0 {
			return err
		}
		s.faces, s.quality = len(found), e.judge(p, found[0]).Quality
		s.template, err = e.nets.embed(p, &found[0])
		return err
	})
	if err != nil && !errors.Is(err, errNoTemplate) {
		return 0, 0, err
	}
	t.items = append(t.items, s)
	return len(t.items) - 1, s.faces, nil
}

// AddNobody takes in a picture that cannot be looked at and gives its number: it
// shows no face.
func (t *Trial) AddNobody() (number int) {
	t.items = append(t.items, sample{})
	return len(t.items) - 1
}

// Compare compares two pictures of the trial by their numbers. Unlike a visit's
// comparison it has a score also where a picture shows several faces; the
// decision then is still that there are several.
func (t *Trial) Compare(i, j int) Comparison {
	a, b := t.items[i], t.items[j]
	c := Comparison{
		Faces: [2]int{a.faces, b.faces}, Quality: [2]Quality{a.quality, b.quality}, Profile: t.engine.profile.Name,
	}
	if c.Decision = countDecision(c.Faces); c.Decision == proof.NoFace {
		return c
	}
	if a.template == nil || b.template == nil {
		c.Decision = proof.NoFace
		return c
	}
	c.Score = t.engine.profile.score(a.template, b.template)
	if c.Decision == "" {
		c.Decision = t.engine.profile.Thresholds.Decide(c.Score)
	}
	return c
}

// Strangers is what a matcher does with people who are not the same.
type Strangers struct {
	Pairs     int     // that were scored
	Threshold float64 // the least score with no more false matches than asked for
	Rate      float64 // of false matches at Threshold, as measured
}

// Strangers scores every pair of pictures of different people, people[i] being
// the person on picture i, and gives the threshold at which at most the share
// rate of them matches. Pictures without a face are in no pair. The threshold is
// +Inf without a pair.
func (t *Trial) Strangers(people []int, rate float64) Strangers {
	pairs := 0
	t.eachStranger(people, func(int, int) { pairs++ })
	if pairs == 0 {
		return Strangers{Threshold: math.Inf(1)}
	}
	most := min(pairs-1, int(float64(pairs)*rate))
	top := make([]float64, 0, 2*(most+1))
	floor := math.Inf(-1)
	t.eachStranger(people, func(i, j int) {
		s := t.engine.profile.score(t.items[i].template, t.items[j].template)
		if s < floor {
			return
		}
		if top = append(top, s); len(top) == cap(top) {
			top = highest(top, most+1)
			floor = top[most]
		}
	})
	top = highest(top, most+1)
	above := math.Nextafter(top[most], math.Inf(1))
	matches := 0
	for _, s := range top {
		if s >= above {
			matches++
		}
	}
	return Strangers{Pairs: pairs, Threshold: above, Rate: float64(matches) / float64(pairs)}
}

// highest sorts scores, the highest first, and keeps so many.
func highest(scores []float64, keep int) []float64 {
	slices.SortFunc(scores, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	return scores[:min(keep, len(scores))]
}

// eachStranger visits the pairs of different people that have a template.
func (t *Trial) eachStranger(people []int, visit func(i, j int)) {
	for i, a := range t.items {
		if a.template == nil {
			continue
		}
		for j := range i {
			if people[i] != people[j] && t.items[j].template != nil {
				visit(i, j)
			}
		}
	}
}

// Close overwrites the templates.
func (t *Trial) Close() {
	for _, s := range t.items {
		s.template.wipe()
	}
	t.items = nil
}
