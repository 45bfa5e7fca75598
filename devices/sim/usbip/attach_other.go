//go:build !linux

package usbip

import "errors"

// Attach refuses: only Linux has a virtual host controller.
func Attach(int) (Conn, error) { return nil, errors.ErrUnsupported }

// FreePorts refuses, too.
func FreePorts() ([]int, error) { return nil, errors.ErrUnsupported }
