package vpcd

import (
	"net"

	"golang.org/x/sys/unix"
)

// promptly gives what makes the system acknowledge the next piece at once. It holds
// for one piece. On what is no TCP connection it does nothing.
func promptly(conn net.Conn) func() {
	tcp, is := conn.(*net.TCPConn)
	if !is {
		return func() {}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return func() {}
	}
	return func() {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
		})
	}
}
