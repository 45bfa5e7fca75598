package daemon

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// peerUser is the numeric id of the user at the other end of a Unix socket, as
// the kernel tells it (SO_PEERCRED, unix(7)).
func peerUser(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("asking for the peer: %w", err)
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil || failed != nil {
		return -1, fmt.Errorf("asking for the peer: %w", cmpErr(err, failed))
	}
	return int(cred.Uid), nil
}

// cmpErr is the first error there is.
func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
