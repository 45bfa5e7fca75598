package demo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/face"
	"github.com/counterproof/counterproof/agent/ocr/specimen"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/devices"
)

// Pictures that set-up fetched beside the face networks: two men, one of them
// three times.
const (
	portraitPhoto = "obama.jpg"
	livePhoto     = "obama2.jpg"
	impostorPhoto = "biden.jpg"
)

// pictures puts what the cameras will see into their folders: of the document
// the first picture alone; hold shows the next when guidance asks for it.
func (w *world) pictures() error {
	document, err := w.documentFrames()
	if err != nil {
		return err
	}
	w.next = document[1:]
	if err := frames(w.folder("document"), document[:1]); err != nil {
		return err
	}
	live, err := w.faceFrames()
	if err != nil {
		return err
	}
	return frames(w.folder("face"), live)
}

// folder is what a camera looks into.
func (w *world) folder(name string) string { return filepath.Join(w.dir, name) }

// frames puts pictures into a folder, in their order, in the place of those that
// were there.
func frames(dir string, pictures [][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making a camera's folder: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil {
		return fmt.Errorf("looking into a camera's folder: %w", err)
	}
	for i, b := range pictures {
		name := filepath.Join(dir, fmt.Sprintf("%02d-%d.jpg", i, len(b)))
		old = slices.DeleteFunc(old, func(o string) bool { return o == name })
		if err := os.WriteFile(name, b, 0o600); err != nil {
			return fmt.Errorf("writing a camera's picture: %w", err)
		}
	}
	for _, o := range old {
		if err := os.Remove(o); err != nil {
			return fmt.Errorf("taking a picture away: %w", err)
		}
	}
	return nil
}

// layOut puts all pictures of the document before the camera, which shows them
// in turn: nobody's hand follows the guidance of a window.
func (w *world) layOut() error {
	if len(w.next) == 0 {
		return nil
	}
	return frames(w.folder("document"), w.next)
}

// moves is the patient's hand: as long as guidance about the document asks for
// something, the next picture is put before the camera.
func (w *world) moves(e api.Event) error {
	w.hand.Lock()
	defer w.hand.Unlock()
	bad := e.Guidance != proof.KindNone && e.Guidance != proof.KindHoldStill
	if e.Kind != api.EventGuidance || e.Role != string(devices.DocumentCamera) || !bad || len(w.next) == 0 {
		return nil
	}
	shown := w.next[:1]
	w.next = w.next[1:]
	if len(w.next) == 1 {
		shown, w.next = append(shown, w.next...), nil // the last two are both good
	}
	return frames(w.folder("document"), shown)
}

// documentFrames is what lies before the document camera: the caller's
// photograph, or a specimen passport that comes into the picture too small,
// then moving, then well.
func (w *world) documentFrames() ([][]byte, error) {
	if w.cfg.Document != "" {
		b, err := photograph(w.cfg.Document)
		return [][]byte{b}, err
	}
	portrait, err := w.portrait()
	if err != nil {
		return nil, err
	}
	seed := uint64(time.Now().UnixNano()) >> 8
	base := specimen.Options{Seed: seed, Person: w.passport(seed), Portrait: portrait}
	page, err := specimen.Page(base)
	if err != nil {
		return nil, fmt.Errorf("making a specimen passport: %w", err)
	}
	var out [][]byte
	for _, o := range []specimen.Options{{Width: 240}, {Condition: specimen.Motion, Severity: 8}, {}, {}} {
		o.Seed, o.Person, o.Portrait = seed+uint64(len(out)), base.Person, portrait
		photo, err := specimen.Photograph(page, o)
		if err != nil {
			return nil, fmt.Errorf("photographing a specimen passport: %w", err)
		}
		out = append(out, photo.JPEG)
		w.lines, w.head = photo.Lines, portrait
	}
	return out, nil
}

// passport is what a specimen passport says: it differs each time but for who
// holds it.
func (w *world) passport(seed uint64) specimen.Person {
	p, h := specimen.Utopian(seed, route.Today(time.Now())), cmp.Or(w.story.page, tal)
	p.Surname, p.Given, p.Sex, p.Number, p.Birth = h.surname, h.given, h.sex, h.number, h.birth
	return p
}

// portrait is the face in the specimen passport; nil, which is drawn, where no
// photographs were fetched.
func (w *world) portrait() (image.Image, error) {
	b, err := w.fetched(portraitPhoto)
	if errors.Is(err, os.ErrNotExist) {
		w.say("No photographs were fetched (make setup does it): the portrait is a drawing.")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	img, err := capture.Decode(b)
	if err != nil {
		return nil, err
	}
	return w.cut(img), nil
}

// cut takes the head out of a photograph, in the proportion of a passport's
// photo box (35 by 45 mm); the whole picture where no face is found.
func (w *world) cut(img image.Image) image.Image {
	engine, err := face.Open(face.Config{Models: w.cfg.Models})
	if err != nil {
		return img
	}
	defer engine.Close()
	faces, err := engine.Detect(img)
	if err != nil || len(faces) == 0 {
		return img
	}
	return head(img, faces[0].Box)
}

// head is a box around a face with room for hair and chin.
func head(img image.Image, box image.Rectangle) image.Image {
	high := box.Dy() * 9 / 5
	wide := high * 35 / 45
	centre := box.Min.Add(box.Size().Div(2))
	around := image.Rect(centre.X-wide/2, centre.Y-high*11/20, centre.X+wide/2, centre.Y+high*9/20)
	sub, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok || !around.In(img.Bounds()) {
		return img
	}
	return sub.SubImage(around)
}

// faceFrames is who stands before the face camera.
func (w *world) faceFrames() ([][]byte, error) {
	if w.cfg.Face != "" {
		b, err := photograph(w.cfg.Face)
		return [][]byte{b}, err
	}
	name := livePhoto
	if w.cfg.Impostor {
		name = impostorPhoto
	}
	b, err := w.fetched(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return [][]byte{b}, err
}

// fetched reads a photograph that set-up fetched.
func (w *world) fetched(name string) ([]byte, error) {
	dir := w.cfg.Models
	if dir == "" {
		dir, _ = face.Models()
	}
	b, err := os.ReadFile(filepath.Join(dir, "photos", name))
	if err != nil {
		return nil, fmt.Errorf("reading a fetched photograph: %w", err)
	}
	return b, nil
}

// photograph reads a picture that the caller named, and opens it once, so that
// what is no picture is said now.
func photograph(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a photograph: %w", err)
	}
	if _, err := capture.Decode(b); err != nil {
		return nil, fmt.Errorf("opening %s: %w", filepath.Base(path), err)
	}
	return bytes.Clone(b), nil
}
