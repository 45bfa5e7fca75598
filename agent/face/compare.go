package face

import (
	"errors"
	"fmt"
	"image"

	"github.com/counterproof/counterproof/agent/proof"
)

// Consent lets faces be compared. There are two ways to one: Given names the
// event of a visit in which the patient agreed, Measuring is for test sets. The
// zero Consent is none.
type Consent struct {
	event   int
	measure bool
}

// Given is the consent that a visit's event states, by the event's Seq, which
// counts from 1. It is for the program part that has read that event.
func Given(event int) Consent { return Consent{event: event} }

// Measuring is for pictures outside any visit, whose use for measuring a matcher
// is lawful. It opens a Trial and compares nobody at a counter.
func Measuring() Consent { return Consent{measure: true} }

// Comparison is what comparing two pictures came to.
type Comparison struct {
	// Score is the mean over the embedders of how far the cosine of the two
	// templates is above that of strangers, in their standard deviations. It is 0
	// where nothing was compared.
	Score    float64
	Decision proof.FaceDecision
	Faces    [2]int     // how many faces of comparable size each picture has
	Quality  [2]Quality // of the main face; zero where there is none
	Profile  string     // that the thresholds are from
}

// Compare compares the one face of a with the one face of b. A picture without
// a face, or with two of comparable size, is an answer and no error; nothing is
// compared then. Errors carry a proof.Kind: KindNoConsent, KindFaceUnavailable
// or what is wrong with a picture.
func (e *Engine) Compare(c Consent, a, b image.Image) (Comparison, error) {
	if c.event < 1 || c.measure {
		return Comparison{}, &proof.Error{Op: "comparing faces", Kind: proof.KindNoConsent}
	}
	var out Comparison
	var first, second template
	defer func() { first.wipe(); second.wipe() }()
	for i, img := range []image.Image{a, b} {
		t, err := e.templateOf(img, &out, i)
		if err != nil {
			return Comparison{}, err
		}
		first, second = second, t
	}
	out.Profile = e.profile.Name
	if out.Decision = countDecision(out.Faces); out.Decision == "" {
		out.Score = e.profile.score(first, second)
		out.Decision = e.profile.Thresholds.Decide(out.Score)
	}
	return out, nil
}

// templateOf looks at picture i of a comparison; the template is nil unless
// there is one face.
func (e *Engine) templateOf(img image.Image, out *Comparison, i int) (template, error) {
	var t template
	err := e.with(img, func(p *picture) error {
		found, err := e.find(p)
		if err != nil || len(found) == 0 {
			return err
		}
		out.Faces[i], out.Quality[i] = len(found), e.judge(p, found[0]).Quality
		if len(found) == 1 {
			t, err = e.nets.embed(p, &found[0])
		}
		return err
	})
	if errors.Is(err, errNoTemplate) {
		out.Faces[i], err = 0, nil
	}
	return t, err
}

// countDecision is the decision where the number of faces already tells it.
func countDecision(faces [2]int) proof.FaceDecision {
	switch {
	case min(faces[0], faces[1]) == 0:
		return proof.NoFace
	case max(faces[0], faces[1]) > 1:
		return proof.ManyFaces
	}
	return ""
}

// template is a face as numbers: of each embedder a list of length one. It has
// no exported form and no text form.
type template [][]float32

// Format keeps a template out of logs, whatever the verb.
func (template) Format(f fmt.State, _ rune) { fmt.Fprint(f, "face template") }

// wipe overwrites a template.
func (t template) wipe() {
	for _, part := range t {
		clear(part)
	}
}

// score compares two templates of the profile's embedders.
func (p *Profile) score(a, b template) float64 {
	sum := 0.0
	for i, e := range p.Embedders {
		sum += (cosine(a[i], b[i]) - e.Strangers.Mean) / e.Strangers.Deviation
	}
	return sum / float64(len(p.Embedders))
}

// cosine of two lists of length one.
func cosine(a, b []float32) float64 {
	sum := float32(0)
	for i, x := range a {
		sum += x * b[i]
	}
	return float64(sum)
}
