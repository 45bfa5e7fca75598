package window

import (
	"context"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/proof"
)

// desktopOf is an X server with a window manager and the window's program.
type desktopOf struct {
	t       *testing.T
	display string
}

// run starts a program that ends with the test; ready is what it writes first.
func run(t *testing.T, env []string, ready bool, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{w}
	said := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		// Where it hangs, a Go program writes what hangs and the others just end.
		quit := time.AfterFunc(10*time.Second, func() { cmd.Process.Signal(syscall.SIGQUIT) })
		kill := time.AfterFunc(15*time.Second, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		quit.Stop()
		kill.Stop()
		r.Close()
		if t.Failed() {
			t.Logf("%s ended with %v and wrote:\n%s", name, err, said)
		}
	})
	if !ready {
		return ""
	}
	var first [16]byte
	n, err := r.Read(first[:])
	if err != nil {
		t.Fatalf("%s does not say that it is ready: %v", name, err)
	}
	return strings.TrimSpace(string(first[:n]))
}

// newDesktop starts an X server and a window manager, or skips.
func newDesktop(t *testing.T) *desktopOf {
	t.Helper()
	for _, name := range []string{"Xvfb", "openbox", "xdotool"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("SKIPPED: %s is not installed: the window was NOT driven by keyboard", name)
		}
	}
	number := run(t, nil, true, "Xvfb", "-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp")
	d := &desktopOf{t, "DISPLAY=:" + number}
	run(t, []string{d.display}, false, "openbox")
	return d
}

// program is a program of this repository that was built before.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: bin/%s is not built (make build does it): the window was NOT driven by keyboard", name)
	}
	return path
}

// xdotool runs xdotool and gives what it writes.
func (d *desktopOf) xdotool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "xdotool", args...)
	cmd.Env = append(os.Environ(), d.display)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// shows waits until the window's title begins so. A busy machine may take long
// to draw its first window; where none comes, what is there is told.
func (d *desktopOf) shows(title string) {
	d.t.Helper()
	ctx, end := context.WithTimeout(d.t.Context(), 2*time.Minute)
	defer end()
	if _, err := d.xdotool(ctx, "search", "--sync", "--onlyvisible", "--name", "^"+title); err != nil {
		windows, _ := d.xdotool(d.t.Context(), "search", "--onlyvisible", "--name", ".", "getwindowname", "%@")
		d.t.Fatalf("never on the screen: %q; there are %q", title, windows)
	}
	d.shoot(title)
}

// keys presses keys one after the other; a word that begins with "t:" is typed.
func (d *desktopOf) keys(list ...string) {
	d.t.Helper()
	for _, k := range list {
		args := []string{"key", k}
		if text, ok := strings.CutPrefix(k, "t:"); ok {
			args = []string{"type", "--delay", "25", text}
		}
		if _, err := d.xdotool(d.t.Context(), args...); err != nil {
			d.t.Fatalf("pressing %s: %v", k, err)
		}
	}
}

// shoot keeps a picture of the screen where pictures are wanted.
func (d *desktopOf) shoot(title string) {
	dir := os.Getenv("COUNTERPROOF_SCREENSHOTS")
	if dir == "" {
		return
	}
	cmd := exec.Command("import", "-window", "root", filepath.Join(dir, "window "+strings.Trim(title, "?:")+".png"))
	cmd.Env = append(os.Environ(), d.display)
	if err := cmd.Run(); err != nil {
		d.t.Logf("no picture of %q: %v", title, err)
	}
}

// The lines of the invented holder of a Utopian specimen passport.
const (
	line1 = "P<UTOSPECIMEN<<NIA<ANGHARAD<<<<<<<<<<<<<<<<<"
	line2 = "L898902C36UTO8408129F3104150<<<<<<<<<<<<<<<8"
)

