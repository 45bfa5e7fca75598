//go:build unix

package printer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// counter is a folder with programs that speak as those of CUPS 2.4 do in the
// language C, and the files by which a test tells them what to say.
type counter struct {
	tb  testing.TB
	dir string
}

// programs are the children, in sh. Each notes what it was called with.
var programs = map[string]string{
	"lpstat": `case "$*" in
-e) cat names ;;
"-l -W completed -o "*) cat completed ;;
-o*) if [ -s takes ]; then n=$(cat takes); [ "$n" -gt 0 ] && echo $((n-1)) > takes; [ "$n" -gt 0 ] && cat queue; fi; exit 0 ;;
-a*) cat accepts ;;
*) grep -qx Letters names || { echo 'lpstat: Invalid destination name in list "Letters".' >&2; exit 1; }
   cat state ;;
esac`,
	"lp": `[ -s refuses ] && { cat refuses >&2; exit 1; }
n=$(ls jobs | wc -l); cat > jobs/$n
printf 'Letters-%d   root  1024   Mon 23 Nov 2026\n\tStatus: printing\n\tAlerts: job-printing\n\tqueued for Letters\n' $((n+1)) >> queue
cat answer | sed "s/NUMBER/$((n+1))/"`,
	"cancel": `[ -s stuck ] && exit 1; n=${1#Letters-}; rm -f jobs/$((n-1)); touch jobs/.gone; : > takes`,
}

const (
	idle   = "printer Letters is idle.  enabled since Mon 23 Nov 2026\n\tDescription: Letters\n\tAlerts: none\n"
	taking = "Letters accepting requests since Mon 23 Nov 2026\n"
)

// newCounter makes the programs, with an idle queue called Letters.
func newCounter(tb testing.TB) *counter {
	tb.Helper()
	c := &counter{tb, tb.TempDir()}
	if err := os.Mkdir(filepath.Join(c.dir, "jobs"), 0o700); err != nil {
		tb.Fatal(err)
	}
	for name, text := range programs {
		c.put(name, "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$(basename $0) $*\" >> calls\n"+text+"\n")
	}
	c.put("names", "Letters\nOther\n")
	c.put("state", idle)
	c.put("accepts", taking)
	c.put("answer", "request id is Letters-NUMBER (0 file(s))\n")
	c.put("completed", "")
	return c
}

func (c *counter) put(name, text string) {
	c.tb.Helper()
	// A program that some child still has open for writing cannot be run (ETXTBSY):
	// no other test may fork meanwhile.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o700); err != nil {
		c.tb.Fatal(err)
	}
}

// get is a file; "" where there is none.
func (c *counter) get(name string) string {
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		return ""
	}
	return string(b)
}

// queue opens the queue.
func (c *counter) queue() *Queue {
	c.tb.Helper()
	q, err := OpenQueue(c.tb.Context(), QueueConfig{ID: "cups:Letters", Name: "Letters", Programs: c.dir})
	if err != nil {
		c.tb.Fatal(err)
	}
	return q
}

// printed are the jobs that came out, in order.
func (c *counter) printed() (jobs [][]byte) {
	files, err := filepath.Glob(filepath.Join(c.dir, "jobs", "[0-9]*"))
	if err != nil {
		c.tb.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			c.tb.Fatal(err)
		}
		jobs = append(jobs, b)
	}
	return jobs
}

// says is the state of a printer with a reason.
func says(reason string) string { return strings.Replace(idle, "none", reason, 1) }

func TestQueue(t *testing.T) {
	t.Parallel()
	devicetest.RunPrinter(t, devicetest.Real, func(tb testing.TB) devicetest.PrinterRig {
		c := newCounter(tb)
		return devicetest.PrinterRig{
			Printer: c.queue(), Printed: c.printed, Unplug: func() { c.put("names", "Other\n"); c.put("state", "") },
			Fail: func(k devices.Kind) {
				c.put("state", map[devices.Kind]string{
					devices.PaperOut: says("media-empty-error"), devices.CoverOpen: says("cover-open"), devices.KindNone: idle,
				}[k])
			},
		}
	})
}

