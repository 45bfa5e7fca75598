//go:build !linux

package bus

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/devices/profile"
)

// look finds nothing: on this system devices are named by the site.
func look(string, string) ([]profile.Found, error) { return nil, nil }

// fingerprint never changes.
func fingerprint(string) string { return "" }

// ears hear nothing here.
type ears struct{}

func listen() (*ears, error) { return &ears{}, nil }

func (*ears) close() {}

// wait lets a time pass.
func (*ears) wait(ctx context.Context, d time.Duration) (m uevent, heard bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return m, false
}
