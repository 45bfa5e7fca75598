package sim_test

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

// files gives the files of a folder, in the order in which they were printed.
func files(tb testing.TB, dir string) []string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
	})
	return names
}

func number(name string) string {
	_, after, _ := strings.Cut(name, "-")
	return after
}

// printed gives the jobs as they were sent: the rendering of an ESC/POS job is
// none.
func printed(tb testing.TB, dir string) [][]byte {
	tb.Helper()
	var jobs [][]byte
	names := files(tb, dir)
	for _, name := range names {
		if stem, isText := strings.CutSuffix(name, ".txt"); isText && slices.Contains(names, stem+".escpos") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			tb.Fatal(err)
		}
		jobs = append(jobs, b)
	}
	return jobs
}

func TestPrinterContract(t *testing.T) {
	t.Parallel()
	accepts := map[string][]devices.JobKind{
		"all": nil, "receipt": {devices.ESCPOS}, "office": {devices.PDF, devices.Text},
	}
	for name, kinds := range accepts {
		for _, opened := range []bool{false, true} {
			t.Run(name+map[bool]string{true: "/opened"}[opened], func(t *testing.T) {
				t.Parallel()
				devicetest.RunPrinter(t, synctest.Test, func(tb testing.TB) devicetest.PrinterRig {
					dir := filepath.Join(tb.TempDir(), "paper")
					p := sim.NewPrinter(sim.PrinterConfig{Folder: dir, Accepts: kinds})
					rig := devicetest.PrinterRig{
						Printer: p, Printed: func() [][]byte { return printed(tb, dir) }, Fail: p.Fail, Unplug: p.Unplug,
					}
					if opened {
						o, err := sim.NewBench(p).Open(tb.Context(), "sim:printer")
						if err != nil {
							tb.Fatal(err)
						}
						rig.Printer = o.(devices.Printer)
					}
					return rig
				})
			})
		}
	}
}

func TestPrintedFiles(t *testing.T) {
	t.Parallel()
	tests := map[devices.JobKind]struct {
		endings []string
	}{
		devices.PDF: {[]string{".pdf"}}, devices.Text: {[]string{".txt"}}, devices.ESCPOS: {[]string{".escpos", ".txt"}},
	}
	name := regexp.MustCompile(`^\d{8}T\d{6}Z-\d{6}\.(pdf|txt|escpos)$`)
	for kind, tt := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "new", "paper")
			p := sim.NewPrinter(sim.PrinterConfig{Folder: dir})
			job := devices.Job{Title: "Erika Mustermann", Kind: kind, Data: []byte("\x1b@Erika\n")}
			if err := p.Print(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			got := files(t, dir)
			if len(got) != len(tt.endings) {
				t.Fatalf("got files %q, want endings %q", got, tt.endings)
			}
			for i, f := range got {
				if !name.MatchString(f) || filepath.Ext(f) != tt.endings[i] {
					t.Errorf("a file is called %q: want a time, a counter and %q", f, tt.endings[i])
				}
				wantMode(t, filepath.Join(dir, f), 0o600)
			}
			wantMode(t, dir, 0o700|fs.ModeDir)
			wantMode(t, filepath.Dir(dir), 0o700|fs.ModeDir)
		})
	}
}

// TestNamesAreNeverUsedTwice prints through several printers into one folder at
// the same moment, as a program does that was started twice.
func TestNamesAreNeverUsedTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const printers, jobs = 4, 10
	var all sync.WaitGroup
	for i := range printers {
		p := sim.NewPrinter(sim.PrinterConfig{Folder: dir})
		all.Go(func() {
			for j := range jobs {
				kind := []devices.JobKind{devices.PDF, devices.Text, devices.ESCPOS}[(i+j)%3]
				data := bytes.Repeat([]byte{byte('A' + i)}, j+1)
				if err := p.Print(t.Context(), devices.Job{Kind: kind, Data: data}); err != nil {
					t.Errorf("printing: %v", err)
				}
			}
		})
	}
	all.Wait()
	got := map[string]int{}
	for _, job := range printed(t, dir) {
		got[string(job)]++
	}
	if len(got) != printers*jobs {
		t.Errorf("%d different jobs lie in the folder, want %d", len(got), printers*jobs)
	}
	for _, name := range files(t, dir) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%q was left behind", name)
		}
	}
}

// TestHalfPrinted lets the second of two files fail: the first goes too.
func TestHalfPrinted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the clock stands still, so the name is known
		dir := t.TempDir()
		p := sim.NewPrinter(sim.PrinterConfig{ID: "sim:x", Folder: dir})
		blocked := filepath.Join(dir, ".20000101T000000Z-000001.escpos.part")
		if err := os.Mkdir(blocked, 0o700); err != nil {
			t.Fatal(err)
		}
		err := p.Print(t.Context(), devices.Job{Kind: devices.ESCPOS, Data: []byte("slip\n")})
		wantFault(t, err, devices.Gone)
		if err := os.RemoveAll(blocked); err != nil {
			t.Fatal(err)
		}
		if left := files(t, dir); len(left) != 0 {
			t.Errorf("after a failure %q is left", left)
		}
	})
}

func TestPrintRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	occupied := write(t, dir, "occupied", nil)
	readOnly := filepath.Join(dir, "read-only")
	if err := os.Mkdir(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		folder string
		job    devices.Job
		want   devices.Kind
	}{
		"folder-is-a-file":    {occupied, devices.Job{Kind: devices.Text}, devices.Gone},
		"folder-has-no-name":  {"", devices.Job{Kind: devices.Text}, devices.Gone},
		"folder-is-read-only": {readOnly, devices.Job{Kind: devices.Text}, devices.Permission},
		"job-is-too-large":    {dir, devices.Job{Kind: devices.Text, Data: make([]byte, 33<<20)}, devices.Unsupported},
		"kind-is-unknown":     {dir, devices.Job{Kind: "clay"}, devices.Unsupported},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.folder == readOnly && os.Geteuid() <= 0 {
				t.Skip("SKIPPED: a read-only folder does not stop this user")
			}
			p := sim.NewPrinter(sim.PrinterConfig{ID: "sim:x", Folder: tt.folder})
			wantFault(t, p.Print(t.Context(), tt.job), tt.want)
		})
	}
}

// TestOnePrintAtATime prints from many goroutines at once: each job is printed
// or refused, none is lost and none waits.
func TestOnePrintAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := sim.NewPrinter(sim.PrinterConfig{ID: "sim:x", Folder: dir})
	var mu sync.Mutex
	done, refused := 0, 0
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			err := p.Print(context.Background(), devices.Job{Kind: devices.Text, Data: []byte("x")})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done++
			case devices.KindOf(err) == devices.InUse:
				refused++
			default:
				t.Errorf("printing: %v", err)
			}
		})
	}
	all.Wait()
	if got := len(printed(t, dir)); got != done || done == 0 || done+refused != 20 {
		t.Errorf("%d lie in the folder, %d were printed, %d refused of 20", got, done, refused)
	}
}
