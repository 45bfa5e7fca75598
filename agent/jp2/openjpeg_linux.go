//go:build cgo && !nojp2

package jp2

/*
#cgo CFLAGS: -O2
#cgo pkg-config: libopenjp2
#include "openjpeg_linux.h"
*/
import "C"

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os/exec"
	"unsafe"

	"github.com/counterproof/counterproof/agent/proof"
)

// Available reports whether this build can open JPEG 2000.
func Available() bool { return true }

// work decodes a picture in a process of its own and gives its answer.
func work(ctx context.Context, b []byte, h header, l Limits, part bool) ([]byte, error) {
	c, err := begin(ctx, b, h, l, part)
	if err != nil {
		return nil, err
	}
	return c.answer(ctx, h.maxAnswer())
}

// task is what a process is asked for, in the layout of openjpeg_linux.c.
type task struct {
	Count, Boxed, Part, Width, Height, Room, Seconds uint64
}

// The program itself, even if its file has been replaced since it was started,
// and the word that makes a decoder of it.
const (
	self    = "/proc/self/exe"
	decodes = "COUNTERPROOF_DECODES=1"
)

// child is a process that decodes one picture.
type child struct {
	cmd  *exec.Cmd
	from io.Reader
}

// begin starts a process that is ended with ctx, at the latest.
func begin(ctx context.Context, b []byte, h header, l Limits, part bool) (*child, error) {
	asked, err := binary.Append(nil, binary.NativeEndian, task{
		Count: uint64(len(b)), Boxed: flag(h.boxed), Part: flag(part), Width: uint64(h.width), Height: uint64(h.height),
		Room: uint64(max(l.Memory, 0)), Seconds: uint64(math.Ceil(max(l.Time.Seconds(), 0))) + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("asking for a picture: %w", err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{"counterproof: decodes a picture"}
	cmd.Env = []string{decodes} // and nothing of this program's
	cmd.Dir = "/"
	cmd.Stdin = io.MultiReader(bytes.NewReader(asked), bytes.NewReader(b))
	from, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting a process: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a process: %w", err)
	}
	return &child{cmd, from}, nil
}

// answer waits for the answer, of at most so many bytes, and ends the process.
func (c *child) answer(ctx context.Context, most int64) ([]byte, error) {
	b := make([]byte, most)
	n, err := io.ReadFull(c.from, b)
	c.end()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("waiting for the picture: %w", err)
	}
	return b[:n], nil
}

// end ends the process, whatever it does. How it ended says nothing: its answer is
// whole or is not.
func (c *child) end() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// flag is a truth as C has it.
func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Encode writes a picture of our own as JPEG 2000, for chips made of software:
// gray where it is an image.Gray, else in colour. Hostile pictures do not belong
// here, since it runs in the program's own process.
func Encode(img image.Image, how Coding) ([]byte, error) {
	if img == nil || img.Bounds().Empty() || img.Bounds().Dx() > maxSide || img.Bounds().Dy() > maxSide {
		return nil, refusal(proof.KindPictureHuge, errBounds)
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	samples, channels := flat(img)
	rate := float32(1)
	if how.Bytes > 0 {
		rate = max(rate, float32(len(samples))/float32(how.Bytes))
	}
	to := make([]byte, 2*len(samples)+1<<12)
	n := C.jp2_encode((*C.uint8_t)(unsafe.SliceData(samples)), C.uint32_t(w), C.uint32_t(h), C.int(channels), C.int(flag(!how.Bare)),
		C.float(rate), (*C.uint8_t)(unsafe.SliceData(to)), C.size_t(len(to)))
	if n == 0 {
		return nil, errors.New("encoding JPEG 2000: the library refuses the picture")
	}
	return to[:n:n], nil
}
