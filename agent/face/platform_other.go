//go:build !linux && !windows

package face

// library is the runtime's file beside the networks.
const library = "libonnxruntime.dylib"

// giveBack has nothing to do here.
func giveBack() {}