// visitByKeyboard goes from signing in to the end of a visit by keys alone: the
// lines typed, the original examined, the machine refused, the faces compared.
func (d *desktopOf) visitByKeyboard(operator, secret string) {
	d.t.Helper()
	d.shows("Sign in")
	d.keys("t:"+operator, "Tab", "t:"+secret, "Return")
	d.shows("Ready for a visit")
	d.keys("1")
	d.shows("May we check who you are")
	d.keys("1")
	d.shows("Read the document")
	d.keys("2")
	d.shows("Type the lines of code")
	d.keys("t:"+line1, "Tab", "t:"+line2, "Return")
	d.shows("Examine the document")
	d.keys("space", "Tab", "space", "Tab", "Tab", "Tab", "space", "Tab", "space", "Tab", "space", "1")
	d.shows("May a machine compare your face")
	d.keys("2")
	d.shows("Is this the same person")
	d.keys("1")
	d.shows("The identity is proved")
	d.keys("1")
	d.shows("Give the patient the slip")
	d.keys("1")
	d.shows("Ready for a visit")
}

func TestAVisitByKeyboardInARealWindow(t *testing.T) {
	ui := program(t, "counterproof")
	d := newDesktop(t)
	c, socket := newCounter(t)
	c.features = []string{"intaglio", "hologram", "watermark"}
	c.asks = [][]proof.Ask{
		one(proof.AskProofingConsent), {{Kind: proof.CaptureDocument}, {Kind: proof.KeyDocument}}, one(proof.KeyDocument),
		one(proof.ExamineDocument), one(proof.AskFaceConsent), one(proof.ComparePerson), one(proof.ConfirmResult), one(proof.EndVisit),
	}
	run(t, []string{d.display}, false, ui, "--socket", socket)
	d.visitByKeyboard("sam", "271828")
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) != 8 {
		t.Fatalf("%d answers", len(c.answers))
	}
	if got := strings.Join(c.answers[2].Lines, " "); got != line1+" "+line2 {
		t.Errorf("typed %q", got)
	}
	exam := c.answers[3].Exam
	if exam == nil || !exam.Original || exam.Details != proof.Agree || len(exam.Features) != 3 {
		t.Errorf("examination %+v", exam)
	}
	if c.answers[4].Given || c.answers[5].Same != proof.Same {
		t.Errorf("answers %+v", c.answers[4:6])
	}
}

func TestAVisitByKeyboardAtARealCounter(t *testing.T) {
	daemon, ui := program(t, "counterproofd"), program(t, "counterproof")
	d := newDesktop(t)
	file := filepath.Join(t.TempDir(), "held.json")
	run(t, nil, false, daemon, "demo", "--hold", "--socket-file", file)
	var held struct{ Socket, Operator, Secret string }
	for range 600 {
		if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &held) == nil {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	if held.Socket == "" {
		t.Fatal("the training counter did not come up within a minute")
	}
	c := client.New(held.Socket)
	before, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run(t, []string{d.display}, false, ui, "--socket", held.Socket)
	d.visitByKeyboard(held.Operator, held.Secret)
	after, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, a := before.Queue, after.Queue; a.Waiting+a.Acked != b.Waiting+b.Acked+1 || after.OpenVisit != "" {
		t.Errorf("queue before %+v, after %+v", b, a)
	}
}

// blank reports a picture of one colour.
func blank(img image.Image) bool {
	first := img.At(0, 0)
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 5 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 5 {
			if img.At(x, y) != first {
				return false
			}
		}
	}
	return true
}

func TestTheWindowIsDrawn(t *testing.T) {
	_, socket := newCounter(t)
	s := sit(t, socket)
	s.on("sign_in")
	img := s.win.Canvas().Capture()
	if blank(img) {
		t.Error("the window is empty")
	}
	if dir := os.Getenv("COUNTERPROOF_SCREENSHOTS"); dir != "" {
		f, err := os.Create(filepath.Join(dir, "window.png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, img); err != nil {
			t.Error(err)
		}
	}
}
