package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long a client may take for one package.
const patience = 10 * time.Minute

// A client is a package manager's program, ready to put one package's file into
// a folder.
type client struct {
	program string
	debian  string // the system package that has the program
	args    func(p pack, folder string) []string
	// pins writes a file of pinned hashes for the client beside the folder, which
	// then refuses other contents before it opens them; "" needs none.
	pins string
}

// npm fetches a package's archive as it is; it runs none of its scripts.
var npm = client{
	program: "npm", debian: "npm",
	args: func(p pack, folder string) []string {
		return []string{"pack", p.name + "@" + p.version, "--pack-destination", folder,
			"--silent", "--ignore-scripts", "--no-update-notifier"}
	},
}

// pinFile is the name of pip's file of pinned hashes.
const pinFile = "pinned.txt"

// pipWheel fetches a built package for a platform, which need not be this one.
func pipWheel(platform string) client {
	return pip("--only-binary=:all:", "--platform", platform, "--python-version", "311")
}

// pipSource fetches a source package. pip asks every source package for its
// dependencies by running its set-up, also where none are wanted: it does so
// with the build tools in a folder of their own, and only after the hash agreed.
var pipSource = pip("--no-binary", "face_recognition")

// pip is pip with options for the kind of package.
func pip(options ...string) client {
	return client{
		program: "python3", debian: "python3-pip", pins: pinFile,
		args: func(_ pack, folder string) []string {
			args := []string{"-m", "pip", "download", "--no-deps", "--no-input", "--quiet", "--disable-pip-version-check",
				"--dest", folder, "--requirement", filepath.Join(filepath.Dir(folder), pinFile)}
			return append(args, options...)
		},
	}
}

// fetch has a package fetched into an empty folder and gives the path of its one
// file. What the client says is told only when it fails.
func (c client) fetch(ctx context.Context, p pack, temp string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	folder, err := filepath.Abs(filepath.Join(temp, "in"))
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", err
	}
	if c.pins != "" {
		line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", p.name, p.version, p.hash)
		if err := os.WriteFile(filepath.Join(temp, c.pins), []byte(line), 0o644); err != nil {
			return "", err
		}
	}
	cmd := exec.CommandContext(ctx, c.program, c.args(p, folder)...)
	cmd.Dir = temp
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return "", c.explain(err, said.String())
	}
	return onlyFile(folder)
}

// explain says why a client failed and what to do. The end of what the client said
// usually has the reason.
func (c client) explain(err error, said string) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed: apt-get install %s", c.program, c.debian)
	}
	if strings.Contains(said, "No module named pip") {
		return fmt.Errorf("python3 has no pip: apt-get install %s", c.debian)
	}
	return fmt.Errorf("%s failed: %w\n%s", c.program, err, lastLines(said, 12))
}

// lastLines keeps the end of a text, of at most so many lines.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// onlyFile is the one file of a folder. Clients name the files as they like, so
// the name is not asked for.
func onlyFile(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	if len(entries) != 1 || !entries[0].Type().IsRegular() {
		return "", fmt.Errorf("the client left %d files where one package was asked for", len(entries))
	}
	return filepath.Join(folder, entries[0].Name()), nil
}
