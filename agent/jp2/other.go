//go:build !linux || !cgo || nojp2

package jp2

import (
	"context"
	"image"
)

// Available reports whether this build can open JPEG 2000.
func Available() bool { return false }

// Encode refuses: this build has no JPEG 2000.
func Encode(image.Image, Coding) ([]byte, error) { return nil, ErrUnavailable }

// work refuses: this build has no JPEG 2000.
func work(context.Context, []byte, header, Limits, bool) ([]byte, error) {
	return nil, ErrUnavailable
}
