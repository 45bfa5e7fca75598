//go:build unix

package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/proof"
)

// short is a folder whose name leaves room for a socket's.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "counter")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestOneDaemonForEachFolder(t *testing.T) {
	t.Parallel()
	dir := short(t)
	held, err := lock(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(filepath.Join(dir, "data")); proof.KindOf(err) != proof.KindAlreadyRunning {
		t.Errorf("a second daemon: %v", err)
	}
	cfg := config.Default()
	cfg.Data = filepath.Join(dir, "data")
	if err := Run(t.Context(), cfg, nil); proof.KindOf(err) != proof.KindAlreadyRunning {
		t.Errorf("running twice: %v", err)
	}
	if _, err := Enrol(t.Context(), cfg, "cpi1:x", nil); proof.KindOf(err) != proof.KindAlreadyRunning {
		t.Errorf("enrolling beside a daemon: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lock(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	_ = again.Close()
	if info, err := os.Stat(filepath.Join(dir, "data")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data folder is open to others: %v %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lock(filepath.Join(dir, "file")); proof.KindOf(err) != proof.KindDiskFails {
		t.Errorf("a file in the folder's place: %v", err)
	}
}

func TestSocketsOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(short(t), "s")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := listen(path, nil); proof.KindOf(err) != proof.KindSocketTaken {
		t.Errorf("a socket that answers: %v", err)
	}
	dial(t, path)
	file := filepath.Join(short(t), "s")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(file, nil); proof.KindOf(err) != proof.KindSocketTaken {
		t.Errorf("a file in the socket's place: %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("the file is now %q: %v", b, err)
	}
	if _, err := listen(filepath.Join(file, "s"), nil); proof.KindOf(err) != proof.KindSocketTaken {
		t.Errorf("a socket below a file: %v", err)
	}
}

// dial connects and hangs up.
func dial(t *testing.T, path string) {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Errorf("nobody answers on the socket any more: %v", err)
		return
	}
	_ = c.Close()
}

// TestABusySocketIsTaken: a daemon that is too busy to accept is there all the
// same.
func TestABusySocketIsTaken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(short(t), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for range 8 { // fill what may wait
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		cancel()
		if err != nil {
			break
		}
		defer c.Close()
	}
	if _, err := listen(path, nil); proof.KindOf(err) != proof.KindSocketTaken {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the busy daemon's socket is gone: %v", err)
	}
}

func TestADeadDaemonsSocketIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(short(t), "new", "s")
	first, err := listen(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	first.(*checked).SetUnlinkOnClose(false) // as a killed process leaves it
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Fatalf("no socket was left: %v", err)
	}
	second, err := listen(path, nil)
	if err != nil {
		t.Fatalf("a socket that nobody answers: %v", err)
	}
	dial(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is open to others: %v %v", info.Mode(), err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// meet connects to a listener and reports whether it was accepted or hung up
// on.
func meet(t *testing.T, l *checked) (accepted bool) {
	t.Helper()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer l.Close()
	come := make(chan net.Conn, 1)
	wg.Go(func() {
		if c, err := l.Accept(); err == nil {
			come <- c
			_, _ = c.Write([]byte{1})
			_ = c.Close()
		}
	})
	c, err := (&net.Dialer{}).DialContext(t.Context(), "unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := c.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("neither accepted nor hung up on")
	}
	return n == 1 && len(come) == 1
}

func TestOnlyAllowedUsersSpeak(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		users []int
		want  bool
	}{
		"nobody":  {nil, false},
		"others":  {[]int{os.Getuid() + 1, os.Getuid() + 1000}, false},
		"us":      {[]int{os.Getuid()}, true},
		"us-also": {[]int{os.Getuid() + 1, os.Getuid()}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(short(t), "s"))
			if err != nil {
				t.Fatal(err)
			}
			if got := meet(t, &checked{l.(*net.UnixListener), c.users}); got != c.want {
				t.Errorf("accepted %t, want %t", got, c.want)
			}
		})
	}
}

func TestTheOwnUserAndConfiguredOnesAreAllowed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(short(t), "s")
	l, err := listen(path, []int{4711})
	if err != nil {
		t.Fatal(err)
	}
	got := l.(*checked)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("another user cannot connect: %v %v", info.Mode(), err)
	}
	for _, uid := range []int{0, os.Getuid(), 4711} {
		if !slices.Contains(got.users, uid) {
			t.Errorf("user %d may not speak: %v", uid, got.users)
		}
	}
	if !meet(t, got) {
		t.Error("our own user was refused")
	}
}
