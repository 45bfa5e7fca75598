package bench_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/bench"
	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
)

// The invented document of these tests.
var lines = []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}

const key = "U1234567<685031273106305"

// counter is the configuration of a counter with a simulated chip reader, and the
// folder where its chip lies.
func counter(t *testing.T) (cfg config.Config, state *issue.State, folder string) {
	t.Helper()
	state, err := issue.New(issue.Config{Code: "UTO"}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	list, err := state.CRL(issue.Revocation{From: now.AddDate(0, 0, -2), Until: now.AddDate(0, 1, 0), Number: 1})
	if err != nil {
		t.Fatal(err)
	}
	cfg = config.Default()
	cfg.Data, cfg.Plugs, folder = t.TempDir(), false, t.TempDir()
	cfg.ChipReader, cfg.TrustKey = "sim:"+folder, base64.StdEncoding.EncodeToString(public)
	raw := trust.Contents{Number: 1, Made: now.AddDate(0, 0, -1), Anchors: [][]byte{state.Authority()}, CRLs: [][]byte{list}}.Seal(private)
	if err := os.MkdirAll(cfg.TrustPath(), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(cfg.TrustPath(), "1.bundle"), raw)
	return cfg, state, folder
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run opens a bench and runs it until the test ends; it returns once a device that
// can do something is there.
func run(t *testing.T, cfg config.Config, training bool, can devices.Capability) *bench.Bench {
	t.Helper()
	b, err := bench.Open(cfg, training)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !b.Has(can, devices.AnyRole) {
		select {
		case <-tick.C:
		case <-time.After(10 * time.Second):
			t.Fatalf("no device that is a %s: %+v", can, b.Devices())
		}
	}
	return b
}

func TestAChipOnTheBench(t *testing.T) {
	t.Parallel()
	cfg, state, folder := counter(t)
	c, err := image.Passport(state, image.Document{Lines: lines, Key: key, Order: issue.Order{Signed: time.Now().AddDate(-1, 0, 0)}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Write()
	if err != nil {
		t.Fatal(err)
	}
	bench := run(t, cfg, true, devices.CanReadChip)
	hears := func(proof.Kind, int) {}
	if _, err := bench.ReadChip(t.Context(), desk.ChipKey{MRZInformation: key}, hears); proof.KindOf(err) != proof.KindChipUnread {
		t.Errorf("before a document lies there: %v", err)
	}
	write(t, filepath.Join(folder, "chip.json"), b)
	told, err := bench.ReadChip(t.Context(), desk.ChipKey{MRZInformation: key}, hears)
	if err != nil || told.Fact.Verdict != proof.ChipGenuine || told.Fact.Clone != proof.CloneExcluded || !slices.Equal(told.Fact.Lines, lines) {
		t.Errorf("%+v: %v", told.Fact, err)
	}
	write(t, filepath.Join(folder, "chip.json"), b[:len(b)/2])
	if _, err := bench.ReadChip(t.Context(), desk.ChipKey{MRZInformation: key}, hears); proof.KindOf(err) != proof.KindChipUnread {
		t.Errorf("with half a chip: %v", err)
	}
}

func TestNewerTrustIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	cfg, state, folder := counter(t)
	if err := os.Rename(cfg.TrustPath(), cfg.TrustPath()+".away"); err != nil {
		t.Fatal(err)
	}
	c, err := image.Passport(state, image.Document{Lines: lines, Key: key, Order: issue.Order{Signed: time.Now().AddDate(-1, 0, 0)}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Write()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "chip.json"), b)
	bench := run(t, cfg, true, devices.CanReadChip)
	for _, want := range []proof.ChipVerdict{proof.ChipIssuerUnknown, proof.ChipGenuine} {
		told, err := bench.ReadChip(t.Context(), desk.ChipKey{MRZInformation: key}, func(proof.Kind, int) {})
		if err != nil || told.Fact.Verdict != want {
			t.Errorf("it comes to %s, want %s: %v", told.Fact.Verdict, want, err)
		}
		if want == proof.ChipIssuerUnknown {
			if err := os.Rename(cfg.TrustPath()+".away", cfg.TrustPath()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestBenchesThatCannotBe(t *testing.T) {
	t.Parallel()
	for rule, change := range map[string]func(*config.Config){
		"no such folder": func(c *config.Config) { c.DocumentCamera = "sim:" + filepath.Join(t.TempDir(), "absent") },
		"no key":         func(c *config.Config) { c.TrustKey = "?" },
	} {
		cfg, _, _ := counter(t)
		change(&cfg)
		if _, err := bench.Open(cfg, true); err == nil {
			t.Errorf("%s: it is opened", rule)
		}
	}
}
