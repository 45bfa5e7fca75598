//go:build unix

package tpm

import (
	"os"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// ownDevice is the machine's TPM behind the kernel's resource manager, which
// shares the chip's few places among programs.
const ownDevice = "/dev/tpmrm0"

// openLine opens a device file or a socket.
func openLine(device string) (transport.TPMCloser, error) {
	if device == "auto" {
		device = ownDevice
	}
	fi, err := os.Stat(device)
	if err != nil {
		return nil, err
	}
	if fi.Mode()&os.ModeSocket != 0 {
		return linuxudstpm.Open(device)
	}
	return linuxtpm.Open(device)
}
