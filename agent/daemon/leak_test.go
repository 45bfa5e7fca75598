//go:build unix

package daemon_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/face"
	"github.com/counterproof/counterproof/agent/ocr/specimen"
	"github.com/counterproof/counterproof/agent/proof"
)

// marker is something of a patient that must be found nowhere.
type marker struct {
	name  string
	bytes []byte
}

// markersOf are a document's markers: as printed, as the zone has them, and as
// JSON carries bytes.
func markersOf(pass passport) []marker {
	found := []marker{
		{"surname", []byte(pass.person.Surname)},
		{"surname/zone", []byte(strings.ToUpper(pass.person.Surname))},
		{"given-name", []byte(pass.person.Given)},
		{"given-name/zone", []byte(strings.ToUpper(pass.person.Given))},
		{"number", []byte(pass.person.Number)},
		{"line-1", []byte(pass.lines[0])},
		{"line-2", []byte(pass.lines[1])},
	}
	for _, m := range slices.Clone(found) {
		for shift := range 3 {
			text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), m.bytes...))
			// The ends depend on what stands beside it; the middle does not.
			if middle := text[4 : len(text)-4]; len(middle) >= 8 {
				found = append(found, marker{m.name + "/base64", []byte(middle)})
			}
		}
	}
	return found
}

// mark writes a comment into a photograph (marker COM, ITU-T T.81 §B.2.4.5) and
// gives it with two markers: the comment and a stretch of the picture itself.
func mark(name, comment string, jpeg []byte) ([]byte, []marker) {
	n := len(comment) + 2
	com := append([]byte{0xFF, 0xFE, byte(n >> 8), byte(n)}, comment...)
	marked := slices.Concat(jpeg[:2], com, jpeg[2:])
	middle := len(marked) / 2
	return marked, []marker{{name + "/comment", []byte(comment)}, {name + "/picture", marked[middle : middle+32]}}
}

// search looks for markers in every file below the folders, in their names too.
func search(t *testing.T, markers []marker, folders ...string) (found []string) {
	t.Helper()
	files := 0
	look := func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // it went away meanwhile
		}
		if err != nil {
			return err
		}
		hay := []byte(filepath.Base(path))
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil && !os.IsNotExist(err) {
				return err
			}
			files++
			hay = slices.Concat(hay, []byte{0}, b)
		}
		for _, m := range markers {
			if bytes.Contains(hay, m.bytes) {
				found = append(found, m.name+" in "+filepath.Base(path))
			}
		}
		return nil
	}
	for _, dir := range folders {
		if err := filepath.WalkDir(dir, look); err != nil {
			t.Errorf("searching: %v", err)
		}
	}
	if files == 0 {
		t.Error("there was nothing to search")
	}
	return found
}

// patient is who comes: a passport, its photograph and the patient's, marked.
type patient struct {
	pass    passport
	page    []byte
	live    []byte // nil without the networks that judge it
	markers []marker
}

// newPatient makes a patient with a rare name.
func newPatient(t *testing.T) *patient {
	t.Helper()
	portrait, live := photographs(t)
	p := &patient{pass: newPassport(t, 11, portrait, func(h *specimen.Person) {
		h.Surname, h.Given, h.Number = "Thornquist", "Wilhelmina", "HK7294513"
	})}
	p.markers = markersOf(p.pass)
	var more []marker
	p.page, more = mark("page", "counterproof-marker-page-5501", p.pass.jpeg)
	p.markers = append(p.markers, more...)
	if live != nil {
		p.live, more = mark("live", "counterproof-marker-live-7723", live)
		p.markers = append(p.markers, more...)
	}
	return p
}

// photographs are those that set-up fetched beside the networks: one for the
// portrait and one for the camera. Without them the face step is not searched.
func photographs(t *testing.T) (image.Image, []byte) {
	t.Helper()
	dir, ok := face.Models()
	var first, second []byte
	var err error
	if ok {
		if first, err = os.ReadFile(filepath.Join(dir, "photos", "obama.jpg")); err == nil {
			second, err = os.ReadFile(filepath.Join(dir, "photos", "obama2.jpg"))
		}
	}
	if !ok || err != nil {
		t.Log("NOT SEARCHED: what the face camera takes. The face networks and their photographs are not on this machine (make setup)")
		return nil, nil
	}
	portrait, err := capture.Decode(first)
	if err != nil {
		t.Fatal(err)
	}
	return portrait, second
}

