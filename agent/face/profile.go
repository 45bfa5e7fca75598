package face

import (
	"bytes"
	_ "embed" // the built-in profile
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/counterproof/counterproof/agent/proof"
)

// Default is the name of the built-in profile.
const Default = "lfw-1"

//go:embed profiles/lfw-1.json
var builtIn []byte

// meshPoints is how many landmarks the face mesh has.
const meshPoints = 468

// Profile is a matcher as data: its networks, how pictures are prepared for
// them, and what a score means, with the source of that meaning. A centre that
// holds another network drops in another profile and its files.
type Profile struct {
	Name       string     `json:"name"`
	Note       string     `json:"note"`
	Detector   Detector   `json:"detector"`
	Landmarks  Landmarks  `json:"landmarks"`
	Embedders  []Embedder `json:"embedders"`
	Thresholds Thresholds `json:"thresholds"`
	Capture    Limits     `json:"capture"`
}

// File is a network's file beside the others, with its SHA-256 in hexadecimal.
type File struct {
	File string `json:"file"`
	Hash string `json:"sha256"`
}

// Detector is a single-shot detector of the BlazeFace family: a square RGB
// picture from −1 to 1, height before width before channel; of each anchor a box
// with six points, in pixels from the anchor, and a score before the sigmoid.
type Detector struct {
	File
	Input    string   `json:"input"`
	Boxes    string   `json:"boxes"`
	Scores   string   `json:"scores"`
	Size     int      `json:"size"`      // side in pixels
	Grids    [][2]int `json:"grids"`     // cells a side, anchors a cell
	MinScore float64  `json:"min_score"` // after the sigmoid
}

// Landmarks is a face mesh of 468 points: a square RGB picture from 0 to 1,
// height before width before channel; of each point x, y and depth in pixels of
// it, and before the sigmoid whether there is a face at all.
type Landmarks struct {
	File
	Input       string  `json:"input"`
	Points      string  `json:"points"`
	Presence    string  `json:"presence"`
	Size        int     `json:"size"`
	Margin      float64 `json:"margin"` // side of the picture by the box's longer side
	MinPresence float64 `json:"min_presence"`
}

// Embedder is a network that turns an aligned face into a template.
type Embedder struct {
	Name string `json:"name"`
	File
	Input     string     `json:"input"`
	Output    string     `json:"output"`
	Dimension int        `json:"dimension"`
	Size      int        `json:"size"`     // side in pixels
	Layout    string     `json:"layout"`   // nhwc or nchw
	Order     string     `json:"order"`    // rgb or bgr
	Mean      [3]float64 `json:"mean"`     // taken off, in the order of the channels
	Divisor   float64    `json:"divisor"`  // and then divided by
	Template  []Anchor   `json:"template"` // where landmarks come to stand
	// Strangers tells mean and standard deviation of the cosine between people
	// who are not the same: it makes scores of several embedders comparable.
	Strangers struct {
		Mean      float64 `json:"mean"`
		Deviation float64 `json:"deviation"`
	} `json:"strangers"`
}

