//go:build cgo && !nozxing

package barcode

/*
#cgo CXXFLAGS: -std=c++17 -O2
#cgo LDFLAGS: -lZXing
#include "zxing_linux.h"
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"time"
	"unsafe"
)

// best is the engine of this build.
func best() engine { return either{foreign{}, pure{}} }

// foreign is zxing-cpp in a process of its own for each look.
type foreign struct{}

func (foreign) offers() set { return onlyPDF417 | matrix | linear }

// Bounds of an answer, in bytes.
const (
	maxText   = 4 * MaxContent
	headBytes = 3 + 4*10
	maxAnswer = MaxSymbols*(headBytes+MaxContent+maxText) + 1
)

// grace is how long a look may go on after its time, since it cannot be told
// to stop, only be stopped.
const grace = 300 * time.Millisecond

func (foreign) look(g *image.Gray, among set, until time.Time) ([]Symbol, error) {
	l, err := startLook(g, among, until.Add(grace))
	if err != nil {
		return nil, err
	}
	return l.answer()
}

// trial is a look that has begun.
type trial struct {
	process *os.Process
	from    *os.File
}

// startLook begins a look that is ended at a time.
func startLook(g *image.Gray, among set, end time.Time) (*trial, error) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	if w < 1 || h < 1 || g.Stride < w || len(g.Pix) < (h-1)*g.Stride+w {
		return nil, errors.New("beginning a look: no picture")
	}
	seconds := C.uint(max(1, time.Until(end).Seconds()+1))
	var pid C.pid_t
	fd, err := C.zxing_start((*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(g.Pix))), C.int(w), C.int(h), C.int(g.Stride),
		C.uint32_t(among), MaxSymbols, seconds, &pid)
	if fd < 0 {
		return nil, fmt.Errorf("beginning a look: %w", err)
	}
	from := os.NewFile(uintptr(fd), "look")
	process, err := os.FindProcess(int(pid)) // never fails on Unix
	if err == nil {
		err = from.SetReadDeadline(end)
	}
	l := &trial{process, from}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("beginning a look: %w", err)
	}
	return l, nil
}

// close ends the process, whatever it does.
func (l *trial) close() {
	if l.process != nil {
		l.process.Kill()
		l.process.Wait()
	}
	l.from.Close()
}

// answer waits for the answer and ends the look.
func (l *trial) answer() ([]Symbol, error) {
	defer l.close()
	b, err := io.ReadAll(io.LimitReader(l.from, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("waiting for a look: %w", err)
	}
	return parseAnswer(b)
}

// errAnswer is an answer without an end: the decoder failed, or lies.
var errAnswer = errors.New("the decoder gave no whole answer")

// parseAnswer reads what the process wrote: records of symbols and an end mark.
// The process has seen hostile bytes, so nothing that it says is trusted.
func parseAnswer(b []byte) ([]Symbol, error) {
	var found []Symbol
	for len(b) > 0 && b[0] == 'S' && len(b) >= headBytes {
		content := int64(binary.LittleEndian.Uint32(b[headBytes-8:]))
		text := int64(binary.LittleEndian.Uint32(b[headBytes-4:]))
		if content > MaxContent || text > maxText || int64(len(b)-headBytes) < content+text {
			return nil, errAnswer
		}
		kind := set(1) << min(b[1], 31)
		rest := b[headBytes:]
		s := Symbol{
			Bytes: rest[:content:content],
			Text:  textOf(rest[:content], string(rest[content:][:text]), b[2] != 0),
		}
		for i := range s.Corners {
			at := b[3+8*i:]
			s.Corners[i] = image.Pt(int(int32(binary.LittleEndian.Uint32(at))), int(int32(binary.LittleEndian.Uint32(at[4:]))))
		}
		if names := kind.list(); len(names) == 1 && len(found) < MaxSymbols {
			s.Symbology = names[0]
			found = append(found, s)
		}
		b = rest[content+text:]
	}
	if string(b) != "E" {
		return nil, errAnswer
	}
	return found, nil
}
