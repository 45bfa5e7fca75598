package tap

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// channelEnv says that file 3 is where the kernel's listener is handed over.
const channelEnv = "COUNTERPROOF_TAP"

// shown are the system calls that are shown whenever they are made.
var shown = []uint32{
	unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_WRITEV, unix.SYS_PWRITEV, unix.SYS_PWRITEV2,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNC_FILE_RANGE, unix.SYS_FTRUNCATE, unix.SYS_TRUNCATE, unix.SYS_FALLOCATE,
	unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINK, unix.SYS_LINKAT, unix.SYS_SYMLINK, unix.SYS_SYMLINKAT,
	unix.SYS_UNLINK, unix.SYS_UNLINKAT, unix.SYS_RMDIR, unix.SYS_MKDIR, unix.SYS_MKDIRAT, unix.SYS_CREAT,
}

// denied are those that a program does without: the Go library falls back to
// plain writes.
var denied = []uint32{unix.SYS_COPY_FILE_RANGE, unix.SYS_SENDFILE, unix.SYS_SPLICE, unix.SYS_IO_URING_SETUP}

// Places in the kernel's description of a call (seccomp_data).
const (
	atNumber = 0
	atArch   = 4
	atArg1   = 24 // low half of the second argument
	atArg2   = 32
)

// filter is the program that the kernel runs on every call: opening is shown
// only where it makes a file or empties one.
func filter() []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	give := func(what uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what} }
	jump := func(how uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | how | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	makes := uint32(unix.O_CREAT | unix.O_TRUNC)
	p := []unix.SockFilter{
		load(atArch), jump(unix.BPF_JEQ, unix.AUDIT_ARCH_X86_64, 1, 0), give(unix.SECCOMP_RET_KILL_PROCESS), load(atNumber),
		jump(unix.BPF_JEQ, unix.SYS_OPENAT, 0, 4), load(atArg2), jump(unix.BPF_JSET, makes, 0, 1),
		give(unix.SECCOMP_RET_USER_NOTIF), give(unix.SECCOMP_RET_ALLOW),
		jump(unix.BPF_JEQ, unix.SYS_OPEN, 0, 4), load(atArg1), jump(unix.BPF_JSET, makes, 0, 1),
		give(unix.SECCOMP_RET_USER_NOTIF), give(unix.SECCOMP_RET_ALLOW),
	}
	for _, n := range shown {
		p = append(p, jump(unix.BPF_JEQ, n, 0, 1), give(unix.SECCOMP_RET_USER_NOTIF))
	}
	for _, n := range denied {
		p = append(p, jump(unix.BPF_JEQ, n, 0, 1), give(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)))
	}
	return append(p, give(unix.SECCOMP_RET_ALLOW))
}

// Enter puts this process under the tap that Run holds, before it touches its
// disk; without one it does nothing.
func Enter() error {
	if os.Getenv(channelEnv) == "" {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("entering the tap: %w", err)
	}
	p := filter()
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	// All threads are under it, and one whose call is being judged is woken by no
	// signal: it would ask a second time.
	flags := unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
		unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flags), uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("entering the tap: %w: %w", ErrAbsent, errno)
	}
	// A plain write would be shown to nobody yet, so the listener goes as a message.
	err := unix.Sendmsg(3, []byte{1}, unix.UnixRights(int(listener)), nil, 0)
	if err := errors.Join(err, unix.Close(int(listener)), unix.Close(3)); err != nil {
		return fmt.Errorf("handing the tap over: %w", err)
	}
	return nil
}

// notice is the kernel's struct seccomp_notif.
type notice struct {
	id    uint64
	pid   uint32
	flags uint32
	call  int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// reply is the kernel's struct seccomp_notif_resp.
type reply struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// Run starts cmd, which calls Enter, and shows the judge what it does under dir
// until it ends. A program that the judge ended is no error. Standard output is
// shown to the judge and goes nowhere else.
func Run(cmd *exec.Cmd, dir string, judge Judge) error {
	listener, err := start(cmd)
	if err != nil {
		return fmt.Errorf("tapping a program: %w", err)
	}
	defer unix.Close(listener)
	t := &tapped{listener: listener, dir: dir, judge: judge, process: cmd.Process}
	err = t.watch()
	if err != nil || t.killed {
		_ = cmd.Process.Kill()
	}
	ended := cmd.Wait()
	if t.killed {
		ended = nil
	}
	if err := errors.Join(err, ended); err != nil {
		return fmt.Errorf("tapping a program: %w", err)
	}
	return nil
}

// start starts the program and takes its listener.
func start(cmd *exec.Cmd) (int, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "tap")
	defer unix.Close(pair[0])
	cmd.ExtraFiles = []*os.File{theirs}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, channelEnv+"=1")
	err = errors.Join(cmd.Start(), theirs.Close())
	if err != nil {
		return -1, err
	}
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(pair[0], make([]byte, 1), rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil || n == 0 {
		return -1, errors.Join(err, fmt.Errorf("%w: the program did not enter", ErrAbsent), cmd.Process.Kill(), cmd.Wait())
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return -1, errors.Join(err, cmd.Process.Kill())
	}
	files, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(files) != 1 {
		return -1, errors.Join(err, cmd.Process.Kill())
	}
	return files[0], nil
}

