// Package face finds the face in a picture, judges whether it will do, and
// compares two of them: the portrait of a document with the patient at the
// counter. It is the one door to the runtime of trained networks.
//
// It never decides who somebody is, scores no level, and cannot tell a living
// face from a photograph of one: its answer is an aid to the trained operator,
// and "another person" stops a visit.
//
// # The laws
//
//   - Two faces are compared only with a Consent in hand. There is none without
//     the event that the patient's answer was.
//   - A template, the list of numbers that stands for a face, never leaves this
//     package and is overwritten once the comparison is made. What the runtime
//     keeps of its steps in between is overwritten by the next picture.
//   - Thresholds belong to the networks that they were measured with: a file
//     with another SHA-256 than the profile's is not loaded.
//   - Without the runtime or the networks everything refuses with
//     ErrUnavailable, and the trained operator compares. A nil Engine does too.
//   - More than one face of comparable size is compared with nobody.
package face

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"sync"

	"github.com/counterproof/counterproof/agent/proof"
)

// ErrUnavailable is in every error that says that faces cannot be compared
// here; its text says why, and proof.KindOf gives KindFaceUnavailable.
var ErrUnavailable = errors.New("faces cannot be compared by the machine")

// Environment is the variable that names the folder of the networks.
const Environment = "COUNTERPROOF_MODELS"

// installed is where the package puts the networks.
const installed = "/usr/lib/counterproof/models"

// Config says what an Engine works with. The zero Config is the usual one.
type Config struct {
	// Library is the file of the ONNX Runtime; "" is the one beside the networks.
	// A process has one runtime: the first that was loaded stays.
	Library string
	// Models is the folder of the networks; "" is what Models finds.
	Models string
	// Profile is the file of another profile; "" is the built-in one.
	Profile string
	// Threads is how many threads one network may use; 0 is one.
	Threads int
}

// Models finds the folder of the networks: the one that the environment names,
// or else the nearest folder .models from the working folder upward, or else
// the installed one. It reports whether it is there.
func Models() (dir string, ok bool) {
	if dir := os.Getenv(Environment); dir != "" {
		return dir, isDir(dir)
	}
	if at, err := os.Getwd(); err == nil {
		for {
			if dir := filepath.Join(at, ".models"); isDir(dir) {
				return dir, true
			}
			up := filepath.Dir(at)
			if up == at {
				break
			}
			at = up
		}
	}
	return installed, isDir(installed)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Engine finds and compares faces. Its methods may be called from any goroutine
// and run one at a time. The zero Engine and a nil one refuse with
// ErrUnavailable.
type Engine struct {
	mu      sync.Mutex
	profile *Profile
	nets    *networks // nil when closed or never opened
}

// Open loads the runtime and the networks of a profile, some 100 MB of memory
// in all. Only one goroutine may open at a time. Where something is missing the
// error is an ErrUnavailable and the Engine, which is never nil, refuses.
func Open(cfg Config) (*Engine, error) {
	refuser := &Engine{}
	p, err := openProfile(cfg.Profile)
	if err != nil {
		return refuser, unavailable(err)
	}
	if cfg.Models == "" {
		dir, ok := Models()
		if !ok {
			return refuser, unavailable(fmt.Errorf("the folder of the networks, %s, is not there", dir))
		}
		cfg.Models = dir
	}
	if cfg.Library == "" {
		cfg.Library = filepath.Join(cfg.Models, library)
	}
	nets, err := openNetworks(cfg, p)
	if err != nil {
		return refuser, unavailable(err)
	}
	return &Engine{profile: p, nets: nets}, nil
}

// unavailable wraps the reason why there is no matcher.
func unavailable(reason error) error {
	return &proof.Error{Op: "comparing faces", Kind: proof.KindFaceUnavailable, Err: fmt.Errorf("%w: %w", ErrUnavailable, reason)}
}

// errNeverOpened is why a zero Engine refuses.
var errNeverOpened = errors.New("no networks are loaded")

// Close gives the memory of the networks back; the Engine then refuses. Closing
// twice does nothing.
func (e *Engine) Close() error {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.nets == nil {
		return nil
	}
	err := e.nets.close()
	e.nets = nil
	return err
}

// Available reports whether the Engine can compare.
func (e *Engine) Available() bool {
	if e == nil {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nets != nil
}

// Profile is the profile that the Engine works by; nil without one.
func (e *Engine) Profile() *Profile {
	if e == nil {
		return nil
	}
	return e.profile
}

// with runs one piece of work on one picture, alone. A runtime that fails is as
// good as none.
func (e *Engine) with(img image.Image, work func(*picture) error) error {
	if e == nil {
		return unavailable(errNeverOpened)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.nets == nil {
		return unavailable(errNeverOpened)
	}
	p, err := newPicture(img)
	if err != nil {
		return err
	}
	defer p.wipe()
	err = work(p)
	if _, told := errors.AsType[*proof.Error](err); err != nil && !told && !errors.Is(err, errNoTemplate) {
		return unavailable(err)
	}
	return err
}

// Face is a face that was found, in pixels of the picture that was given.
type Face struct {
	Box     image.Rectangle // from the forehead to the chin
	Score   float64         // the detector's, 0.5–1
	Quality Quality
}

// Detect finds the main face and every other at least half as wide, the main
// one first; smaller ones in the background are left out, and so is what the
// landmarks do not confirm as a face. No face is an empty list and no error. It
// identifies nobody and needs no Consent.
func (e *Engine) Detect(img image.Image) ([]Face, error) {
	return e.detect(img, passes)
}

// Look judges one frame of the patient: KindNone when it will do, and where it
// will not, the one thing to change. It does not search for faces that would be
// too small anyway, so that a frame of an empty chair is soon done with. It
// identifies nobody and needs no Consent.
func (e *Engine) Look(frame image.Image) (proof.Kind, error) {
	faces, err := e.detect(frame, func(w, h int) [][]square { return passes(w, h)[:3] })
	if err != nil {
		return proof.KindOf(err), err
	}
	return e.profile.Capture.kind(faces), nil
}

// detect searches a picture and measures what it finds.
func (e *Engine) detect(img image.Image, plan func(w, h int) [][]square) ([]Face, error) {
	var faces []Face
	err := e.with(img, func(p *picture) error {
		found, err := e.search(p, plan(p.w, p.h))
		for _, f := range found {
			faces = append(faces, e.judge(p, f))
		}
		return err
	})
	return faces, err
}
