package tap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The test binary is its own victim: it works in this folder.
const victimDir = "COUNTERPROOF_TAP_VICTIM"

func TestMain(m *testing.M) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	err := Enter()
	if err == nil {
		err = work(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// work does one of everything, and says what it has done.
func work(dir string) error {
	name := func(s string) string { return filepath.Join(dir, s) }
	if err := os.Mkdir(name("sub"), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name("a"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, do := range []func() error{
		func() error { _, err := f.Write([]byte("first")); return err },
		func() error { _, err := f.Write([]byte(" second")); return err },
		func() error { _, err := f.WriteAt([]byte("FIRST"), 0); return err },
		f.Sync,
		func() error { return f.Truncate(9) },
		func() error { return os.Rename(name("a"), name("b")) },
		func() error { return os.Link(name("b"), name("sub/c")) },
		func() error { return syncFolder(dir) },
		func() error { return os.WriteFile(name("sub/big"), bytes.Repeat([]byte("0123456789"), 20_000), 0o600) },
		func() error { return os.Remove(name("sub/c")) },
		func() error { return appendTo(name("b"), "!") },
	} {
		if err := do(); err != nil {
			return err
		}
		fmt.Println("done")
	}
	// Elsewhere is nobody's business.
	return os.WriteFile(filepath.Join(os.TempDir(), fmt.Sprintf("tap-%d", os.Getpid())), nil, 0o600)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

// victim runs the work under a judge in a new folder.
func victim(t *testing.T, judge Judge) (dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir, "TMPDIR="+t.TempDir())
	var talk strings.Builder
	cmd.Stderr = &talk
	err = Run(cmd, dir, judge)
	if errors.Is(err, ErrAbsent) {
		t.Skipf("SKIPPED: no system call can be shown here: %v", err)
	}
	if err != nil {
		t.Log(talk.String())
	}
	return dir, err
}

// seen runs the work undisturbed and lists what was shown, without the folder.
func seen(t *testing.T) (ops []Operation, dir string) {
	t.Helper()
	dir, err := victim(t, func(op Operation) Verdict {
		ops = append(ops, op)
		return Verdict{}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		ops[i].Path = strings.TrimPrefix(ops[i].Path, dir)
		ops[i].To = strings.TrimPrefix(ops[i].To, dir)
	}
	return ops, dir
}

// Everything is shown, in order, with its bytes and places, and happens.
func TestShown(t *testing.T) {
	t.Parallel()
	ops, dir := seen(t)
	var got []string
	for _, op := range ops {
		line := fmt.Sprintf("%s %s %s %d %d", op.Kind, op.Path, op.To, op.Offset, len(op.Data))
		if op.Dir {
			line += " folder"
		}
		got = append(got, line)
	}
	want := strings.Split(strings.TrimSpace(`
folder /sub  0 0
create /a  0 0
write /a  0 5
say   0 5
write /a  5 7
say   0 5
write /a  0 5
say   0 5
sync /a  0 0
say   0 5
truncate /a  9 0
say   0 5
rename /a /b 0 0
say   0 5
link /b /sub/c 0 0
say   0 5
sync   0 0 folder
say   0 5
create /sub/big  0 0
write /sub/big  0 200000
say   0 5
remove /sub/c  0 0
say   0 5
write /b  9 1
say   0 5`), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if string(ops[4].Data) != " second" || string(ops[6].Data) != "FIRST" {
		t.Errorf("got %q and %q", ops[4].Data, ops[6].Data)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || string(b) != "FIRST sec!" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if !strings.Contains(ops[4].String(), "write /a at 5, 7 bytes") {
		t.Errorf("an operation is called %q", ops[4])
	}
}

// A victim that is ended at its nth operation has done those before it, and
// nothing or half of that one.
func TestKillAtEvery(t *testing.T) {
	t.Parallel()
	all, _ := seen(t)
	for n := range all {
		i := 0
		dir, err := victim(t, func(op Operation) Verdict {
			i++
			return Verdict{Kill: i == n+1, First: len(op.Data) / 2}
		})
		if err != nil || i != n+1 {
			t.Fatalf("ended at %d of %d, %v", i, n+1, err)
		}
		done := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
		happened := func(kind Kind, path string) bool {
			return slices.ContainsFunc(all[:n], func(o Operation) bool { return o.Kind == kind && o.Path == path })
		}
		if done("sub") != happened(Folder, "/sub") || done("b") != happened(Rename, "/a") || done("sub/big") != happened(Create, "/sub/big") {
			t.Errorf("ended before %s: something happened that should not have, or the other way", all[n])
		}
		if all[n].Kind != Write || all[n].Path != "/sub/big" {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, "sub/big")); err != nil || len(b) != 100_000 {
			t.Errorf("a torn write left %d bytes, %v", len(b), err)
		}
	}
}

// An operation fails as it is told to, or only seems to happen.
func TestFail(t *testing.T) {
	t.Parallel()
	said := 0
	dir, err := victim(t, func(op Operation) Verdict {
		if op.Kind == Say {
			said++
		}
		if op.Kind == Write && op.Offset == 5 {
			return Verdict{Fail: syscall.ENOSPC}
		}
		return Verdict{}
	})
	if err == nil || said != 1 {
		t.Errorf("a full disk: %d things were done, %v", said, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || string(b) != "first" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	dir, err = victim(t, func(op Operation) Verdict { return Verdict{Fake: op.Kind == Write && op.Offset == 5} })
	if err != nil {
		t.Error(err)
	}
	// The position in the file did not move, and nothing else noticed.
	if b, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || string(b) != "FIRST\x00\x00\x00\x00!" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

// A program that does not enter, or ends badly, is told of; one without a tap
// goes on by itself.
func TestUnentered(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		if err := Enter(); err != nil {
			t.Errorf("without a tap: %v", err)
		}
	}
	err := Run(exec.Command("true"), t.TempDir(), func(Operation) Verdict { return Verdict{} })
	if !errors.Is(err, ErrAbsent) {
		t.Errorf("got %v, want %v", err, ErrAbsent)
	}
	if err := Run(exec.Command("/no/such/program"), t.TempDir(), nil); err == nil {
		t.Error("a program that is not there ran")
	}
}