// tapped is a program under the tap.
type tapped struct {
	listener int
	dir      string
	judge    Judge
	process  *os.Process
	killed   bool
}

// watch answers the kernel until the program ends or is ended.
func (t *tapped) watch() error {
	for !t.killed {
		poll := []unix.PollFd{{Fd: int32(t.listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			if poll[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
				return nil
			}
			continue
		}
		var n notice
		if err := t.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); err != nil {
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINTR) {
				continue // the thread that asked is gone
			}
			return err
		}
		if err := t.answer(n); err != nil {
			return err
		}
	}
	return nil
}

func (t *tapped) ioctl(request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(t.listener), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// answer lets one call happen, or not.
func (t *tapped) answer(n notice) error {
	r := reply{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	op, ours, err := t.read(n)
	if err != nil {
		return err
	}
	if ours {
		v := t.judge(op)
		switch {
		case v.Kill:
			t.killed = true
			return errors.Join(t.tear(n, op, v.First), t.process.Kill())
		case v.Fail != 0:
			r = reply{id: n.id, errno: -int32(v.Fail)}
		case v.Fake || op.Kind == Say:
			r = reply{id: n.id, value: int64(len(op.Data))}
		}
	}
	err = t.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
	if errors.Is(err, unix.ENOENT) {
		return nil // the thread that asked is gone
	}
	return err
}

// tear writes the first bytes of a write that ends the program.
func (t *tapped) tear(n notice, op Operation, first int) error {
	if op.Kind != Write || first <= 0 {
		return nil
	}
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", n.pid, n.args[0]), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(op.Data[:min(first, len(op.Data))], op.Offset)
	return errors.Join(err, f.Close())
}

// read makes an operation of a call; ours is false for one that is nothing to
// the judge.
func (t *tapped) read(n notice) (op Operation, ours bool, err error) {
	switch n.call {
	case unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE,
		unix.SYS_WRITEV, unix.SYS_PWRITEV, unix.SYS_PWRITEV2, unix.SYS_SYNC_FILE_RANGE:
		return t.readFile(n)
	}
	return t.readName(n)
}

// readFile reads a call about an open file.
func (t *tapped) readFile(n notice) (op Operation, ours bool, err error) {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.pid, n.args[0]))
	if err != nil {
		return op, false, nil // closed meanwhile: the call itself will fail
	}
	if n.args[0] == 1 && n.call == unix.SYS_WRITE {
		data, err := peek(n.pid, n.args[1], n.args[2])
		return Operation{Kind: Say, Data: data}, true, err
	}
	if !t.under(path) {
		return op, false, nil
	}
	op.Path = path
	switch n.call {
	case unix.SYS_PWRITE64, unix.SYS_WRITE:
		op.Kind, op.Offset = Write, int64(n.args[3])
		if n.call == unix.SYS_WRITE {
			op.Offset, err = position(n.pid, n.args[0])
		}
		if err == nil {
			op.Data, err = peek(n.pid, n.args[1], n.args[2])
		}
	case unix.SYS_FSYNC, unix.SYS_FDATASYNC:
		fi, statErr := os.Lstat(path)
		op.Kind, op.Dir = Sync, statErr == nil && fi.IsDir()
	case unix.SYS_FTRUNCATE:
		op.Kind, op.Offset = Truncate, int64(n.args[1])
	case unix.SYS_FALLOCATE:
		op.Kind, op.Offset = Reserve, int64(n.args[2]+n.args[3])
	default:
		return op, false, fmt.Errorf("call %d on %s has no name here", n.call, path)
	}
	return op, true, err
}

// naming says which arguments of a call are names; in front of each there may
// be the folder that it counts from.
type naming struct {
	kind     Kind
	from, to int  // places of the names; to is 0 for none
	folders  bool // the argument before each name is its folder
}

