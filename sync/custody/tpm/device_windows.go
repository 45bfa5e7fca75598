package tpm

import (
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/windowstpm"
)

// openLine opens the machine's TPM by the TPM Base Services; there is no other.
func openLine(string) (transport.TPMCloser, error) { return windowstpm.Open() }
