// Package cluster runs a PostgreSQL of its own in a folder: a primary and, if
// wanted, a synchronous standby. It can be killed as a failing machine kills it,
// and its standby can take over. It is for trials and tests: it trusts whoever
// speaks from this machine, and nothing else reaches it.
//
// It never touches a server that it did not start.
//
// # The laws
//
//   - Everything that makes PostgreSQL safe stays on: fsync, full pages,
//     checksums, and with a standby synchronous commit. Loosen alone turns one off,
//     for a control that must fail.
//   - A primary whose standby took over is never started again.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrAbsent: this machine has no PostgreSQL to start.
var ErrAbsent = errors.New("PostgreSQL is not installed, or nobody may run it")

// owner is the role that owns everything in the cluster.
const owner = "counterproof"

// Cluster is a running PostgreSQL.
type Cluster struct {
	bin     string
	account []string // what goes before a command, so that root does not run it
	dir     string
	primary node
	standby node          // the zero node for none
	taken   bool          // the standby took over
	loose   bool          // commits are answered before they are on the disk
	spent   time.Duration // by servers that were killed
}

// node is one server.
type node struct {
	data string
	port int
}

// New makes a cluster in a temporary folder and starts it; with standby there are
// two servers, and every commit waits for both disks.
func New(ctx context.Context, standby bool) (*Cluster, error) {
	c := &Cluster{}
	err := c.find()
	if err == nil {
		err = c.begin(ctx)
	}
	if err == nil && standby {
		err = c.double(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting a database of one's own: %w", err), c.Close())
	}
	return c, nil
}

// find finds the programs, and somebody who may run them: PostgreSQL refuses to
// be run by root.
func (c *Cluster) find() error {
	// Debian keeps them out of everybody's way.
	names, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(names) == 0 {
		path, lookErr := exec.LookPath("initdb")
		names, err = []string{path}, errors.Join(err, lookErr)
	}
	if err != nil {
		return errors.Join(ErrAbsent, err)
	}
	c.bin = filepath.Dir(names[len(names)-1])
	// Not below the caller's folder: the account could not reach it there.
	if c.dir, err = os.MkdirTemp("", "cluster-"); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return errors.Join(ErrAbsent, err)
	}
	c.account = []string{"runuser", "-u", u.Username, "--"}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	return errors.Join(uidErr, gidErr, os.Chown(c.dir, uid, gid))
}

// begin makes the primary and starts it.
func (c *Cluster) begin(ctx context.Context) error {
	port, err := free()
	if err != nil {
		return err
	}
	c.primary = node{filepath.Join(c.dir, "primary"), port}
	err = c.run(ctx, "initdb", "-D", c.primary.data, "-U", owner, "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums", "--no-sync")
	if err != nil {
		return err
	}
	return c.start(ctx, c.primary)
}

// double makes a standby of the primary, and lets every commit wait for it.
func (c *Cluster) double(ctx context.Context) error {
	port, err := free()
	if err != nil {
		return err
	}
	second := node{filepath.Join(c.dir, "standby"), port}
	err = c.run(ctx, "pg_basebackup", "-D", second.data, "-R", "-X", "stream", "-c", "fast",
		"-h", "127.0.0.1", "-p", strconv.Itoa(c.primary.port), "-U", owner)
	if err == nil {
		err = c.start(ctx, second)
	}
	if err != nil {
		return err
	}
	c.standby = second
	if err := c.SQL(ctx, "ALTER SYSTEM SET synchronous_standby_names = '*'"); err != nil {
		return err
	}
	if err := c.SQL(ctx, "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	return c.until(ctx, "SELECT 1/count(*) FROM pg_stat_replication WHERE sync_state='sync'")
}

// settings are given at each start, so that they hold whatever a file says.
func (c *Cluster) settings(n node) string {
	commit := "on"
	if c.loose {
		commit = "off -c wal_writer_delay=10s -c wal_buffers=64MB"
	}
	return fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=80 -c shared_buffers=128MB "+
		"-c max_wal_size=2GB -c dynamic_shared_memory_type=mmap -c fsync=on -c full_page_writes=on -c hot_standby=on -c wal_retrieve_retry_interval=200ms -c synchronous_commit=%s",
		n.port, commit)
}

// start starts one server and waits until it answers.
func (c *Cluster) start(ctx context.Context, n node) error {
	return c.run(ctx, "pg_ctl", "-D", n.data, "-l", n.data+".log", "-o", c.settings(n), "-w", "-t", "60", "-s", "start")
}

// Source names the database for a client: whichever server takes writes.
func (c *Cluster) Source() string {
	hosts := fmt.Sprintf("127.0.0.1:%d", c.primary.port)
	if c.standby.port != 0 {
		hosts += fmt.Sprintf(",127.0.0.1:%d", c.standby.port)
	}
	return "postgres://" + owner + "@" + hosts + "/postgres?sslmode=disable&target_session_attrs=read-write"
}

// Kill ends the primary as kill -9 does.
func (c *Cluster) Kill() error {
	c.spent = c.Spent()
	return kill(c.primary)
}

// kill ends one server.
func kill(n node) error {
	pid, err := process(n)
	if err != nil {
		return err
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		return fmt.Errorf("killing the database: %w", err)
	}
	return nil
}