// letter is a page about an invented person.
var letter = devices.Job{Title: "Letter 7", Kind: devices.PDF, Data: []byte("%PDF-1.4 Robin Specimen\n%%EOF\n")}

// TestQueueStates: what CUPS would keep for later is refused, and not given to it.
func TestQueueStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text string
		want       devices.Kind
		why        error
	}{
		"well":         {"state", idle, devices.KindNone, nil},
		"warning":      {"state", says("media-low-warning toner-low-report"), devices.KindNone, nil},
		"report":       {"state", says("offline-report"), devices.KindNone, nil},
		"no-paper":     {"state", says("media-low-warning media-empty-error"), devices.PaperOut, errPaper},
		"paper-wanted": {"state", says("media-needed"), devices.PaperOut, errPaper},
		"door":         {"state", says("door-open-error"), devices.CoverOpen, errCover},
		"jam":          {"state", says("media-jam-error"), devices.Protocol, errBroken},
		"off-line":     {"state", says("offline"), devices.Timeout, errOffLine},
		"stopped":      {"state", "printer Letters disabled since Mon 23 Nov 2026 -\n\treason unknown\n", devices.Unsupported, errStopped},
		"rejects":      {"accepts", "Letters not accepting requests since Mon 23 Nov 2026 -\n\tRejecting Jobs\n", devices.Unsupported, errRejects},
		"says-nothing": {"accepts", "", devices.Unsupported, errRejects},
		"refused":      {"refuses", "lp: Unsupported document-format for Robin Specimen\n", devices.Unsupported, errRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			house := newCounter(t)
			house.put(c.file, c.text)
			err := house.queue().Print(t.Context(), letter)
			if devices.KindOf(err) != c.want || !errors.Is(err, c.why) {
				t.Errorf("got %v, want %s: %v", err, c.want, c.why)
			}
			if got := len(house.printed()); got > 0 != (c.want == devices.KindNone) {
				t.Errorf("%d jobs came out", got)
			}
			if err != nil && strings.Contains(err.Error(), "Robin") {
				t.Error("the fault says what a program said")
			}
		})
	}
}

