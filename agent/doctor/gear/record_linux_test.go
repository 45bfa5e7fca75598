package gear_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/counterproof/counterproof/agent/api"
)

// wired puts a pseudo-terminal where the reader's node is, and gives its far end.
func (d desk) wired(t *testing.T) *os.File {
	t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		t.Skipf("SKIPPED: this machine has no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { _ = far.Close() })
	link(t, near.Name(), d.root, "dev/ttyACM0")
	if err := near.Close(); err != nil { // or it would be held by this test
		t.Fatal(err)
	}
	return far
}

// speaks sends a zone once somebody has opened the line and sent something.
func speaks(far *os.File) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	b := make([]byte, 256)
	for n := 0; n == 0; n, _ = far.Read(b) {
		<-tick.C
	}
	_, _ = far.WriteString("I\x00\x0eP<UTOSPECIMEN\r")
}

func TestAReaderIsRecordedAndReplayed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	far := d.wired(t)
	d.must(t, "pin", reader, "elyctis-idbox")
	var speaking sync.WaitGroup
	speaking.Go(func() { speaks(far) })
	file := filepath.Join(d.root, "reader.jsonl")
	out := d.must(t, "record", reader, file, "--seconds", "2")
	speaking.Wait()
	if !strings.Contains(out, "Recording "+reader) || strings.Contains(out, "0 pieces") {
		t.Errorf("recording says %s", out)
	}
	b, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(b), "SPECIMEN") || strings.Contains(string(b), "53504543494d454e") {
		t.Errorf("%v:\n%s", err, b)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the recording is readable for %v: %v", info.Mode(), err)
	}
	if out := d.must(t, "replay", file); !strings.Contains(out, "not kept") || !strings.Contains(out, "elyctis") {
		t.Errorf("replaying says\n%s", out)
	}
	if out, code := d.run(t, "record", reader, file); code != 2 {
		t.Errorf("over an old recording: exit %d: %s", code, out)
	}
}

func TestAClearRecordingIsDecoded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	far := d.wired(t)
	d.must(t, "pin", reader, "elyctis-idbox")
	var speaking sync.WaitGroup
	speaking.Go(func() { speaks(far) })
	file := filepath.Join(d.root, "reader.jsonl")
	d.must(t, "record", reader, file, "--seconds", "2", "--clear")
	speaking.Wait()
	if out := d.must(t, "replay", file, "--show"); !strings.Contains(out, "P<UTOSPECIMEN") {
		t.Errorf("replaying says\n%s", out)
	}
}

// TestTheListHasWhatTheCounterSays: the state is the counter's, and devices that
// are no plugs are there too.
func TestTheListHasWhatTheCounterSays(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	dir, err := os.MkdirTemp("", "gear")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Checkup{Devices: []api.CheckedDevice{
			{ID: reader, Name: "ID BOX One", State: "busy"}, {ID: "sim:printer", Name: "Simulated printer", State: "ready", Can: []string{"printer"}},
		}})
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	file := write(t, `{"socket": "`+socket+`"}`, dir, "counter.json")
	out := d.must(t, "list", "--config", file)
	for _, want := range []string{"busy", "sim:printer", "ready", "/ttyACM0"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, "does not answer") {
		t.Errorf("it answers:\n%s", out)
	}
}
