// Package video films with the cameras of the system: V4L2 on Linux. It asks for
// a picture form that the camera offers, keeps a few buffers in the kernel's
// hands and gives each frame as it came, with its time and whether the camera
// marked it as damaged.
//
// It decodes no picture, knows no model and chooses no camera.
//
// # The laws
//
//   - Never through USB: the kernel's driver knows the isochronous transfers and
//     the quirks of each camera.
//   - A frame's bytes are the caller's; the kernel's buffer is given back before
//     the caller sees them.
//   - What the kernel says of sizes is bounded and checked before it is used.
//   - A camera that was pulled out is Gone, and stays so.
package video

import (
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Format is how a frame's bytes are to be read, as V4L2 names it.
type Format uint32

// The formats that are filmed: JPEG pictures one by one, and pairs of pixels with
// shared colour (YUYV 4:2:2).
const (
	MJPEG Format = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	JPEG  Format = 'J' | 'P'<<8 | 'E'<<16 | 'G'<<24
	YUYV  Format = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24
)

// String is the format's four characters.
func (f Format) String() string {
	return string([]byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f >> 24)})
}

// Wish is what a caller would like to have. The camera decides; what it decided
// is in Mode.
type Wish struct {
	Width, Height int // pixels; zero for the largest up to 1920 × 1080
	PerSecond     int // frames; zero for what the camera likes
}

// Mode is how a camera films.
type Mode struct {
	Format        Format
	Width, Height int // pixels
	Stride        int // bytes of a line, of YUYV
}

// Picture is one frame as it came.
type Picture struct {
	Mode
	Data   []byte
	Seq    uint32        // the camera's own count: a gap is a lost frame
	At     time.Duration // when it was taken, on the system's monotonic clock
	Broken bool          // the camera says that the data is damaged
}

// Control is a setting of a camera that a counter may change.
type Control struct {
	ID                      ControlID
	Name                    string // as the driver calls it
	Min, Max, Step, Default int
}

// ControlID names a setting, as V4L2 numbers it.
type ControlID uint32

// The settings that matter at a counter: a document lies still and near.
const (
	AutoExposure ControlID = cameraClass + 1
	Exposure     ControlID = cameraClass + 2 // 100 µs
	Focus        ControlID = cameraClass + 10
	AutoFocus    ControlID = cameraClass + 12

	cameraClass = 0x009a0900
)

// Bounds on what a camera may say.
const (
	maxSide    = 8192     // pixels
	maxBytes   = 64 << 20 // of one frame
	maxOffers  = 64       // formats, sizes or settings
	buffers    = 4        // in the kernel's hands
	bestWidth  = 1920
	bestHeight = 1080
)

// Reasons.
var (
	errNoCamera = errors.New("it does not film")
	errFormat   = errors.New("it films neither JPEG pictures nor YUYV")
	errNonsense = errors.New("the driver says what cannot be")
)

// fault makes a Fault of this port.
func fault(op string, kind devices.Kind, err error) error {
	return &devices.Fault{Op: op, Kind: kind, Err: err}
}

// size is a picture's width and height.
type size struct{ w, h int }

// choose takes the size to film with: the one that was wished for or the nearest
// that is not smaller, else the largest. A wish of zero is for the largest that
// is no larger than what a reader of documents makes use of.
func choose(offered []size, w Wish) (size, error) {
	var best size
	for _, s := range offered {
		if s.w <= 0 || s.h <= 0 || s.w > maxSide || s.h > maxSide {
			continue
		}
		if best == (size{}) || better(s, best, w) {
			best = s
		}
	}
	if best == (size{}) {
		return best, fmt.Errorf("choosing a size: %w", errNonsense)
	}
	return best, nil
}

// better reports whether a serves a wish better than b.
func better(a, b size, w Wish) bool {
	fits := func(s size) bool {
		if w.Width == 0 {
			return s.w <= bestWidth && s.h <= bestHeight
		}
		return s.w >= w.Width && s.h >= w.Height
	}
	if fits(a) != fits(b) {
		return fits(a)
	}
	if fits(a) == (w.Width == 0) { // of those beyond a wish the smallest, of those within a bound the largest
		return a.w*a.h > b.w*b.h
	}
	return a.w*a.h < b.w*b.h
}
