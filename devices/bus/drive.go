package bus

import (
	"context"
	"io"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver"
	"github.com/counterproof/counterproof/devices/profile"
)

// drive opens a thing as a driver of its profile.
func (s *Source) drive(ctx context.Context, t Thing) (io.Closer, error) {
	return driver.Open(ctx, driver.Config{ID: t.ID, Profile: t.Profile, Found: t.Found, USB: s.usb, Locks: s.cfg.Locks})
}

// driven keeps a driver that could not be opened from being one.
func driven[T io.Closer](d T, err error) (io.Closer, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Refused tells why a thing is recognised and yet never opened: a word of
// profile.Hints such as keyboard_wedge; "" where it is not so. It is listed all
// the same, so that the screen can say what to do about it.
func (t Thing) Refused() string {
	if !t.Known || t.Profile.Transport != profile.OverNothing || len(t.Profile.Can) == 0 {
		return ""
	}
	return t.Profile.Hint
}

// kind is the Kind with which a thing is listed.
func (t Thing) kind() devices.Kind {
	if t.Refused() != "" {
		return devices.Unsupported
	}
	return devices.KindNone
}

// unopened is the fault of a thing that is not opened.
func (t Thing) unopened() error {
	f := &devices.Fault{Op: opening, Kind: devices.Unsupported, Device: t.ID, Err: errNotMatched}
	if word := t.Refused(); word != "" {
		f.Err = driver.Refused(word)
	}
	return f
}
