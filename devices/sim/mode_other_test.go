//go:build !unix

package sim_test

import (
	"io/fs"
	"testing"
)

// wantMode holds nothing: this system has no modes, and a folder passes on who
// may read it.
func wantMode(*testing.T, string, fs.FileMode) {}
