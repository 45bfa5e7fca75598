//go:build unix

package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// lock makes sure that one daemon at a time works on a data folder. It is let go
// when the process ends, however it ends.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &proof.Error{Op: "making the data folder", Kind: proof.KindDiskFails, Err: err}
	}
	f, err := os.OpenFile(filepath.Join(dir, "daemon.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, &proof.Error{Op: "locking the data folder", Kind: proof.KindDiskFails, Err: err}
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, &proof.Error{Op: "locking the data folder", Kind: proof.KindAlreadyRunning, Err: errors.Join(err, f.Close())}
	}
	return f, nil
}

// listen opens the socket. A socket that a dead daemon left is replaced; one
// that answers belongs to somebody, and a file that is no socket is left alone.
func listen(path string, users []int) (net.Listener, error) {
	taken := func(err error) error {
		return &proof.Error{Op: "opening the local interface", Kind: proof.KindSocketTaken, Err: err}
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&os.ModeSocket == 0 {
			return nil, taken(errors.New("a file lies in the socket's place"))
		}
		c, err := net.DialTimeout("unix", path, time.Second)
		if err == nil {
			return nil, taken(c.Close())
		}
		// Only a refusal says that nobody is there; whoever is too busy is.
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, taken(err)
		}
		if err := os.Remove(path); err != nil {
			return nil, taken(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, taken(err)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, taken(err)
	}
	mode := os.FileMode(0o600)
	if len(users) > 0 {
		mode = 0o666 // the peer's user is checked on every connection
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, taken(errors.Join(err, l.Close()))
	}
	allowed := append([]int{0, os.Getuid()}, users...)
	return &checked{l.(*net.UnixListener), allowed}, nil
}

// checked accepts only peers of users that are allowed.
type checked struct {
	*net.UnixListener
	users []int
}

// Accept waits for a peer that may speak to us. Others are hung up on, and the
// log tells their user.
func (l *checked) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err // as it is: net/http waits and goes on only where it knows the error
		}
		user, err := peerUser(c)
		if err == nil && slices.Contains(l.users, user) {
			return c, nil
		}
		slog.Warn("peer refused", "kind", string(proof.KindPeerRefused), "uid", user)
		if err := c.Close(); err != nil {
			slog.Debug("closing a refused peer", "err", err.Error())
		}
	}
}