// process is the first process of a server.
func process(n node) (int, error) {
	text, err := os.ReadFile(filepath.Join(n.data, "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("finding the database: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid < 2 {
		return 0, errors.Join(fmt.Errorf("finding the database: it is no process %q", line), err)
	}
	return pid, nil
}

// Restart starts a killed primary again. What it left behind may hold on to its
// memory for a moment.
func (c *Cluster) Restart(ctx context.Context) error {
	if c.taken {
		return errors.New("starting the database again: its standby took over")
	}
	var err error
	for range 60 {
		if err = c.start(ctx, c.primary); err == nil || ctx.Err() != nil {
			break
		}
		if pause(ctx) != nil {
			break
		}
	}
	return err
}

// Promote lets the standby take over, and says how long that took.
func (c *Cluster) Promote(ctx context.Context) (time.Duration, error) {
	if c.standby.port == 0 || c.taken {
		return 0, errors.New("promoting: there is no standby")
	}
	begun := time.Now()
	c.taken = true
	if err := c.run(ctx, "pg_ctl", "-D", c.standby.data, "-w", "-t", "60", "-s", "promote"); err != nil {
		return 0, err
	}
	c.primary, c.standby = c.standby, c.primary
	// It has no standby of its own, and must not wait for one.
	if err := c.SQL(ctx, "ALTER SYSTEM SET synchronous_standby_names = ''"); err != nil {
		return 0, err
	}
	return time.Since(begun), c.SQL(ctx, "SELECT pg_reload_conf()")
}

// Loosen lets the primary answer commits before they are on its disk, from now
// on.
func (c *Cluster) Loosen(ctx context.Context) error {
	c.loose = true
	return c.paused(ctx, func() error { return nil })
}

// Copy keeps what the primary's disk holds, as it is when the machine fails.
func (c *Cluster) Copy(ctx context.Context) error {
	return c.paused(ctx, func() error {
		return errors.Join(os.RemoveAll(c.primary.data+".copy"), c.do(ctx, "cp", "-a", c.primary.data, c.primary.data+".copy"))
	})
}

// Restore puts back what Copy kept.
func (c *Cluster) Restore(ctx context.Context) error {
	if _, err := os.Stat(c.primary.data + ".copy"); err != nil {
		return fmt.Errorf("finding the copy of the database: %w", err)
	}
	return c.paused(ctx, func() error {
		return errors.Join(os.RemoveAll(c.primary.data), c.do(ctx, "cp", "-a", c.primary.data+".copy", c.primary.data))
	})
}

// paused does something while the primary is down. It is not told to finish
// anything before.
func (c *Cluster) paused(ctx context.Context, do func() error) error {
	c.spent = c.Spent()
	if err := c.run(ctx, "pg_ctl", "-D", c.primary.data, "-m", "immediate", "-w", "-s", "stop"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return fmt.Errorf("while the database is down: %w", err)
	}
	return c.start(ctx, c.primary)
}

// Spent is the processor time of all servers so far, where the system tells.
func (c *Cluster) Spent() time.Duration {
	all := c.spent
	for _, n := range []node{c.primary, c.standby} {
		if pid, err := process(n); err == nil {
			all += family(pid)
		}
	}
	return all
}

// SQL runs a statement on the server that takes writes.
func (c *Cluster) SQL(ctx context.Context, statement string) error {
	return c.run(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", strconv.Itoa(c.primary.port),
		"-U", owner, "-d", "postgres", "-c", statement)
}

// until waits for a statement to succeed.
func (c *Cluster) until(ctx context.Context, statement string) error {
	var err error
	for range 60 {
		if err = c.SQL(ctx, statement); err == nil {
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return err
}

// Data are the folders of the servers, for who searches them.
func (c *Cluster) Data() []string {
	all := []string{c.primary.data}
	if c.standby.data != "" {
		all = append(all, c.standby.data)
	}
	return all
}

// Close ends the servers and removes their folder.
func (c *Cluster) Close() error {
	for _, n := range []node{c.primary, c.standby} {
		if _, err := os.Stat(filepath.Join(n.data, "postmaster.pid")); n.data != "" && err == nil {
			_ = c.run(context.Background(), "pg_ctl", "-D", n.data, "-m", "immediate", "-w", "-s", "stop") // it may be dead
		}
	}
	if c.dir == "" {
		return nil
	}
	return os.RemoveAll(c.dir)
}

// run runs one of PostgreSQL's programs.
func (c *Cluster) run(ctx context.Context, name string, args ...string) error {
	return c.do(ctx, filepath.Join(c.bin, name), args...)
}

// do runs a program as the account that owns the folder.
func (c *Cluster) do(ctx context.Context, name string, args ...string) error {
	words := slices.Concat(c.account, []string{name}, args)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = c.dir
	// A server that is started must not hold on to our pipes, so this is a file.
	out, err := os.CreateTemp("", "cluster-out-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	if closed := out.Close(); err == nil {
		return closed
	}
	text, readErr := os.ReadFile(out.Name())
	return fmt.Errorf("%s: %w: %s", filepath.Base(name), errors.Join(err, readErr), text)
}

// pause waits a moment.
func pause(ctx context.Context) error {
	timer := time.NewTimer(200 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// free finds a port that nobody uses.
func free() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	return port, ln.Close()
}
