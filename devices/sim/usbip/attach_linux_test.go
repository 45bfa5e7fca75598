package usbip

import (
	"os"
	"slices"
	"testing"
)

// TestFreePorts reads tables of the virtual host controller.
func TestFreePorts(t *testing.T) {
	t.Parallel()
	const head = "hub port sta spd dev      sockfd local_busid\n"
	tests := []struct {
		name, table string
		free        []int
	}{
		{"all free", head + "hs  0000 004 000 00000000 000000 0-0\nhs  0001 004 000 00000000 000000 0-0\n", []int{0, 1}},
		{"first taken", head + "hs  0000 006 003 00010002 000003 1-1\nhs  0001 004 000 00000000 000000 0-0\n", []int{1}},
		{"only super speed is free", head + "hs  0000 006 003 00010002 000003 1-1\nss  0008 004 000 00000000 000000 0-0\n", nil},
		{"nothing", "", nil},
		{"nonsense", head + "hs  x 004\nhs  -001 004 0\nhs  9999 004 0\nhs\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := freePorts(tt.table); !slices.Equal(got, tt.free) {
				t.Errorf("got %v, want %v", got, tt.free)
			}
		})
	}
}

// TestAttachWithout asks where there is no controller.
func TestAttachWithout(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(controller); err == nil {
		t.Skip("this machine has a virtual host controller: nothing is plugged into it from here")
	}
	if _, err := Attach(0); err == nil {
		t.Error("attaching: no error, want that the controller is missing")
	}
	if _, err := FreePorts(); err == nil {
		t.Error("asking for ports: no error, want that the controller is missing")
	}
}
