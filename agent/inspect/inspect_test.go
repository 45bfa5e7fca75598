package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/spf13/cobra"
)

// runCommand runs "inspect" with arguments and an input.
func runCommand(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	cmd := Command()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

// echo answers with the input itself.
func echo(in json.RawMessage) (any, error) { return in, nil }

func TestJSONLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"only-space", " \n\n\t", ""},
		{"one-a-line", "1\n2\n3\n", "1\n2\n3\n"},
		{"one-after-another", `{"a":1}{"b":2}[3]`, "{\"a\":1}\n{\"b\":2}\n[3]\n"},
		{"over-several-lines", "{\n \"a\":\n 1 }", "{\"a\":1}\n"},
		{"signs-as-they-are", `{"a":"P<UTO&>"}`, "{\"a\":\"P<UTO&>\"}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := jsonLines(iotest.OneByteReader(strings.NewReader(c.in)), &out, echo); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("got %q, want %q", out.String(), c.want)
			}
		})
	}
}

func TestJSONLinesNotUnderstood(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("x", maxInput) + `"`
	for _, c := range []struct{ name, in, out, says string }{
		{"not-json", "hello", "", "input 1 was not understood: it is not JSON"},
		{"second", "1 hello", "1\n", "input 2 was not understood: it is not JSON"},
		{"cut-off", `1 {"a":`, "1\n", "input 2 was not understood: the JSON text ends"},
		{"too-long", "1\n" + long, "1\n", "input 2 was not understood: it is longer"},
		{"too-long/without-end", `"` + strings.Repeat("x", 4*maxInput), "", "input 1 was not understood: it is longer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := jsonLines(strings.NewReader(c.in), &out, echo)
			if err == nil || !strings.HasPrefix(err.Error(), c.says) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if ExitCode(err) != 2 {
				t.Errorf("exit code %d, want 2", ExitCode(err))
			}
			if out.String() != c.out {
				t.Errorf("answered %q before, want %q", out.String(), c.out)
			}
		})
	}
	justFits := `"` + strings.Repeat("x", maxInput-2) + `"`
	if err := jsonLines(strings.NewReader(justFits+justFits+justFits), io.Discard, echo); err != nil {
		t.Errorf("inputs at the bound: %v", err)
	}
}

// TestAnswersAreFlushed: an answer is out before the next question comes.
func TestAnswersAreFlushed(t *testing.T) {
	t.Parallel()
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- jsonLines(in, out, echo) }()
	for _, q := range []string{"1", "2"} {
		if _, err := io.WriteString(ask, q+"\n"); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 2)
		if _, err := io.ReadFull(answers, got); err != nil || string(got) != q+"\n" {
			t.Fatalf("answer %q (%v) to %s", got, err, q)
		}
	}
	ask.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	full := jsonLines(strings.NewReader("1"), failingWriter{}, echo)
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"good", nil, 0},
		{"cannot-write", full, 1},
		{"not-understood", &NotUnderstood{"input 1", io.ErrUnexpectedEOF}, 2},
		{"not-understood/wrapped", errors.Join(errors.New("x"), &NotUnderstood{"input 1", io.EOF}), 2},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%s (%v): exit code %d, want %d", c.name, c.err, got, c.want)
		}
	}
	if !errors.Is(full, io.ErrShortWrite) {
		t.Errorf("a full disk is told as %v", full)
	}
}

// failingWriter is a full disk.
type failingWriter struct{}

// Write fails.
func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestFileLines(t *testing.T) {
	t.Parallel()
	answer := func(path string) (any, error) {
		if path == "bad.jpg" {
			return nil, errors.New("no such file")
		}
		return map[string]string{"file": path}, nil
	}
	var out bytes.Buffer
	err := fileLines([]string{"a.jpg", "b.jpg", "bad.jpg", "c.jpg"}, &out, answer)
	if want := "{\"file\":\"a.jpg\"}\n{\"file\":\"b.jpg\"}\n"; out.String() != want {
		t.Errorf("answered %q, want %q", out.String(), want)
	}
	if ExitCode(err) != 2 || !strings.Contains(err.Error(), "bad.jpg was not understood: no such file") {
		t.Errorf("got %v", err)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"help", []string{"--help"}, 0},
		{"nothing", nil, 0},
		{"no-such-part", []string{"palm-reading"}, 2},
		{"no-such-flag", []string{"score", "--fast"}, 2},
		{"argument-too-many", []string{"ods", "FWC87"}, 2},
		{"no-such-policy", []string{"score", "--policy", "gpg45-9"}, 2},
		{"no-such-file", []string{"score", "--policy-file", "testdata/none.json"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := runCommand(t, "", c.args...); ExitCode(err) != c.want {
				t.Errorf("exit code %d (%v), want %d", ExitCode(err), err, c.want)
			}
		})
	}
}

// TestEveryCommandHasExamples: the help of each part shows how to use it, and
// the examples with an input are understood as they stand.
func TestEveryCommandHasExamples(t *testing.T) {
	t.Parallel()
	for _, cmd := range Command().Commands() {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: short, long or example is missing", cmd.Name())
		}
		for line := range strings.Lines(cmd.Example) {
			example(t, cmd, strings.TrimSpace(line))
		}
	}
}

// example runs one example that pipes an input in.
func example(t *testing.T, cmd *cobra.Command, line string) {
	t.Helper()
	in, rest, piped := strings.Cut(strings.TrimPrefix(line, "echo '"), "' | counterproofd inspect ")
	if !piped {
		return
	}
	out, err := runCommand(t, in, strings.Fields(rest)...)
	if err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("%s: the example %s gives %q (%v)", cmd.Name(), line, out, err)
	}
}
