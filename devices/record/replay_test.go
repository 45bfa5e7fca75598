package record

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
)

func play(tb testing.TB, file string, how Replaying) *Replay {
	tb.Helper()
	p, err := Open(strings.NewReader(samples(tb)["testdata/"+file]), how)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.Close() })
	return p
}

func wantKind(tb testing.TB, what string, err error, want devices.Kind) {
	tb.Helper()
	if devices.KindOf(err) != want {
		tb.Errorf("%s: got %v, want kind %q", what, err, want)
	}
}

func read(tb testing.TB, p devices.Port, want string) {
	tb.Helper()
	b := make([]byte, 100)
	n, err := p.Read(tb.Context(), b)
	if err != nil || string(b[:n]) != want {
		tb.Errorf("read %q and %v, want %q", b[:n], err, want)
	}
}

func write(tb testing.TB, p devices.Port, s string) {
	tb.Helper()
	if err := p.Write(tb.Context(), []byte(s)); err != nil {
		tb.Errorf("writing: %v", err)
	}
}

// TestReplay: an answer comes after its question and not before, and at last the
// device is gone again.
func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := play(t, "reader.jsonl", Replaying{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := p.Read(ctx, make([]byte, 8))
		wantKind(t, "an answer without a question", err, devices.Cancelled)
		began := time.Now()
		write(t, p, "I\x00\x00")
		read(t, p, "I\x00Z")
		read(t, p, "P<UTOERIKSSON<<ANNA<MARIA")
		wantKind(t, "another command", p.Write(t.Context(), []byte("X")), devices.Protocol)
		write(t, p, "C\x00\x01\x01")
		read(t, p, "C\x00\x01\x01")
		if time.Since(began) > 0 {
			t.Errorf("it took %v", time.Since(began))
		}
		_, err = p.Read(t.Context(), make([]byte, 8))
		wantKind(t, "the end", err, devices.Gone)
		wantKind(t, "writing after the end", p.Write(t.Context(), []byte("I\x00\x00")), devices.Gone)
		wantKind(t, "flushing after the end", p.Flush(), devices.Gone)
	})
}

func TestReplayTimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := play(t, "reader.jsonl", Replaying{Timed: true})
		time.Sleep(time.Minute) // a slow caller gets its answer as late as it came then
		write(t, p, "I\x00\x00")
		began := time.Now()
		read(t, p, "I\x00Z")
		if took := time.Since(began); took != 30*time.Millisecond {
			t.Errorf("the answer came after %v, want 30ms", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Microsecond)
		defer cancel()
		_, err := p.Read(ctx, make([]byte, 8))
		wantKind(t, "a deadline before the rest", err, devices.Cancelled)
		read(t, p, "P<UTOERIKSSON<<ANNA<MARIA")
		if took := time.Since(began); took != 30800*time.Microsecond {
			t.Errorf("the rest came after %v, want 30.8ms", took)
		}
	})
}

func TestReplayRedacted(t *testing.T) {
	t.Parallel()
	p := play(t, "redacted.jsonl", Replaying{})
	write(t, p, "\x1b@")
	_, err := p.Read(t.Context(), make([]byte, 63))
	wantKind(t, "a report that does not fit", err, devices.Protocol)
	wantKind(t, "another length", p.Write(t.Context(), []byte("short")), devices.Protocol)
	wantKind(t, "printing without paper", p.Write(t.Context(), []byte("twelve bytes")), devices.PaperOut)
	wantKind(t, "beyond the end", p.Write(t.Context(), []byte("more")), devices.Protocol)

	p = play(t, "redacted.jsonl", Replaying{Key: []byte("another")})
	write(t, p, "\x1b@")
	read(t, p, strings.Repeat(string(Hidden), 64))
	wantKind(t, "not the same by the key", p.Write(t.Context(), []byte("twelve bytes")), devices.Protocol)
}

// TestReplayWithKey: who has the key is told apart from who wrote something else.
func TestReplayWithKey(t *testing.T) {
	t.Parallel()
	key := []byte("the site's own")
	text := record(t, Options{Key: key})
	p, err := Open(strings.NewReader(text), Replaying{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, "another", p.Write(t.Context(), []byte("J\x00\x00")), devices.Protocol)
	write(t, p, "I\x00\x00slip of Anna Maria") // however it is cut
	read(t, p, strings.Repeat(string(Hidden), 10))
}

func TestReplayCloseEndsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := play(t, "reader.jsonl", Replaying{Timed: true})
		ended := make(chan error, 1)
		go func() {
			_, err := p.Read(t.Context(), make([]byte, 8))
			ended <- err
		}()
		synctest.Wait()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wantKind(t, "the read", <-ended, devices.Gone)
	})
}

// TestSmallBuffer: a stream's bytes wait, and a Flush forgets them.
func TestSmallBuffer(t *testing.T) {
	t.Parallel()
	p := play(t, "reader.jsonl", Replaying{})
	write(t, p, "I\x00\x00")
	b := make([]byte, 1)
	if n, err := p.Read(t.Context(), b); n != 1 || b[0] != 'I' || err != nil {
		t.Errorf("got %q and %v", b[:n], err)
	}
	if err := p.Flush(); err != nil {
		t.Error(err)
	}
	read(t, p, "P<UTOERIKSSON<<ANNA<MARIA")
}

func TestOpenHostile(t *testing.T) {
	t.Parallel()
	if _, err := Open(strings.NewReader("no recording"), Replaying{}); err == nil {
		t.Error("it plays what is no recording")
	}
}
