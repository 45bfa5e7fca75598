package usb

import (
	"context"
	"time"
)

// library is what the host asks of libusb. Tests put one of their own in its
// place.
type library interface {
	// list gives what is plugged in, without what a device calls itself. It may
	// give some of it and an error. inUse tells the configuration of a place.
	list(inUse func(portPath string) int) ([]Device, error)
	// open opens the device that was listed and takes the interface, with the
	// setting that was chosen. If told to it detaches the kernel's driver first,
	// which closing the pipe attaches again.
	open(d Device, i Interface, detach bool) (pipe, error)
	// close ends libusb; every pipe was closed before.
	close() error
}

// pipe is an interface that was taken. Errors of a transfer may come with bytes
// that were moved.
type pipe interface {
	// read and write end with the text of a cancelled transfer when ctx does.
	read(ctx context.Context, p []byte) (int, error)
	write(ctx context.Context, p []byte) (int, error)
	// control fails with a time-out after patience.
	control(r Request, data []byte, patience time.Duration) (int, error)
	// clear ends the stall of an endpoint.
	clear(endpoint uint8) error
	// close gives the interface back; no call is under way any more.
	close() error
}
