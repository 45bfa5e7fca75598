//go:build cgo && !nozxing

package barcode

// engines are those that the suite is run over.
func engines() map[string]engine {
	return map[string]engine{"zxing": foreign{}, "gozxing": pure{}}
}
