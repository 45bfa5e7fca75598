//go:build cgo && !linux

package usb

import "errors"

// errKernel is that only Linux is asked to end a stall.
var errKernel = errors.New("the system is not asked to end a stall")

func clearHalt(int, int, uint8) error { return errKernel }
