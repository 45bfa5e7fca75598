// Package jp2 opens the pictures that chips of travel documents hold: portraits
// in JPEG 2000 (ISO/IEC 15444-1), with libopenjp2 on Linux with cgo, and in JPEG.
//
// The library reads hostile bytes in C and has a history of faults, so it never
// runs on them in the program's own process: each picture is decoded in a process
// of its own that is ended afterwards, and whatever happens there is an error
// here and nothing else. Elsewhere, and with the tag nojp2, Decode refuses with
// ErrUnavailable.
//
// It knows no chip, keeps no picture, and does not judge what is to be seen.
//
// # The laws
//
//   - A picture's size is known, and bounded, before the library sees a byte.
//   - The process that decodes can open no file and no socket and start nothing;
//     its memory, its processor time and its life are bounded.
//   - Its answer is as hostile as the picture.
//   - A picture that is not whole is refused, or told to be so.
package jp2

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// MaxBytes is the length from which a picture is refused.
const MaxBytes = 1 << 20

// Limits bound a decoding. A field that is 0 has its default.
type Limits struct {
	Pixels int           // of the picture; 4 million
	Memory int64         // that decoding may take, in bytes; 256 MiB
	Time   time.Duration // that it may take; 5 seconds
}

// The defaults. Portraits have 413 × 531 pixels and seldom more than a million.
const (
	defaultPixels = 4_000_000
	defaultMemory = 256 << 20
	defaultTime   = 5 * time.Second
)

// full is the limits with the defaults in their places.
func (l Limits) full() Limits {
	return Limits{cmp.Or(l.Pixels, defaultPixels), cmp.Or(l.Memory, defaultMemory), cmp.Or(l.Time, defaultTime)}
}

// Reasons in errors.
var (
	// ErrUnavailable says that this build cannot open JPEG 2000.
	ErrUnavailable = errors.New("this build has no JPEG 2000")
	// ErrDamaged says that a picture is cut off or broken; parts may be there.
	ErrDamaged = errors.New("the picture is not whole")
)

// Decode opens a JPEG 2000 picture, in its boxes or bare. It is an image.Gray or
// an opaque image.RGBA. An error is a *proof.Error of Kind KindNotPicture,
// KindPictureHuge or KindPictureCorrupt, or it is ErrUnavailable or that of ctx.
func Decode(ctx context.Context, b []byte, l Limits) (image.Image, error) {
	img, _, err := decode(ctx, b, l, false)
	return img, err
}

// decode is Decode that may be content with a part of the picture.
func decode(ctx context.Context, b []byte, l Limits, part bool) (img image.Image, partial bool, err error) {
	l = l.full()
	if len(b) > MaxBytes {
		return nil, false, refusal(proof.KindPictureHuge, fmt.Errorf("%d bytes", len(b)))
	}
	h, err := readHeader(b)
	if err != nil {
		return nil, false, refusal(proof.KindNotPicture, err)
	}
	if int64(h.width)*int64(h.height) > int64(l.Pixels) {
		return nil, false, refusal(proof.KindPictureHuge, fmt.Errorf("%d × %d pixels", h.width, h.height))
	}
	within, done := context.WithTimeout(ctx, l.Time)
	defer done()
	answer, err := work(within, b, h, l, part)
	switch {
	case err != nil && ctx.Err() == nil && within.Err() != nil:
		return nil, false, refusal(proof.KindPictureCorrupt, errSlow)
	case err != nil:
		return nil, false, fmt.Errorf("decoding JPEG 2000: %w", err)
	}
	raw, err := parseAnswer(answer, h)
	if err != nil {
		return nil, false, refusal(proof.KindPictureCorrupt, err)
	}
	if raw.partial && !part {
		return nil, false, refusal(proof.KindPictureCorrupt, ErrDamaged)
	}
	return raw.image(h.width, h.height), raw.partial, nil
}

// errSlow is a picture that takes longer than any portrait does.
var errSlow = errors.New("it takes too long")

// refusal wraps the reason why a picture is not opened.
func refusal(kind proof.Kind, err error) error {
	return &proof.Error{Op: "decoding JPEG 2000", Kind: kind, Err: err}
}
