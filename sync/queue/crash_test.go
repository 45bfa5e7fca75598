package queue

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// The test binary is its own victim: with these set it enqueues visits until it
// is killed, and says which ones were answered; or it keeps news.
const (
	victimPath = "COUNTERPROOF_QUEUE_VICTIM"
	victimFrom = "COUNTERPROOF_QUEUE_FROM"
	victimWork = "COUNTERPROOF_QUEUE_WORK"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(victimPath); path != "" {
		work := enqueueForEver
		if os.Getenv(victimWork) == "news" {
			work = keepForEver
		}
		from, err := strconv.Atoi(os.Getenv(victimFrom))
		if err == nil {
			err = work(path, from)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Every step of a random run is synced to the disk, so fewer runs do.
	_ = flag.Set("rapid.checks", "30")
	os.Exit(m.Run())
}

// enqueueForEver prints "n hash" for every visit that was answered.
func enqueueForEver(path string, from int) error {
	q, damage, err := Open(path)
	if err != nil || damage != nil {
		return fmt.Errorf("opening: %v, %w", damage, err)
	}
	for n := from; ; n++ {
		it, err := q.Enqueue(context.Background(), visit(n), builder(visit(n), random(1+rand.IntN(60_000)), random(2000)))
		if err != nil {
			return err
		}
		if n%3 == 0 {
			if err := q.MarkAcked(context.Background(), it.Seq, receipt(it)); err != nil {
				return err
			}
		}
		fmt.Printf("%d %s\n", n, it.Hash)
	}
}

// answered runs a victim at some work, kills it after a while and returns what
// it said.
func answered(t *testing.T, path, work string, from int, life time.Duration) map[int]string {
	t.Helper()
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), victimPath+"="+path, victimWork+"="+work, fmt.Sprintf("%s=%d", victimFrom, from))
	victim.Stderr = os.Stderr
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[int]string{}
	lines := bufio.NewReader(out)
	for first := true; ; first = false {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break // a line cut by the kill was not answered
		}
		if err != nil {
			t.Fatal(err)
		}
		var n int
		var hash string
		if _, err := fmt.Sscan(line, &n, &hash); err != nil {
			t.Fatalf("the victim said %q", line)
		}
		said[n] = hash
		if first {
			time.AfterFunc(life, func() { _ = victim.Process.Kill() }) // SIGKILL
		}
	}
	_ = victim.Wait() // killed
	return said
}

// Killed at any moment, the queue has every visit that was answered, each once,
// in a chain that verifies; a visit that was stored and not answered is found
// when it comes again.
func TestKill(t *testing.T) {
	t.Parallel()
	path := place(t)
	kills, all, next := 20, map[int]string{}, 0
	for range kills {
		for n, hash := range answered(t, path, "visits", next, time.Duration(rand.IntN(60_000))*time.Microsecond) {
			all[n] = hash
		}
		next = len(all) // the visit that may have been stored without an answer
		q, damage, err := Open(path)
		if err != nil || damage != nil {
			t.Fatalf("after a kill: %v, %v", damage, err)
		}
		for n, hash := range all {
			it, err := q.Find(t.Context(), visit(n))
			if err != nil || it.Hash.String() != hash {
				t.Fatalf("visit %d: got %s, %v; want %s", n, it.Hash, err, hash)
			}
			if _, err := q.Envelope(t.Context(), it.Seq); err != nil {
				t.Fatal(err)
			}
			if n%3 == 0 && it.State != wire.Acked {
				t.Fatalf("visit %d: its receipt is gone", n)
			}
		}
		s, err := q.Status(t.Context())
		if err != nil || s.Total < len(all) || s.Total > len(all)+1 {
			t.Fatalf("%d records for %d answered visits, %v", s.Total, len(all), err)
		}
		q.Close()
	}
	t.Logf("%d kills, %d visits answered, none lost, none twice", kills, len(all))
	if len(all) < kills {
		t.Errorf("only %d visits were answered", len(all))
	}
}

// onDisk reads everything that lies in the queue's folder.
func onDisk(t *testing.T, path string) []byte {
	t.Helper()
	var all []byte
	n := 0
	err := filepath.WalkDir(filepath.Dir(path), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".reserve") {
			return err
		}
		b, err := os.ReadFile(name)
		all = append(append(all, name...), b...)
		n++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 4 {
		t.Errorf("got %d files, want database, log, index and a spooled record", n)
	}
	return all
}

// Whoever copies the disk learns nobody's name.
func TestNothingReadableOnDisk(t *testing.T) {
	t.Parallel()
	markers := [][]byte{
		[]byte("SPECIMEN<<ANNA<MARIA<<<<<<<<"), []byte("L898902C3"), []byte("9434765919"),
		{0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 'J', 'F', 'I', 'F', 0x00},
	}
	content := bytes.Repeat(bytes.Join(markers, nil), 300)
	path := place(t)
	q := openQueue(t, path)
	private, _, err := seal.GenerateKey(seal.Hybrid)
	if err != nil {
		t.Fatal(err)
	}
	name := wire.PartName("part-0")
	id := visit(1)
	part, _, err := seal.Seal(private.Recipient(name), name, seal.Binding(id, name, true), content)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Enqueue(t.Context(), id, builder(id, part.Sealed)); err != nil {
		t.Fatal(err)
	}
	shown := func() int {
		n, all := 0, onDisk(t, path)
		for _, m := range markers {
			n += bytes.Count(all, m)
		}
		return n
	}
	if n := shown(); n != 0 {
		t.Errorf("%d markers lie readable on the disk", n)
	}
	if !bytes.Contains(onDisk(t, path), part.Sealed[:64]) {
		t.Error("the sealed bytes are not on the disk, so the search proves nothing")
	}
	// The control: unsealed, the search finds them.
	if _, err := q.Enqueue(t.Context(), visit(2), builder(visit(2), content)); err != nil {
		t.Fatal(err)
	}
	if shown() == 0 {
		t.Error("markers stored in clear are not found: the search is blind")
	}
}
