//go:build !linux || !cgo || nozxing

package barcode

// best is the engine of this build.
func best() engine { return pure{} }
