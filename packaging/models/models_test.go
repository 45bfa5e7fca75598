package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tarball makes a compressed tar file of names and contents, in pairs.
func tarball(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	w := tar.NewWriter(packed)
	for i := 0; i < len(pairs); i += 2 {
		err := w.WriteHeader(&tar.Header{Name: pairs[i], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(pairs[i+1]))})
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(pairs[i+1]))
	}
	w.Close()
	packed.Close()
	return b.Bytes()
}

// zipped makes a zip file of names and contents, in pairs.
func zipped(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := w.Create(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(pairs[i+1]))
	}
	w.Close()
	return b.Bytes()
}

// world is a folder to fill and a client that is a script of the test: it adds a
// line to the log and puts a prepared package where it is told to.
type world struct {
	store
	said bytes.Buffer
	log  string
}

func newWorld(t *testing.T, script string, packages ...pack) *world {
	t.Helper()
	bin := t.TempDir()
	w := &world{log: filepath.Join(bin, "log")}
	if script != "" {
		text := "#!/bin/sh\necho called >> " + w.log + "\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(bin, "registry"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	w.store = store{dir: filepath.Join(t.TempDir(), "models"), out: &w.said, packages: packages}
	return w
}

// calls is how often the client was called.
func (w *world) calls() int {
	b, _ := os.ReadFile(w.log)
	return strings.Count(string(b), "called")
}

// registry is the script as a client; it is told the folder.
var registry = client{program: "registry", debian: "registry-tools", args: func(_ pack, folder string) []string { return []string{folder} }}

// sample is a package of two files: one as it is, one made of two members.
func sample(t *testing.T) (p pack, path string) {
	t.Helper()
	archive := tarball(t, "package/other", "no", "package/a", "alpha", "package/b", "beta")
	path = filepath.Join(t.TempDir(), "sample.tgz")
	if err := os.WriteFile(path, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	a := member{"package/a", digest([]byte("alpha")), 5}
	b := member{"package/b", digest([]byte("beta")), 4}
	return pack{
		client: registry, name: "sample", version: "1.2.3", hash: digest(archive), why: "letters",
		files: []file{
			{name: "alpha", hash: a.hash, members: []member{a}},
			{name: "both/letters", hash: digest([]byte("betaalpha")), members: []member{b, a},
				make: func(m [][]byte) ([]byte, error) { return slices.Concat(m...), nil }},
		},
	}, path
}

func TestFill(t *testing.T) {
	p, archive := sample(t)
	w := newWorld(t, `cp `+archive+` "$1"`, p)
	if err := w.check(t.Context()); err == nil || !strings.Contains(err.Error(), "alpha, both/letters") {
		t.Errorf("before: got %v, want both files as missing", err)
	}
	if err := w.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"alpha": "alpha", "both/letters": "betaalpha", noticeName: string(notice)} {
		if got, err := os.ReadFile(filepath.Join(w.dir, name)); string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if got, want := w.said.String(), "fetching sample 1.2.3 by registry: letters\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	if err := w.check(t.Context()); err != nil {
		t.Errorf("after: %v", err)
	}
	if entries, _ := os.ReadDir(w.dir); len(entries) != 3 {
		t.Errorf("%d entries are left in the folder, want the two and the notice", len(entries))
	}
	t.Run("again-fetches-nothing", func(t *testing.T) {
		w.said.Reset()
		if err := w.fill(t.Context()); err != nil || w.calls() != 1 || w.said.Len() > 0 {
			t.Errorf("got %v, %d calls, %q", err, w.calls(), w.said.String())
		}
	})
	t.Run("a-changed-file-is-made-again", func(t *testing.T) {
		os.WriteFile(filepath.Join(w.dir, "alpha"), []byte("broken"), 0o644)
		if err := w.fill(t.Context()); err != nil || w.calls() != 2 {
			t.Errorf("got %v and %d calls, want one more", err, w.calls())
		}
		if got, _ := os.ReadFile(filepath.Join(w.dir, "alpha")); string(got) != "alpha" {
			t.Errorf("got %q", got)
		}
	})
}

func TestWrongPackageIsRefused(t *testing.T) {
	p, archive := sample(t)
	p.hash = digest([]byte("another"))
	w := newWorld(t, `cp `+archive+` "$1"`, p)
	err := w.fill(t.Context())
	if err == nil || !strings.Contains(err.Error(), "sample 1.2.3: the package has SHA-256") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v, want a refusal by its hash", err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "alpha")); err == nil {
		t.Error("a file of it was written")
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "fetch*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWrongContentsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, says string
		spoil      func(*pack)
	}{
		{"member", "package/a has SHA-256", func(p *pack) { p.files[0].members[0].hash = digest(nil) }},
		{"member-missing", "there is no package/z", func(p *pack) { p.files[0].members[0].path = "package/z" }},
		{"member-too-long", "longer than 4 bytes", func(p *pack) { p.files[0].members[0].size = 4 }},
		{"finished-file", "came out with SHA-256", func(p *pack) { p.files[0].hash = digest(nil) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, archive := sample(t)
			c.spoil(&p)
			w := newWorld(t, `cp `+archive+` "$1"`, p)
			if err := w.fill(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "alpha")); err == nil {
				t.Error("the file was written all the same")
			}
		})
	}
}

