package office_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/audit"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/export"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// centre is the data folder of a centre, and the store in it.
type centre struct {
	t   *testing.T
	dir string
	*sqlite.Store
	keys *authority.Authority

	signers map[wire.AgentID]*ecdsa.PrivateKey
}

// started is a centre that has been started once.
func started(t *testing.T) *centre {
	t.Helper()
	c := &centre{t: t, dir: filepath.Join(t.TempDir(), "centre"), signers: map[wire.AgentID]*ecdsa.PrivateKey{}}
	opened, err := central.Open(t.Context(), central.Config{Dir: c.dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if c.Store, err = sqlite.Open(t.Context(), filepath.Join(c.dir, central.DatabaseFile)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if c.keys, err = authority.Open(c.dir, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs a command on the centre, with what a person types.
func (c *centre) run(typed string, args ...string) (stdout, stderr string, err error) {
	cmd := office.Command()
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetIn(strings.NewReader(typed))
	cmd.SetArgs(append([]string{"--data", c.dir, "--database", ""}, args...))
	err = cmd.ExecuteContext(c.t.Context())
	return out.String(), errs.String(), err
}

// says runs a command that must succeed and whose output holds a text.
func (c *centre) says(want string, args ...string) string {
	c.t.Helper()
	out, _, err := c.run("", args...)
	if err != nil || !strings.Contains(out, want) {
		c.t.Errorf("%s: got %q (%v), want %q", strings.Join(args, " "), out, err, want)
	}
	return out
}

// fails runs a command that must fail with a text.
func (c *centre) fails(want string, args ...string) {
	c.t.Helper()
	if out, _, err := c.run("", args...); err == nil || !strings.Contains(err.Error(), want) {
		c.t.Errorf("%s: got %q, %v; want an error with %q", strings.Join(args, " "), out, err, want)
	}
}

// enrol enrols an agent of a new key with a code.
func (c *centre) enrol(code store.Code) store.Agent {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		c.t.Fatal(err)
	}
	code.Hash, code.Expires = wire.HashOf(public), time.Now().Add(time.Hour)
	if code.Role == "" {
		code.Role = store.Counter
	}
	if err := c.AddCode(c.t.Context(), code); err != nil {
		c.t.Fatal(err)
	}
	a, err := c.Enrol(c.t.Context(), store.Enrolment{
		Code: code.Hash, Agent: wire.AgentID("agent-" + wire.KeyIDOf(public)), Public: public, Grade: "file", At: time.Now().UTC(),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.signers[a.ID] = key
	return a
}

// record stores the first record of an agent under a record id.
func (c *centre) record(a store.Agent, id wire.RecordID, sealed string) wire.Receipt {
	c.t.Helper()
	h := wire.Header{Version: 1, Agent: a.ID, Seq: 1, Record: id, Wall: time.Now().UTC().Truncate(time.Millisecond),
		Parts: []wire.PartInfo{{Name: "claims", Recipient: "k", Len: uint64(len(sealed)), SHA256: wire.HashOf([]byte(sealed))}}}
	e, err := seal.Envelope(h, []wire.Part{{Name: "claims", Sealed: []byte(sealed)}}, c.signers[a.ID])
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := c.Accept(c.t.Context(), store.Submission{
		Agent: a.ID, Header: h, At: time.Now().UTC().Truncate(time.Millisecond),
		Envelope:    e,
		SignReceipt: func(r wire.Receipt) (wire.Receipt, error) { return seal.SignReceipt(r, c.keys.Receipt) },
	})
	if err != nil || answer.Verdict != wire.Stored {
		c.t.Fatal(answer.Verdict, err)
	}
	return *answer.Receipt
}

// leaves are the office's leaves: who did what.
func (c *centre) leaves() []string {
	c.t.Helper()
	all, err := c.Leaves(c.t.Context(), 0, 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	var words []string
	for _, l := range all {
		if l.Kind == wire.LeafDeed || l.Kind == wire.LeafTombstone {
			words = append(words, l.By+" "+l.Word)
		}
	}
	return words
}

// wantLeaves compares who did what.
func (c *centre) wantLeaves(want ...string) {
	c.t.Helper()
	if got := c.leaves(); strings.Join(got, ", ") != strings.Join(want, ", ") {
		c.t.Errorf("the log says %q, want %q", got, want)
	}
}

// TestApprove: another person than who invited approves, once.
func TestApprove(t *testing.T) {
	t.Parallel()
	c := started(t)
	a := c.enrol(store.Code{Site: "FA123", By: "pat", Second: true})
	c.says("pending", "agents")
	c.fails("the second person must be another", "approve", string(a.ID), "--by", "pat")
	c.fails("the second person must be another", "approve", string(a.ID), "--by", "PAT")
	c.fails("no agent agent-none", "approve", "agent-none", "--by", "sam")
	c.fails("sign-in name", "approve", string(a.ID), "--by", "sam jones!")
	c.says("may speak now", "approve", string(a.ID), "--by", "sam")
	c.fails("waits for nobody", "approve", string(a.ID), "--by", "sam")
	found, err := c.Agent(t.Context(), a.ID)
	if err != nil || found.Status != store.Active || found.Approved != "sam" || found.Invited != "pat" {
		t.Errorf("got %+v, %v", found, err)
	}
	c.wantLeaves("sam approve")
}

// TestRevoke: with a word of the list, for ever.
func TestRevoke(t *testing.T) {
	t.Parallel()
	c := started(t)
	a, opener := c.enrol(store.Code{Site: "FA123"}), c.enrol(store.Code{Role: store.Opener})
	c.fails("required flag", "revoke", string(a.ID))
	c.fails("stolen, lost, broken", "revoke", string(a.ID), "--reason", "he was rude")
	c.says("refused from now on", "revoke", string(a.ID), "--reason", "stolen", "--by", "Pat.Smith@example.org")
	c.fails("revoked before", "revoke", string(a.ID), "--reason", "stolen")
	c.fails("for ever", "approve", string(a.ID), "--by", "sam")
	c.fails("was revoked", "move", string(a.ID), "--site", "FB456")
	c.says("refused from now on", "revoke", string(opener.ID), "--reason", "replaced", "--by", "pat-smith")
	c.says("revoked", "agents")
	c.wantLeaves("pat-smith revoke_stolen", "pat-smith revoke_replaced")
}

// TestMove: to a site that can be one.
func TestMove(t *testing.T) {
	t.Parallel()
	c := started(t)
	a := c.enrol(store.Code{Site: "FA123"})
	c.says("stands in FB456 now", "move", string(a.ID), "--site", "FB456", "--by", "pat")
	c.fails("already", "move", string(a.ID), "--site", "FB456", "--by", "pat")
	c.fails("letters, digits and hyphens", "move", string(a.ID), "--site", "../x", "--by", "pat")
	c.says("FB456", "agents")
	c.wantLeaves("pat move")
}

// TestInvite: who invites is known, and the second person is asked for.
func TestInvite(t *testing.T) {
	t.Parallel()
	c := started(t)
	text := c.says("cpi1:", "invite", "--site", "FA123", "--second", "--grade", "tpm,dpapi", "--address", "centre.example:8443", "--by", "pat")
	invite, err := store.ParseInvite(text)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Enrol(t.Context(), store.Enrolment{Code: store.HashCode(invite.Code), Agent: "agent-1", Public: []byte("k"), Grade: "file", At: time.Now()})
	if err == nil {
		t.Error("a key in a file was taken")
	}
	a, err := c.Enrol(t.Context(), store.Enrolment{Code: store.HashCode(invite.Code), Agent: "agent-1", Public: []byte("k"), Grade: "tpm", At: time.Now()})
	if err != nil || a.Status != store.Pending || a.Invited != "pat" {
		t.Errorf("got %+v, %v", a, err)
	}
	c.fails("tpm, dpapi or file", "invite", "--site", "FA123", "--grade", "paper", "--address", "centre.example:8443", "--by", "pat")
	c.fails("give --address", "invite", "--site", "FA123", "--by", "pat")
	c.wantLeaves("pat invite")
}

// TestExport: by the slip's reference or the proofing's id, to a new file of the
// owner's alone, which an auditor can check.
func TestExport(t *testing.T) {
	t.Parallel()
	c := started(t)
	id := wire.RecordID{1, 2, 3}
	first := c.record(c.enrol(store.Code{Site: "FA123"}), id, "sealed claims")
	c.record(c.enrol(store.Code{Site: "FA123"}), id, "sealed again") // the same visit from another counter
	_, err := c.Sequence(t.Context(), func(size uint64, root wire.Hash) ([]byte, error) { return tlog.Sign(1, size, root, c.keys.Receipt) })
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "record.json")
	c.says("", "export", strings.ToLower(string(id.Ref())), "--out", path, "--by", "pat")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file has mode %v (%v)", info.Mode(), err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, records, unproved, err := export.Read(f, c.keys.Public())
	if err != nil || len(records) != 2 || unproved != 0 || file.By != "pat" {
		t.Fatalf("got %d records, %d unproved, %v", len(records), unproved, err)
	}
	if records[0].Receipt.RecHash != first.RecHash || string(records[0].Envelope.Parts[0].Sealed) != "sealed claims" {
		t.Errorf("got %+v", records[0])
	}
	c.fails("is there already", "export", string(id.Ref()), "--out", path, "--by", "pat")
	c.says(`"format":"counterproof export 1"`, "export", id.String(), "--by", "pat")
	c.fails("may still wait in its counter's queue", "export", string(wire.RecordID{9}.Ref()), "--by", "pat")
	c.fails("may still wait", "export", wire.RecordID{1, 2, 3, 0, 0, 0, 0, 9}.String(), "--by", "pat") // same reference, another id
	c.fails("reference on the slip", "export", "8QXR-2M4K-7T0", "--by", "pat")
	c.wantLeaves("pat export", "pat export", "pat export", "pat export")
}

// TestErase: asked for twice, with a tombstone, once.
func TestErase(t *testing.T) {
	t.Parallel()
	c := started(t)
	id := wire.RecordID{4, 5, 6}
	ref := string(id.Ref())
	r := c.record(c.enrol(store.Code{Site: "FA123"}), id, "sealed claims")
	args := []string{"erase", ref, "--reason", "request", "--by", "pat"}
	for _, typed := range []string{"", "no\n", string(wire.RecordID{9}.Ref()) + "\n"} {
		if _, asked, err := c.run(typed, args...); err == nil || !strings.Contains(asked, "Type its reference again") || !strings.Contains(err.Error(), "nothing was done") {
			t.Errorf("typed %q: got %v", typed, err)
		}
	}
	c.fails("request, court", "erase", ref, "--reason", "because", "--yes", "--by", "pat")
	c.wantLeaves()
	if out, _, err := c.run(strings.ToLower(ref)+"\n", args...); err != nil || !strings.Contains(out, "is erased") {
		t.Fatalf("got %q, %v", out, err)
	}
	c.fails("erased before", append(args, "--yes")...)
	records, err := c.Records(t.Context(), 0, 1)
	if err != nil || !records[0].Erased || records[0].Receipt.RecHash != r.RecHash {
		t.Errorf("got %+v, %v", records, err)
	}
	all, err := c.Leaves(t.Context(), 0, 10)
	last := all[len(all)-1]
	if err != nil || last.Kind != wire.LeafTombstone || last.Subject != r.RecHash || last.Index != r.LogIndex || last.Word != "erase_request" {
		t.Errorf("the tombstone is %+v (%v)", last, err)
	}
	c.wantLeaves("pat erase_request")
}

// TestEraseOneOfTwo: where a reference stands for two records, a person says
// which.
func TestEraseOneOfTwo(t *testing.T) {
	t.Parallel()
	c := started(t)
	id := wire.RecordID{4, 5, 6}
	c.record(c.enrol(store.Code{Site: "FA123"}), id, "one")
	c.record(c.enrol(store.Code{Site: "FA123"}), id, "two")
	args := []string{"erase", id.String(), "--reason", "mistake", "--yes", "--by", "pat"}
	c.fails("records 1, 2 of the log", args...)
	c.fails("records 1, 2 of the log", append(args, "--index", "3")...)
	c.says("Record 2", append(args, "--index", "2")...)
	records, err := c.Records(t.Context(), 0, 2)
	if err != nil || records[0].Erased || !records[1].Erased {
		t.Errorf("got %v", err)
	}
}

// TestFlags: open flags are listed and closed with a word, once.
func TestFlags(t *testing.T) {
	t.Parallel()
	c := started(t)
	flag := wire.Flag{Kind: wire.FlagChip, Records: []wire.Hash{wire.HashOf(nil)}, At: time.Now().UTC().Truncate(time.Millisecond)}
	other := wire.Flag{Kind: wire.FlagPace, Records: flag.Records, At: flag.At}
	if err := c.Raise(t.Context(), "agent-o", []wire.Flag{flag, other}); err != nil {
		t.Fatal(err)
	}
	c.says("chip_again", "flags")
	c.says("too_many", "flags", "list")
	c.fails("fraud, mistake, same_visit", "flags", "settle", "1", "--word", "because", "--by", "pat")
	c.says("", "flags", "settle", "1", "--word", "explained", "--by", "pat")
	for _, number := range []string{"1", "0", "3"} {
		c.fails("no flag "+number+" is open", "flags", "settle", number, "--word", "explained", "--by", "pat")
	}
	c.fails("no flag's number", "flags", "settle", "one", "--word", "explained", "--by", "pat")
	if out := c.says("too_many", "flags"); strings.Contains(out, "chip_again") {
		t.Errorf("a settled flag is open: %s", out)
	}
	c.says("explained", "flags", "--all")
	c.wantLeaves("pat settle_explained")
}

// TestTrustAndSettings: what counters are told is changed by a person, and shown.
func TestTrustAndSettings(t *testing.T) {
	t.Parallel()
	c := started(t)
	path := filepath.Join(t.TempDir(), "00000001.bundle")
	if err := os.WriteFile(path, []byte("a signed list"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.says("list 1, 13 bytes", "trust", "set", path, "--by", "pat")
	c.fails("reading the list", "trust", "set", path+".none", "--by", "pat")
	c.says("high-grade tpm\npace 600", "settings", "--high-grade", "tpm", "--pace", "600", "--by", "pat")
	c.says("high-grade tpm\npace 0", "settings", "--pace", "0", "--by", "pat")
	c.says("high-grade tpm\npace 0", "settings")
	c.fails("tpm, dpapi or file", "settings", "--high-grade", "paper", "--by", "pat")
	c.fails("0 to 3600", "settings", "--pace", "90000", "--by", "pat")
	c.wantLeaves("pat trust_set", "pat settings", "pat settings")
	c.enrol(store.Code{Site: "FA123"})
	c.enrol(store.Code{Site: "FA123", By: "pat", Second: true})
	out := c.says("list 1, 13 bytes", "status")
	for _, want := range []string{"mode     live", "not known yet", "1 active, 1 waiting", "version 4", "0 open"} {
		if !strings.Contains(out, want) {
			t.Errorf("the status does not say %q:\n%s", want, out)
		}
	}
}

// TestVerifyLog: a sound log is told as one, with the receipts of exports; one that
// lost a leaf, and somebody else's export, are not.
func TestVerifyLog(t *testing.T) {
	t.Parallel()
	c, other := started(t), started(t)
	path := filepath.Join(t.TempDir(), "record.json")
	id := wire.RecordID{1, 2, 3}
	for _, c := range []*centre{c, other} {
		c.record(c.enrol(store.Code{Site: "FA123"}), id, "sealed claims")
		_, err := c.Sequence(t.Context(), func(size uint64, root wire.Hash) ([]byte, error) { return tlog.Sign(1, size, root, c.keys.Receipt) })
		if err != nil {
			t.Fatal(err)
		}
	}
	c.says("", "export", id.String(), "--out", path, "--by", "pat")
	var report audit.Report
	if err := json.Unmarshal([]byte(c.says(`"records": 1`, "verify-log", "--export", path)), &report); err != nil || !report.Sound() || report.Deeds["export"] != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
	other.fails("not an export of this centre's", "verify-log", "--export", path)
	c.fails("reading an export", "verify-log", "--export", path+".none")
	db, err := sql.Open("sqlite3", filepath.Join(c.dir, central.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE leaf SET by='somebody' WHERE kind='record'`); err != nil {
		t.Fatal(err)
	}
	c.fails("not sound", "verify-log")
}

// TestNothingThere: without a centre every command says what to do first.
func TestNothingThere(t *testing.T) {
	t.Parallel()
	c := &centre{t: t, dir: t.TempDir()}
	for _, args := range []string{
		"agents", "status", "flags", "invite --site FA123 --by pat", "approve agent-1 --by pat", "erase 8QXR-2M4K-7TD --reason mistake --by pat",
	} {
		c.fails("start it once", strings.Fields(args)...)
	}
	c.fails("no database", "migrate")
}

// TestHelp: every command says what it does, and every flag what it is for.
func TestHelp(t *testing.T) {
	t.Parallel()
	c := &centre{t: t, dir: t.TempDir()}
	for args, want := range map[string][]string{
		"": {"serve", "invite", "migrate", "agents", "approve", "revoke", "move", "flags", "export", "erase", "verify-log", "trust", "settings", "status",
			"--data", "--database", "--by", "exit code", "standard error"},
		"serve": {"--metrics", "--listen", "--training", "first start"}, "invite": {"--second", "--grade", "24 hours"},
		"revoke": {"stolen", "for ever", "queue"}, "erase": {"tombstone", "--yes", "Backups"}, "export": {"--out", "receipt", "proof"},
		"move": {"old certificate"}, "flags": {"settle", "visit_twice"}, "trust set": {"publisher", "180"}, "approve": {"second person"},
	} {
		out := c.says("", append(strings.Fields(args), "--help")...)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s --help does not tell of %s", args, w)
			}
		}
	}
}

// TestServeFigures: the figures are given while the centre answers, and only on
// this machine.
func TestServeFigures(t *testing.T) {
	t.Parallel()
	c := started(t)
	c.fails("loopback", "serve", "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0")
	c.fails("listening on nowhere", "serve", "--listen", "nowhere")
	ctx, cancel := context.WithCancel(t.Context())
	cmd := office.Command()
	read, write := io.Pipe()
	cmd.SetErr(write)
	cmd.SetArgs([]string{"serve", "--data", c.dir, "--database", "", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"})
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()
	lines := json.NewDecoder(read)
	var figures string
	for figures == "" {
		var line struct{ Msg, Addr string }
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Msg == "figures are given" {
			figures = line.Addr
		}
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	resp, err := http.Get("http://" + figures + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "counterproof_refusals_total") {
		t.Errorf("got %q (%v)", body, err)
	}
	_ = resp.Body.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestDefaultDir: the service's own folder comes first.
func TestDefaultDir(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", filepath.Join(t.TempDir(), "state"))
	cmd := office.Command()
	if got := cmd.PersistentFlags().Lookup("data").DefValue; !strings.HasSuffix(got, "state") {
		t.Errorf("got %s", got)
	}
	t.Setenv("STATE_DIRECTORY", "")
	if got := office.Command().PersistentFlags().Lookup("data").DefValue; !strings.HasSuffix(got, "counterproof-central") {
		t.Errorf("got %s", got)
	}
}

// TestCommandMistakes: what cannot work says why, in a sentence.
func TestCommandMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, s := range []struct{ args, want string }{
		{"invite --site FA123", "start it once"},
		{"invite", "at least one of the flags"},
		{"invite --site FA123 --opener", "none of the others can be"},
		{"migrate", "no database"},
		{"serve --listen nowhere", "listening on nowhere"},
		{"open", "unknown command"},
		{"serve more", "unknown command"},
	} {
		c := &centre{t: t, dir: dir}
		_, stderr, err := c.run("", strings.Fields(s.args)...)
		if err == nil || !strings.Contains(err.Error(), s.want) {
			t.Errorf("%s: got %v, want %q", s.args, err, s.want)
		}
		if !strings.Contains(stderr, "Error:") {
			t.Errorf("%s: nothing on stderr", s.args)
		}
	}
}

// TestMigrate: a sound database of this version stays what it is.
func TestMigrate(t *testing.T) {
	t.Parallel()
	c := started(t)
	c.enrol(store.Code{Site: "FA123"})
	c.says("the database is sound", "migrate")
	c.says("FA123", "agents")
}

// TestManyAgents: the list and the figures go beyond one page.
func TestManyAgents(t *testing.T) {
	t.Parallel()
	c := started(t)
	code := store.Code{Site: "FA123", Role: store.Counter, Expires: time.Now().Add(time.Hour)}
	for i := range 520 {
		code.Hash = wire.HashOf([]byte{byte(i), byte(i >> 8)})
		id := wire.AgentID("agent-" + code.Hash.String()[:16])
		if err := c.AddCode(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Enrol(t.Context(), store.Enrolment{Code: code.Hash, Agent: id, Public: code.Hash[:], Grade: "file", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if lines := strings.Count(c.says("FA123", "agents"), "\n"); lines != 521 {
		t.Errorf("%d lines are listed, want 521", lines)
	}
	c.says("520 active", "status")
}

// TestTimeOfADeed: a deed's leaf has the time at which it was done, in whole
// milliseconds.
func TestTimeOfADeed(t *testing.T) {
	t.Parallel()
	c := started(t)
	a := c.enrol(store.Code{Site: "FA123"})
	opened, err := central.Open(t.Context(), central.Config{Dir: c.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	people, err := opened.Office()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 9, 30, 0, 123_456_789, time.UTC)
	staff := office.Staff{Office: people, By: "pat", Now: func() time.Time { return at }}
	if _, err := staff.Move(t.Context(), a.ID, "FB456"); err != nil {
		t.Fatal(err)
	}
	all, err := c.Leaves(t.Context(), 0, 10)
	last := all[len(all)-1]
	if err != nil || !last.At.Equal(at.Truncate(time.Millisecond)) || last.Subject != wire.HashOf([]byte(a.ID)) {
		t.Errorf("got %+v (%v)", last, err)
	}
}
