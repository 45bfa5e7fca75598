package sim

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // a picture of a folder may be one
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Pictures gives what a camera sees, as JPEG: n counts the frames that the
// camera has handed out, from 0, and at is the time since it was plugged in.
// nil is an empty desk. The bytes may be given again: the camera copies them.
type Pictures func(n uint64, at time.Duration) []byte

// Loop shows pictures one after another, one a frame, and begins again. Without
// any it shows an empty desk.
func Loop(jpegs ...[]byte) Pictures {
	return func(n uint64, _ time.Duration) []byte {
		if len(jpegs) == 0 {
			return nil
		}
		return jpegs[n%uint64(len(jpegs))]
	}
}

// Files shows the pictures of files, as Loop does. A file that cannot be read
// or is no JPEG or PNG is an error.
func Files(paths ...string) (Pictures, error) {
	var jpegs [][]byte
	for _, p := range paths {
		b, err := readPicture(os.DirFS(filepath.Dir(p)), filepath.Base(p))
		if err != nil {
			return nil, err
		}
		jpegs = append(jpegs, b)
	}
	return Loop(jpegs...), nil
}

// A Scene is what lies before a camera; it can be changed while the camera
// films. The zero value is an empty desk. Its methods may be called from any
// goroutine.
type Scene struct {
	mu    sync.Mutex
	jpegs [][]byte
	n     int
}

// Show puts pictures before the camera: from the next frame on they are seen
// one after another, again and again.
func (s *Scene) Show(jpegs ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jpegs, s.n = slices.Clone(jpegs), 0
}

// Clear takes everything away.
func (s *Scene) Clear() { s.Show() }

// Picture is the scene as Pictures.
func (s *Scene) Picture(uint64, time.Duration) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jpegs) == 0 {
		return nil
	}
	picture := s.jpegs[s.n%len(s.jpegs)]
	s.n++
	return picture
}

// Hold is how long Directory shows each picture.
const Hold = 3 * time.Second

// Bounds of a picture that a file may hold.
const (
	maxPictureBytes  = 32 << 20
	maxPicturePixels = 40_000_000
)

// errNoPicture tells a file that is no picture we can show.
var errNoPicture = errors.New("no JPEG or PNG of a size that a camera has")

// Directory shows the pictures of a folder in the order of their names, each
// for Hold, and begins again. It looks into the folder at each change, so a
// trainer can add and take away while it runs; what is no JPEG or PNG is passed
// over, and a folder without pictures is an empty desk. A path that is no folder
// is an error.
func Directory(path string) (Pictures, error) {
	root, err := os.OpenRoot(path) // a link cannot lead out of the folder
	if err != nil {
		return nil, fmt.Errorf("opening the folder of pictures: %w", err)
	}
	d := &directory{files: root.FS()}
	return d.picture, nil
}

// directory remembers the picture that it shows.
type directory struct {
	files fs.FS

	mu    sync.Mutex
	begun bool
	until time.Duration
	name  string
	jpeg  []byte
}

func (d *directory) picture(_ uint64, at time.Duration) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	// A camera that was plugged in again begins its time anew.
	if d.begun && at < d.until && at >= d.until-Hold {
		return d.jpeg
	}
	d.begun, d.until = true, at+Hold
	d.name, d.jpeg = d.after(d.name)
	return d.jpeg
}

// after finds the first picture after the one called name, all around.
func (d *directory) after(name string) (string, []byte) {
	entries, err := fs.ReadDir(d.files, ".")
	if err != nil {
		return "", nil
	}
	i, found := slices.BinarySearchFunc(entries, name, func(e fs.DirEntry, s string) int { return cmp.Compare(e.Name(), s) })
	if found {
		i++
	}
	for _, e := range slices.Concat(entries[i:], entries[:i]) {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if b, err := readPicture(d.files, e.Name()); err == nil {
			return e.Name(), b
		}
	}
	return "", nil
}

// readPicture reads a file as JPEG; a PNG is turned into one. The error names
// the file.
func readPicture(files fs.FS, name string) ([]byte, error) {
	b, err := readFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("reading a picture: %w", err)
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || size.Width*size.Height > maxPicturePixels {
		return nil, fmt.Errorf("reading the picture %s: %w", name, errors.Join(errNoPicture, err))
	}
	if format == "jpeg" {
		return b, nil
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("reading the picture %s: %w", name, errors.Join(errNoPicture, err))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 92}); err != nil {
		return nil, fmt.Errorf("turning %s into a JPEG: %w", name, err)
	}
	return out.Bytes(), nil
}

// readFile reads a plain file of a bounded size. A pipe or a device is refused
// before it is opened, because opening it could wait for ever.
func readFile(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPictureBytes {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errNoPicture}
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxPictureBytes))
}