func TestGoesOnWhereItEnded(t *testing.T) {
	p, archive := sample(t)
	spoilt := p
	spoilt.files = slices.Clone(p.files)
	spoilt.files[1].hash = digest(nil) // the second file fails
	w := newWorld(t, `cp `+archive+` "$1"`, spoilt)
	if err := w.fill(t.Context()); err == nil {
		t.Fatal("the spoilt file was made")
	}
	w.packages = []pack{p}
	if err := w.fill(t.Context()); err != nil || w.calls() != 1 {
		t.Errorf("got %v and %d calls, want no second fetch", err, w.calls())
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct{ name, script, says string }{
		{"client-not-installed", "", "apt-get install registry-tools"},
		{"client-fails", `echo "no such package" >&2; exit 3`, "no such package"},
		{"pip-not-installed", `echo "python3: No module named pip"; exit 1`, "has no pip"},
		{"nothing-fetched", `true`, "left 0 files"},
		{"two-files", `touch "$1/a" "$1/b"`, "left 2 files"},
		{"a-folder", `mkdir "$1/a"`, "left 1 files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := sample(t)
			w := newWorld(t, c.script, p)
			err := w.fill(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

func TestOneFailureDoesNotStopTheOthers(t *testing.T) {
	good, archive := sample(t)
	bad := good
	bad.name, bad.hash, bad.files = "bad", digest([]byte("bad")), []file{{name: "bad", hash: "x", members: []member{{"a", "b", 1}}}}
	w := newWorld(t, `cp `+archive+` "$1"`, bad, good)
	if err := w.fill(t.Context()); err == nil {
		t.Error("the bad package was taken")
	}
	if _, err := os.Stat(filepath.Join(w.dir, "both", "letters")); err != nil {
		t.Errorf("the good package: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	p, archive := sample(t)
	w := newWorld(t, `cp `+archive+` "$1"`, p)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.fill(ctx); err == nil || !strings.Contains(err.Error(), "goes on from here") || w.calls() != 0 {
		t.Errorf("got %v and %d calls", err, w.calls())
	}
}

func TestSweep(t *testing.T) {
	w := newWorld(t, "")
	for _, path := range []string{"fetching-1/in", "photos/writing-2", "writing-3", "photos/kept"} {
		os.MkdirAll(filepath.Join(w.dir, path), 0o755)
	}
	w.sweep(time.Now().Add(-time.Minute))
	if _, err := os.Stat(filepath.Join(w.dir, "fetching-1")); err != nil {
		t.Errorf("what another run may be at work on: %v", err)
	}
	w.sweep(time.Now().Add(time.Minute))
	left, _ := filepath.Glob(filepath.Join(w.dir, "*"))
	inside, _ := filepath.Glob(filepath.Join(w.dir, "photos", "*"))
	if len(left) != 1 || len(inside) != 1 {
		t.Errorf("left: %v and %v, want what was finished", left, inside)
	}
}

func TestUnpackZip(t *testing.T) {
	b := zipped(t, "x/one", "1", "x/two", "22")
	got, err := unpack(b, []member{{"x/two", digest([]byte("22")), 2}})
	if err != nil || string(got[0]) != "22" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := unpack(b[:len(b)-4], []member{{"x/two", digest([]byte("22")), 2}}); err == nil {
		t.Error("a file without its end was taken")
	}
}

func TestClientCommands(t *testing.T) {
	p := pack{name: "@a/b", version: "1.0", hash: strings.Repeat("0", 64)}
	if got := npm.args(p, "F"); !slices.Equal(got[:4], []string{"pack", "@a/b@1.0", "--pack-destination", "F"}) {
		t.Errorf("npm: got %v", got)
	}
	wheel := strings.Join(pipWheel("manylinux_2_28_x86_64").args(p, "T/in"), " ")
	for _, want := range []string{"-m pip download", "--no-deps", "--only-binary=:all:", "--platform manylinux_2_28_x86_64", "--requirement T/pinned.txt", "--dest T/in"} {
		if !strings.Contains(wheel, want) {
			t.Errorf("pip: %q is not in %q", want, wheel)
		}
	}
}

func TestPipIsToldTheHash(t *testing.T) {
	p, archive := sample(t)
	p.client = registry
	p.client.pins = pinFile
	w := newWorld(t, `cat "$1/../pinned.txt" >> `+archive+`.seen; cp `+archive+` "$1"`, p)
	if err := w.fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(archive + ".seen")
	if want := "sample==1.2.3 --hash=sha256:" + p.hash + "\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"help", []string{"--help"}, 0, "usage:"},
		{"unknown-flag", []string{"--frob"}, 2, "usage:"},
		{"stray-word", []string{"frob"}, 2, ""},
		{"check-of-an-empty-folder", []string{"--check", "--into", t.TempDir()}, 1, "blazeface.onnx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(t.Context(), c.args, &out, &errs); got != c.code || !strings.Contains(errs.String(), c.says) {
				t.Errorf("got %d and %q, want %d and %q", got, errs.String(), c.code, c.says)
			}
		})
	}
}

func TestList(t *testing.T) {
	all := everything(true)
	if len(everything(false)) != len(all)-1 {
		t.Error("without photographs there is one package less")
	}
	names := map[string]bool{}
	for _, p := range all {
		if len(p.hash) != 64 || p.version == "" || p.why == "" || len(p.files) == 0 {
			t.Errorf("%s is not pinned or says not why", p.name)
		}
		if !bytes.Contains(notice, []byte(p.name+" "+p.version)) && !bytes.Contains(bytes.ReplaceAll(notice, []byte("\n    "), []byte(" ")), []byte(p.name+" "+p.version)) {
			t.Errorf("the notice does not name %s %s", p.name, p.version)
		}
		for _, f := range p.files {
			if names[f.name] || len(f.hash) != 64 || len(f.members) == 0 || f.make == nil && len(f.members) != 1 {
				t.Errorf("%s of %s: made twice, not pinned, or of nothing", f.name, p.name)
			}
			names[f.name] = true
			for _, m := range f.members {
				if len(m.hash) != 64 || m.size < 1 {
					t.Errorf("%s in %s is not pinned", m.path, p.name)
				}
			}
		}
	}
}

// TestProfileAgrees holds the converted networks to the hashes of the profile
// whose thresholds were measured with them.
func TestProfileAgrees(t *testing.T) {
	b, err := os.ReadFile("../../agent/face/profiles/lfw-1.json")
	if err != nil {
		t.Fatal(err)
	}
	type network struct{ File, SHA256 string }
	var profile struct {
		Detector, Landmarks network
		Embedders           []network
	}
	if err := json.Unmarshal(b, &profile); err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, p := range networks() {
		for _, f := range p.files {
			made[f.name] = f.hash
		}
	}
	for _, n := range append(profile.Embedders, profile.Detector, profile.Landmarks) {
		if made[n.File] != n.SHA256 || n.SHA256 == "" {
			t.Errorf("%s: the profile has %q, the converter makes %q", n.File, n.SHA256, made[n.File])
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(tarball(f, "a", "alpha", "b", "beta"))
	f.Add(zipped(f, "a", "alpha", "b", "beta"))
	f.Add([]byte("PK"))
	want := []member{{"a", digest([]byte("alpha")), 5}}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := unpack(b, want)
		if err == nil && string(got[0]) != "alpha" {
			t.Errorf("%q was taken for the member", got[0])
		}
	})
}