// Anchor holds the mean of some landmarks to a place in the aligned picture.
type Anchor struct {
	Mesh []int   `json:"mesh"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
}

// Thresholds tell what a score means, and from which data that is known.
type Thresholds struct {
	Match   float64 `json:"match"`   // match from here
	Confirm float64 `json:"confirm"` // match, the clerk confirms
	Refer   float64 `json:"refer"`   // the clerk decides; below it, another person
	Source  string  `json:"source"`
}

// Decide puts a score into words.
func (t Thresholds) Decide(score float64) proof.FaceDecision {
	switch {
	case score >= t.Match:
		return proof.Match
	case score >= t.Confirm:
		return proof.MatchConfirm
	case score >= t.Refer:
		return proof.ClerkDecides
	}
	return proof.NoMatch // also where the score is no number
}

// maxProfile bounds a profile's file, in bytes.
const maxProfile = 1 << 20

// openProfile reads a profile from a file, or the built-in one.
func openProfile(path string) (*Profile, error) {
	if path == "" {
		return ParseProfile(builtIn)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the face profile cannot be read: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err != nil {
		return nil, fmt.Errorf("the face profile cannot be read: %w", err)
	}
	return ParseProfile(text)
}

// ParseProfile reads a profile's JSON and checks that all of it makes sense. A
// key that it does not know is an error: it may be a misspelt threshold.
func ParseProfile(text []byte) (*Profile, error) {
	if len(text) > maxProfile {
		return nil, errors.New("the face profile is too long")
	}
	var p Profile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("the face profile is not understood: %w", err)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("the face profile does not hold together: %w", err)
	}
	return &p, nil
}

// check holds every number to what the code can work with.
func (p *Profile) check() error {
	if p.Name == "" || len(p.Embedders) == 0 || len(p.Embedders) > 8 {
		return errors.New("it wants a name and one to eight embedders")
	}
	t := p.Thresholds
	if t.Source == "" || !(t.Match >= t.Confirm && t.Confirm >= t.Refer) {
		return errors.New("its thresholds do not fall from match to refer, or have no source")
	}
	if err := p.Detector.check(); err != nil {
		return fmt.Errorf("detector: %w", err)
	}
	if err := p.Landmarks.check(); err != nil {
		return fmt.Errorf("landmarks: %w", err)
	}
	for i, e := range p.Embedders {
		if err := e.check(); err != nil {
			return fmt.Errorf("embedder %d: %w", i+1, err)
		}
	}
	return nil
}

// digest is a SHA-256 in hexadecimal.
var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check keeps a network beside the others: a name and no path.
func (f File) check() error {
	if f.File == "" || filepath.Base(f.File) != f.File || !digest.MatchString(f.Hash) {
		return errors.New("it wants a file name without folders and a SHA-256")
	}
	return nil
}

// side bounds the side of a network's picture.
func side(n int) bool { return n >= 16 && n <= 1024 }

// share is a number between 0 and 1.
func share(x float64) bool { return x > 0 && x < 1 }

func (d Detector) check() error {
	if !side(d.Size) || !share(d.MinScore) || len(d.Grids) == 0 || len(d.Grids) > 8 {
		return errors.New("its size, least score or grids are out of bounds")
	}
	for _, g := range d.Grids {
		if g[0] < 1 || g[0] > 128 || g[1] < 1 || g[1] > 16 {
			return fmt.Errorf("a grid of %d cells and %d anchors", g[0], g[1])
		}
	}
	return d.File.check()
}

func (l Landmarks) check() error {
	if !side(l.Size) || !share(l.MinPresence) || !(l.Margin >= 1 && l.Margin <= 4) {
		return errors.New("its size, least presence or margin is out of bounds")
	}
	return l.File.check()
}

func (e Embedder) check() error {
	switch {
	case !side(e.Size), e.Dimension < 1, e.Dimension > 4096:
		return errors.New("its size or dimension is out of bounds")
	case e.Layout != "nhwc" && e.Layout != "nchw":
		return errors.New("its layout is neither nhwc nor nchw")
	case e.Order != "rgb" && e.Order != "bgr":
		return errors.New("its order is neither rgb nor bgr")
	case !(e.Divisor > 0), !(e.Strangers.Deviation > 0):
		return errors.New("its divisor or its strangers' deviation is not above zero")
	case len(e.Template) < 2 || len(e.Template) > 100:
		return errors.New("its template wants 2 to 100 anchors")
	}
	for i, a := range e.Template {
		if err := a.check(); err != nil {
			return fmt.Errorf("anchor %d: %w", i+1, err)
		}
	}
	return e.File.check()
}

// check holds an anchor to the landmarks that there are.
func (a Anchor) check() error {
	if len(a.Mesh) == 0 || len(a.Mesh) > meshPoints {
		return errors.New("it holds no landmark, or too many")
	}
	for _, m := range a.Mesh {
		if m < 0 || m >= meshPoints {
			return fmt.Errorf("there is no landmark %d", m)
		}
	}
	return nil
}