// namings are the calls about names. What is missing has no name here.
var namings = map[int32]naming{
	unix.SYS_OPEN: {Create, 0, 0, false}, unix.SYS_CREAT: {Create, 0, 0, false}, unix.SYS_OPENAT: {Create, 1, 0, true},
	unix.SYS_MKDIR: {Folder, 0, 0, false}, unix.SYS_MKDIRAT: {Folder, 1, 0, true},
	unix.SYS_UNLINK: {Remove, 0, 0, false}, unix.SYS_RMDIR: {Remove, 0, 0, false}, unix.SYS_UNLINKAT: {Remove, 1, 0, true},
	unix.SYS_RENAME: {Rename, 0, 1, false}, unix.SYS_RENAMEAT: {Rename, 1, 3, true}, unix.SYS_RENAMEAT2: {Rename, 1, 3, true},
	unix.SYS_LINK: {Link, 0, 1, false}, unix.SYS_LINKAT: {Link, 1, 3, true},
	unix.SYS_TRUNCATE: {"", 0, 0, false}, unix.SYS_SYMLINK: {"", 1, 0, false}, unix.SYS_SYMLINKAT: {"", 2, 0, true},
}

// readName reads a call about a name.
func (t *tapped) readName(n notice) (op Operation, ours bool, err error) {
	how := namings[n.call]
	op.Kind = how.kind
	if op.Path, err = t.name(n, how.from, how.folders); err != nil {
		return op, false, err
	}
	if how.to > 0 {
		op.To, err = t.name(n, how.to, how.folders)
	}
	if err != nil || !t.under(op.Path) && !t.under(op.To) {
		return op, false, err
	}
	return t.settleName(n, op)
}

// settleName leaves out what changes nothing.
func (t *tapped) settleName(n notice, op Operation) (Operation, bool, error) {
	fi, err := os.Lstat(op.Path)
	exists := err == nil
	switch op.Kind {
	case "":
		return op, false, fmt.Errorf("call %d on %s has no name here", n.call, op.Path)
	case Create:
		flags := n.args[2]
		if n.call == unix.SYS_OPEN {
			flags = n.args[1]
		}
		if exists && fi.Mode().IsRegular() && flags&unix.O_TRUNC != 0 && fi.Size() > 0 {
			return Operation{Kind: Truncate, Path: op.Path}, true, nil
		}
		exists = exists || flags&unix.O_CREAT == 0
		return op, !exists, nil
	case Folder:
		return op, !exists, nil
	}
	return op, exists, nil
}

// under reports whether a path lies in the tapped folder. SQLite's index of its
// log is shared memory with a name: it is made anew from the log.
func (t *tapped) under(path string) bool {
	return strings.HasPrefix(path, t.dir+"/") && !strings.HasSuffix(path, "-shm") || path == t.dir
}

// name reads the path that an argument of a call leads to.
func (t *tapped) name(n notice, at int, folders bool) (string, error) {
	b, err := peekText(n.pid, n.args[at])
	if err != nil || filepath.IsAbs(b) {
		return filepath.Clean(b), err
	}
	folder := fmt.Sprintf("/proc/%d/cwd", n.pid)
	if folders && int32(n.args[at-1]) != unix.AT_FDCWD {
		folder = fmt.Sprintf("/proc/%d/fd/%d", n.pid, int32(n.args[at-1]))
	}
	if folder, err = os.Readlink(folder); err != nil {
		return "", err
	}
	return filepath.Join(folder, b), nil
}

// peek reads the program's memory.
func peek(pid uint32, at, n uint64) ([]byte, error) {
	b := make([]byte, n)
	if n == 0 {
		return b, nil
	}
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	got, err := unix.ProcessVMReadv(int(pid), local, []unix.RemoteIovec{{Base: uintptr(at), Len: int(n)}}, 0)
	if err != nil || got != len(b) {
		return nil, fmt.Errorf("reading the program's memory: %w", errors.Join(err, errShort(got, len(b))))
	}
	return b, nil
}

func errShort(got, want int) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%d bytes of %d", got, want)
}

// maxPath bounds a path, as the kernel does.
const maxPath = 4096

// pageBytes is how far memory can be read without knowing what lies behind.
const pageBytes = 4096

// peekText reads a text that ends with a zero byte.
func peekText(pid uint32, at uint64) (string, error) {
	var text []byte
	for len(text) < maxPath {
		b, err := peek(pid, at, pageBytes-at%pageBytes)
		if err != nil {
			return "", err
		}
		if end := bytes.IndexByte(b, 0); end >= 0 {
			return string(append(text, b[:end]...)), nil
		}
		text, at = append(text, b...), at+uint64(len(b))
	}
	return "", syscall.ENAMETOOLONG
}

// position is where the next write to an open file goes.
func position(pid uint32, file uint64) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, file))
	if err != nil {
		return 0, err
	}
	var at, flags int64
	if _, err := fmt.Sscanf(string(b), "pos: %d\nflags: %o\n", &at, &flags); err != nil {
		return 0, fmt.Errorf("reading a file's position: %w", err)
	}
	if flags&unix.O_APPEND == 0 {
		return at, nil
	}
	fi, err := os.Stat(fmt.Sprintf("/proc/%d/fd/%d", pid, file))
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}
