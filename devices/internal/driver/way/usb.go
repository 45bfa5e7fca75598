package way

import (
	"context"
	"errors"
	"sync"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/port/usb"
)

// USB is the process's libusb. It is started with the first device that needs it
// and ended with the last, so that a counter without such a device has none. The
// zero value is ready; its methods may be called from any goroutine.
type USB struct {
	// Sys is where the kernel shows its devices; "/sys" if empty.
	Sys string
	// Stirs is told where the kernel is about to tell of comings and goings that
	// are this program's doing; see usb.Config.
	Stirs func(portPath string)

	mu    sync.Mutex
	host  *usb.Host
	users int
}

// open takes an interface. The port that comes first is for the driver: closing
// it ends libusb where nobody else uses it.
func (u *USB) open(ctx context.Context, portPath string, number int) (devices.Port, *usb.Port, error) {
	host, err := u.enter()
	if err != nil {
		return nil, nil, err
	}
	port, err := host.Open(ctx, portPath, number)
	if err != nil {
		return nil, nil, errors.Join(err, u.leave())
	}
	return &usbPort{Port: port, leave: sync.OnceValue(u.leave)}, port, nil
}

// enter starts libusb for its first user.
func (u *USB) enter() (*usb.Host, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.host == nil {
		host, err := usb.Config{Sys: u.Sys, Stirs: u.Stirs}.Open()
		if err != nil {
			return nil, err
		}
		u.host = host
	}
	u.users++
	return u.host, nil
}

// leave ends libusb with its last user.
func (u *USB) leave() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.users--
	if u.users > 0 {
		return nil
	}
	host := u.host
	u.host = nil
	return host.Close()
}

// usbPort is a port whose end is told.
type usbPort struct {
	*usb.Port
	leave func() error
}

// Close gives the interface back.
func (p *usbPort) Close() error { return errors.Join(p.Port.Close(), p.leave()) }
