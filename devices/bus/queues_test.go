//go:build unix

package bus

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/counterproof/counterproof/devices"
)

// cups makes a folder with an lpstat that knows the queues in a file.
func cups(tb testing.TB, queues string) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	// A program that some child still has open for writing cannot be run (ETXTBSY):
	// no other test may fork meanwhile.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for name, text := range map[string]string{
		"lpstat": "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n[ \"$1\" = -e ] && exec cat queues\ngrep -qx \"$2\" queues\n", "queues": queues,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func TestQueues(t *testing.T) {
	t.Parallel()
	q := NewQueues("Letters", "Absent")
	q.programs = cups(t, "Letters\nDirector\n")
	list, err := q.Devices(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != "cups:Letters" || list[0].Roles[0] != devices.LetterPrinter {
		t.Fatalf("listed %+v, %v", list, err)
	}
	o, err := q.Open(t.Context(), "cups:Letters")
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := o.(devices.Printer); !ok || p.Accepts()[0] != devices.PDF {
		t.Errorf("opened a %T", o)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	for _, id := range []devices.ID{"cups:Absent", "cups:Director", "usb:1-2"} {
		if o, err := q.Open(t.Context(), id); o != nil || devices.KindOf(err) != devices.Missing {
			t.Errorf("%s: %v", id, err)
		}
	}
	if list, err := (&Queues{names: []string{"Letters"}, programs: t.TempDir()}).Devices(t.Context()); len(list) > 0 || err != nil {
		t.Errorf("without CUPS: %+v, %v", list, err)
	}
	if list, err := NewQueues().Devices(t.Context()); len(list) > 0 || err != nil {
		t.Errorf("with no name: %+v, %v", list, err)
	}
	if names, err := QueueNames(t.Context()); err != nil && devices.KindOf(err) != devices.Unsupported && devices.KindOf(err) != devices.Protocol {
		t.Errorf("of this system: %q, %v", names, err)
	}
}

// TestQueuesAreLookedAt: a queue that comes or goes is found within half a minute.
func TestQueuesAreLookedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*queueWatch+queueWatch/2)
		defer cancel()
		looks := 0
		if err := NewQueues("Letters").Watch(ctx, func(devices.ID) { looks++ }); err != nil || looks != 3 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}
