//go:build !linux && !windows

package face

// library is the runtime's file beside the networks.
const library = "libonnxruntime.dylib"