// TestNothingOfAPatientIsLeftReadable: neither during a visit nor after it does
// any file of the counter, its temporary folder, its log or the centre show who
// was there.
func TestNothingOfAPatientIsLeftReadable(t *testing.T) {
	p := newPatient(t)
	w := newWorld(t, func(conf *config.Config) {
		if p.live != nil {
			conf.Models, _ = face.Models()
			conf.FaceCamera = "sim:" + filepath.Join(filepath.Dir(conf.Data), "face")
		}
	})
	near := filepath.Join(w.dir, "d")
	show(t, filepath.Join(near, "document"), p.page)
	if p.live != nil {
		show(t, filepath.Join(near, "face"), p.live)
	}
	// The cameras' own folders are the test's. All else must tell nothing.
	places := []string{filepath.Join(near, "data"), filepath.Join(near, "tmp"), filepath.Join(near, "log"), filepath.Join(near, "slips"), filepath.Join(w.dir, "c")}
	clean := func(when string) {
		for _, found := range search(t, p.markers, places...) {
			t.Errorf("%s: %s", when, found)
		}
	}
	v := w.visit(p, clean)
	until(t, "the centre holds the record", func() bool {
		list, err := w.client.Queue(t.Context())
		return err == nil && list.Queue.Acked == 1
	})
	clean("when the centre has it")
	w.counter.kill()
	clean("after the counter was killed")
	w.counter.start()
	until(t, "the counter answers again", w.counterAnswers)
	clean("after it has started again")
	w.counter.stop()
	w.centre.stop()
	clean("when all is stopped")
	if slips, err := filepath.Glob(filepath.Join(near, "slips", "*")); err != nil || len(slips) == 0 {
		t.Errorf("no slip was there to search for %s: %v", v.Ref, err)
	}
	caught(t, p, places)
}

// visit goes through a visit and looks around at each step of it.
func (w *world) visit(p *patient, clean func(when string)) api.Visit {
	w.t.Helper()
	v, err := w.client.StartVisit(w.t.Context(), api.NewVisit{Route: proof.PhotoDocument, Language: "en"})
	if err != nil {
		w.t.Fatal(err)
	}
	read, taken := false, false
	for range 30 {
		a := reply(v)
		if v, err = w.client.Answer(w.t.Context(), v.ID, a); err != nil {
			w.t.Fatalf("answering %s: %v", a.Ask, err)
		}
		if a.Ask == proof.ExamineDocument {
			// The markers are alive: the counter knows them at this moment.
			d := v.Document
			if d.Number != p.pass.person.Number || !strings.Contains(d.Person.Surname.ICAO, strings.ToUpper(p.pass.person.Surname)) || !slices.Equal(d.Lines, p.pass.lines) {
				w.t.Fatal("the document was not read as it is")
			}
			page, err := w.client.Picture(w.t.Context(), v.ID, d.Page)
			if err != nil || !bytes.Equal(page, p.page) {
				w.t.Fatalf("the page is not kept as it was photographed: %v", err)
			}
			cut, err := w.client.Picture(w.t.Context(), v.ID, d.Portrait)
			if err != nil || len(cut) < 100 {
				w.t.Fatalf("no portrait was cut out: %v", err)
			}
			p.markers = append(p.markers, marker{"portrait/picture", cut[len(cut)/2:][:32]})
			read = true
		}
		taken = taken || v.Face != nil && v.Face.Live != ""
		clean("after " + string(a.Ask))
		if v.Ended {
			break
		}
	}
	if !read || !v.Ended || p.live != nil && !taken {
		w.t.Errorf("the visit was not what it was meant to be: read %t, face taken %t, ended %t", read, taken, v.Ended)
	}
	return v
}

// caught plants every marker in the places, as a counter would that leaks, and
// expects that the search finds each.
func caught(t *testing.T, p *patient, places []string) {
	t.Helper()
	for _, dir := range places {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		for _, m := range p.markers {
			path := filepath.Join(dir, "planted")
			if err := os.WriteFile(path, slices.Concat([]byte("before"), m.bytes, []byte("after")), 0o600); err != nil {
				t.Fatal(err)
			}
			if found := search(t, []marker{m}, dir); !slices.Equal(found, []string{m.name + " in planted"}) {
				t.Errorf("planted %s, found %v", m.name, found)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	named := filepath.Join(places[0], p.pass.person.Number)
	if err := os.WriteFile(named, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if found := search(t, p.markers, places...); len(found) == 0 {
		t.Error("a number in a file's name is not found")
	}
}
