package doctor

import "errors"

// Exit is how a command ended that has said what it has to say.
type Exit struct {
	Code int
	Err  error
}

// Error says why.
func (e *Exit) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *Exit) Unwrap() error { return e.Err }

// ExitCode is the exit code of an error that is an Exit, else other.
func ExitCode(err error, other int) int {
	if e, ok := errors.AsType[*Exit](err); ok {
		return e.Code
	}
	return other
}