// TestQueueSecrets: of a job nothing is on a command line but its title, bounded.
func TestQueueSecrets(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	job := letter
	job.Title = "--help\x1b[2J\nLetter 7 " + strings.Repeat("x", 200)
	if err := c.queue().Print(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	calls := c.get("calls")
	if strings.Contains(calls, "Robin") || !strings.Contains(calls, "lp -d Letters -t help[2JLetter 7 xxx") || strings.Count(calls, "x") > maxTitle {
		t.Errorf("the programs were called with\n%s", calls)
	}
	if got := c.printed(); len(got) != 1 || !bytes.Equal(got[0], job.Data) {
		t.Errorf("%d jobs came out", len(got))
	}
	for title, want := range map[string]string{"": "Counterproof", "---": "Counterproof", " a ": "a", "Żółw": "w"} {
		if got := titled(title); got != want {
			t.Errorf("title %q is %q, want %q", title, got, want)
		}
	}
}

// TestQueueWaits: a job is printed when it has left the queue; what ends the wait
// withdraws it.
func TestQueueWaits(t *testing.T) {
	t.Parallel()
	gone := "Letters-1   root  1024   Mon 23 Nov 2026\n\tAlerts: "
	for name, c := range map[string]struct {
		files map[string]string
		total time.Duration
		want  devices.Kind
		why   error
		left  int
	}{
		"leaves":         {map[string]string{"takes": "2"}, 0, devices.KindNone, nil, 1},
		"forgotten":      {map[string]string{"takes": "1", "completed": "Letters-12   root\n\tAlerts: job-canceled-by-user\n"}, 0, devices.KindNone, nil, 1},
		"printed":        {map[string]string{"completed": gone + "job-completed-successfully\n"}, 0, devices.KindNone, nil, 1},
		"aborted":        {map[string]string{"completed": gone + "aborted-by-system\n"}, 0, devices.Protocol, errAborted, 1},
		"runs-dry":       {map[string]string{"takes": "99", "state after": says("media-empty")}, 0, devices.PaperOut, errWithdrew, 0},
		"stays":          {map[string]string{"takes": "99"}, time.Second, devices.Timeout, errWithdrew, 0},
		"stays-for-good": {map[string]string{"takes": "99", "stuck": "1"}, time.Second, devices.Timeout, errUnsure, 1},
		"no-number":      {map[string]string{"answer": "hello\n"}, 0, devices.Protocol, errUnsure, 1},
		"other-queue":    {map[string]string{"answer": "request id is Other-1 (0 file(s))\n"}, 0, devices.Protocol, errUnsure, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			house := newCounter(t)
			for file, text := range c.files {
				if file == "state after" { // what lp is told is already true when it answers
					house.put("lp", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\nprintf '"+text+"' > state\n"+programs["lp"]+"\n")
					continue
				}
				house.put(file, text)
			}
			q := house.queue()
			q.cfg.Total = max(c.total, queueLook)
			if c.total == 0 {
				q.cfg.Total = queueTotal
			}
			err := q.Print(t.Context(), letter)
			if devices.KindOf(err) != c.want || !errors.Is(err, c.why) {
				t.Errorf("got %v, want %s: %v", err, c.want, c.why)
			}
			if got := len(house.printed()); got != c.left {
				t.Errorf("%d jobs are left, want %d", got, c.left)
			}
		})
	}
}

// TestQueueGivesUp: who gives up withdraws the job, which is not printed later.
func TestQueueGivesUp(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.put("takes", "99")
	q := c.queue()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := q.Print(ctx, letter)
	if devices.KindOf(err) != devices.Cancelled || !errors.Is(err, errHalf) || len(c.printed()) > 0 {
		t.Errorf("got %v, %d jobs are left", err, len(c.printed()))
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if err := q.Print(t.Context(), letter); devices.KindOf(err) != devices.Gone {
		t.Errorf("a closed queue: %v", err)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.put("names", "Letters\n-o evil\n\nOther_2\n"+strings.Repeat("N\n", 2*maxQueues))
	names, err := Queues(t.Context(), c.dir)
	if err != nil || len(names) != maxQueues || !slices.Equal(names[:2], []string{"Letters", "Other_2"}) {
		t.Errorf("%d queues, %v", len(names), err)
	}
	if _, err := Queues(t.Context(), t.TempDir()); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("without CUPS: %v", err)
	}
	for name, want := range map[string]devices.Kind{"Nowhere": devices.Missing, "-o": devices.Unsupported, "": devices.Unsupported, "a b": devices.Unsupported} {
		c.put("names", "Other\n")
		if q, err := OpenQueue(t.Context(), QueueConfig{Name: name, Programs: c.dir}); q != nil || devices.KindOf(err) != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
	if _, err := OpenQueue(t.Context(), QueueConfig{Name: "Letters", Programs: t.TempDir()}); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("without CUPS: %v", err)
	}
}

// FuzzQueueAnswers: whatever CUPS says, reading it ends.
func FuzzQueueAnswers(f *testing.F) {
	f.Add(idle, "Letters-1")
	f.Add("Letters-1 a\n\tAlerts: x y\nLetters-2 b\n", "Letters-1")
	f.Fuzz(func(t *testing.T, said, number string) {
		if e := entry(said, number); len(e) > len(said) {
			t.Error("an entry grew")
		}
		for _, r := range alerts(said) {
			reasonKind(r)
		}
	})
}
