//go:build nopcsc || (!windows && !(linux && cgo))

package pcsc

// none stands where there is no way to the service's library.
type none struct{}

func newLibrary() library { return none{} }

func (none) establish() (session, code) { return nil, notBuilt }
