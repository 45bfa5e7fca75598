// Package inspect makes each reader, parser and rule of the counter usable from
// a shell: for support, for audit and for other programs. JSON or files in, JSON
// out, one object a line, in the order of the inputs.
//
// It opens no visit, keeps nothing and asks no device but the chip reader that
// "inspect chip" is told of. What it is given may be personal, so it writes answers
// only where it is told to, and a sentence about a bad input names the input by its
// number and the field, never its content.
//
// # The laws
//
//   - Every answer comes from the same code as at a counter.
//   - Exit 0 when every input was answered, also with a negative verdict; 2 when
//     an input could not be understood; 1 when the answer could not be written
//     or a part of the program is not there.
//   - The first input that cannot be understood ends the run; what came before
//     it is answered and flushed.
package inspect

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// maxInput bounds one JSON value on the input, in bytes.
const maxInput = 1 << 20

// answerer answers one input. Its error says what about the input could not be
// understood; a negative verdict is an answer.
type answerer func(in json.RawMessage) (any, error)

// NotUnderstood is an input that could not be understood.
type NotUnderstood struct {
	Input string // "input 3", or a file's name
	Err   error
}

// Error says which input and why.
func (e *NotUnderstood) Error() string {
	return e.Input + " was not understood: " + e.Err.Error()
}

// Unwrap gives the reason.
func (e *NotUnderstood) Unwrap() error { return e.Err }

// ExitCode is the exit code of a program whose command ended with err: 0, 2
// for an input or a command line that was not understood, else 1.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[*NotUnderstood](err); ok {
		return 2
	}
	return 1
}

// jsonLines answers a stream of JSON values, one after another or one a line.
// Each answer is one line and is written at once.
func jsonLines(in io.Reader, out io.Writer, answer answerer) error {
	bounded := &allowance{r: in}
	dec := json.NewDecoder(bounded)
	for n := 1; ; n++ {
		bounded.left = 2 * maxInput // the decoder reads ahead
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && len(raw) > maxInput {
			err = errTooLong
		}
		if err != nil {
			return &NotUnderstood{fmt.Sprintf("input %d", n), plainly(err)}
		}
		a, err := answer(raw)
		if err != nil {
			return &NotUnderstood{fmt.Sprintf("input %d", n), err}
		}
		if err := writeLine(out, a); err != nil {
			return err
		}
	}
}

// fileLines answers files, one line each. An answer that is a nil error is
// written; an error names the file.
func fileLines(files []string, out io.Writer, answer func(path string) (any, error)) error {
	for _, path := range files {
		a, err := answer(path)
		if err != nil {
			return &NotUnderstood{path, err}
		}
		if err := writeLine(out, a); err != nil {
			return err
		}
	}
	return nil
}

// writeLine writes one answer as one line, with "<" as it is.
func writeLine(out io.Writer, answer any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		return fmt.Errorf("writing an answer: %w", err)
	}
	return nil
}

// errTooLong is an input above the bound.
var errTooLong = fmt.Errorf("it is longer than %d bytes", maxInput)

// allowance is a reader that may be read from up to a number of bytes.
type allowance struct {
	r    io.Reader
	left int
}

// Read reads within the allowance.
func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errTooLong
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// plainly says what is wrong with a JSON text without quoting it.
func plainly(err error) error {
	if errors.Is(err, errTooLong) {
		return errTooLong
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON text ends in the middle of a value")
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is not JSON, at byte %d", syntax.Offset)
	}
	return err
}

// decode reads one JSON object. Keys that it does not know are left alone, so
// that a worked case can be asked as it stands.
func decode(in json.RawMessage, into any) error {
	err := json.Unmarshal(in, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		got, _, _ := strings.Cut(wrong.Value, " ") // "number 1.5" would quote it
		return fmt.Errorf("%s is a JSON %s where %s is expected", cmp.Or(wrong.Field, "it"), got, jsonKind(wrong.Type.Kind()))
	}
	return err
}

// jsonKind is what JSON calls a kind of Go value.
func jsonKind(k reflect.Kind) string {
	switch k {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}

// today is the civil date at the counters.
func today() proof.Date { return route.Today(time.Now()) }
