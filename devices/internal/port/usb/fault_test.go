package usb

import (
	"errors"
	"fmt"
	"testing"

	"github.com/counterproof/counterproof/devices"
)

func TestTroubles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		trouble trouble
		kind    devices.Kind
	}{
		"failed to claim interface 0 on vid=1209: libusb: device or resource busy [code -6]": {troubleBusy, devices.InUse},
		"libusb: bad access [code -3]":                                {troubleAccess, devices.Permission},
		"libusb: no device [code -4]":                                 {troubleNoDevice, devices.Gone},
		"libusb: i/o error [code -1]":                                 {troubleIO, devices.Protocol},
		"libusb: timeout [code -7]":                                   {troubleTimeout, devices.Timeout},
		"libusb: overflow [code -8]":                                  {troubleOverflow, devices.Protocol},
		"libusb: pipe error [code -9]":                                {troubleStall, devices.Protocol},
		"libusb: not supported [code -12]":                            {troubleUnsupported, devices.Unsupported},
		"libusb: unknown error [code -99]":                            {troubleOther, devices.Protocol},
		"transfer was cancelled":                                      {troubleCancelled, devices.Cancelled},
		"transfer failed":                                             {troubleIO, devices.Protocol},
		"device was disconnected":                                     {troubleNoDevice, devices.Gone},
		"device sent more data than requested":                        {troubleOverflow, devices.Protocol},
		"halt condition detected (endpoint stalled) or control":       {troubleStall, devices.Protocol},
		"libusb: bad access [code -3]\nlibusb: no device [code -4]":   {troubleNoDevice, devices.Gone},
		"device \"[code -3]\": libusb: device or resource [code -6]":  {troubleBusy, devices.InUse},
		"interface 3 not found, available interface numbers: [0 1 2]": {troubleOther, devices.Protocol},
		"": {troubleOther, devices.Protocol},
	} {
		got := troubleOf(fmt.Errorf("opening: %w", errors.New(text)))
		if got != want.trouble || got.kind() != want.kind {
			t.Errorf("%q: got %d, %q, want %d, %q", text, got, got.kind(), want.trouble, want.kind)
		}
	}
	if troubleOf(nil) != troubleNone || troubleNone.kind() != devices.KindNone {
		t.Error("no error is a trouble")
	}
}
