package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// The invented document of these tests.
const chipKey = "U1234567<685031273106305"

func chipLines() []string {
	return []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
}

func chance(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// utopianChip is a chip of a state that issues specimens, and what trusts it.
func utopianChip(t testing.TB, order issue.Order) (image.Chip, *trust.Store) {
	t.Helper()
	state, err := issue.New(issue.Config{Country: "UT", Code: "UTO"}, chance(1))
	if err != nil {
		t.Fatal(err)
	}
	order.Signed = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	c, err := image.Passport(state, image.Document{
		Lines: chipLines(), Key: chipKey, Portrait: slices.Repeat([]byte{0xff, 0xd8, 0xff}, 1000), Order: order,
	}, chance(2))
	if err != nil {
		t.Fatal(err)
	}
	return c, trust.Given([][]byte{state.Authority()}, nil)
}

// answersTo reads a chip that lies on a simulated reader.
func answersTo(t testing.TB, c image.Chip, store *trust.Store, in string) chipVerdict {
	t.Helper()
	r := sim.NewChipReader(sim.ReaderConfig{})
	card := c.Card(chance(3))
	r.Insert(func() sim.Card { card.Again(); return card.Transmit })
	got, err := chipAnswer(t.Context(), r, store, time.Minute)(json.RawMessage(in))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Transmit(t.Context(), []byte{0, 0x84, 0, 0, 8}); devices.KindOf(err) != devices.Gone {
		t.Errorf("the document was not let go: %v", err)
	}
	return got.(chipVerdict)
}

// TestChip: each thing that can be wrong with a chip has its verdict.
func TestChip(t *testing.T) {
	t.Parallel()
	const printed = `{"mrz_information":"` + chipKey + `"}`
	for name, c := range map[string]struct {
		order   issue.Order
		spoil   func(*image.Chip)
		in      string
		nobody  bool // is trusted
		want    trust.Word
		class   trust.Class
		reason  string
		access  string
		clone   bool
		dropped bool
	}{
		"genuine":          {want: trust.Genuine, access: "PACE", clone: true},
		"issuer-unknown":   {nobody: true, want: trust.IssuerUnknown, reason: string(trust.NoAuthority), access: "PACE"},
		"file-changed":     {order: issue.Order{Fault: issue.TamperedFile}, want: trust.Failed, class: trust.IntegrityFailed, reason: string(trust.FileChanged), access: "PACE"},
		"signature-wrong":  {order: issue.Order{Fault: issue.SignatureWrong}, want: trust.Failed, class: trust.SignatureFailed, reason: string(trust.SignatureWrong), access: "PACE"},
		"a-copy":           {spoil: func(c *image.Chip) { c.Fault = mint.Clone }, want: trust.Failed, class: trust.Clone, reason: string(trust.KeyNotProved), access: "PACE"},
		"another-booklet":  {in: `{"mrz_information":"U1234567<685031273106306"}`, want: trust.Unreadable, reason: "key_refused"},
		"pace-refused":     {spoil: func(c *image.Chip) { c.Fault = mint.RefusedPACE }, want: trust.Unreadable, reason: "downgrade_refused", dropped: true},
		"pace-hidden":      {spoil: func(c *image.Chip) { c.Fault = mint.HiddenPACE }, want: trust.Genuine, access: "BAC", clone: true, dropped: true},
		"portrait-kept":    {spoil: func(c *image.Chip) { c.Fault = mint.KeptPortrait }, want: trust.Unreadable, reason: string(trust.NoPortrait), access: "PACE"},
		"keys-kept":        {spoil: func(c *image.Chip) { c.Fault = mint.KeptKeys }, want: trust.CopyNotExcluded, reason: string(trust.ProtectionUnused), access: "PACE", dropped: true},
		"short-commands":   {spoil: func(c *image.Chip) { c.Fault = mint.NoLong }, want: trust.Genuine, access: "PACE", clone: true},
		"removed":          {spoil: func(c *image.Chip) { c.Fault, c.After = mint.Removed, 8 }, want: trust.Unreadable, reason: "gone", access: "PACE"},
		"by-access-number": {spoil: func(c *image.Chip) { c.CAN = "123456" }, in: `{"can":"123456"}`, want: trust.Genuine, access: "PACE", clone: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			laid, store := utopianChip(t, c.order)
			if c.spoil != nil {
				c.spoil(&laid)
			}
			if c.nobody {
				store = nil
			}
			in := printed
			if c.in != "" {
				in = c.in
			}
			got := answersTo(t, laid, store, in)
			if got.Verdict != c.want || got.Class != c.class || got.Reason != c.reason {
				t.Errorf("got %q %q %q, want %q %q %q", got.Verdict, got.Class, got.Reason, c.want, c.class, c.reason)
			}
			if got.CloneExcluded != c.clone || got.Downgraded != c.dropped || c.access != "" && got.Access != c.access {
				t.Errorf("clone excluded %t, downgraded %t, access %q; want %t, %t, %q", got.CloneExcluded, got.Downgraded, got.Access, c.clone, c.dropped, c.access)
			}
			if c.want == trust.Genuine && (!slices.Equal(got.Lines, chipLines()) || got.Portrait != 3000 || got.Commands < 5 || got.Millis <= 0) {
				t.Errorf("got %q, %d bytes of portrait, %d commands, %f ms", got.Lines, got.Portrait, got.Commands, got.Millis)
			}
			if got.Lines == nil {
				t.Error("the lines are null")
			}
		})
	}
}

// TestChipNoDocument: a reader on which nothing is laid is an answer, too.
func TestChipNoDocument(t *testing.T) {
	t.Parallel()
	r := sim.NewChipReader(sim.ReaderConfig{})
	r.Insert(nil)
	got, err := chipAnswer(t.Context(), r, nil, 10*time.Millisecond)(json.RawMessage(`{"can":"123456"}`))
	if a, is := got.(chipVerdict); err != nil || !is || a.Verdict != trust.NotAttempted || a.Reason != "no_document" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestChipInput: what is no key is not understood, and not repeated.
func TestChipInput(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{}`, `{"can":"12345"}`, `{"can":"12345a"}`, `{"can":123456}`, `{"mrz_information":"short"}`, `{"mrz_information":"l898902c<369080619406236"}`,
	} {
		_, err := chipAnswer(t.Context(), devices.NoDevice{Op: "talking"}, nil, time.Second)(json.RawMessage(in))
		if err == nil {
			t.Errorf("%s was understood", in)
		} else if strings.Contains(err.Error(), "12345") || strings.Contains(err.Error(), "898902") {
			t.Errorf("%s: the error repeats it: %v", in, err)
		}
	}
}

// TestChipCommandLine: a file that is not there is not understood; a reader that is
// not there is a part of the program that is missing.
func TestChipCommandLine(t *testing.T) {
	t.Parallel()
	run := func(o chipOptions) error {
		return o.run(context.Background(), strings.NewReader(`{"can":"123456"}`), &bytes.Buffer{})
	}
	if err := run(chipOptions{authorities: []string{filepath.Join(t.TempDir(), "none.cer")}}); ExitCode(err) != 2 {
		t.Errorf("a certificate that is not there: %v", err)
	}
	if err := run(chipOptions{reader: "No such reader 00 00"}); ExitCode(err) != 1 || devices.KindOf(err) == devices.KindNone {
		t.Errorf("a reader that is not there: %v", err)
	}
	big := filepath.Join(t.TempDir(), "big.cer")
	if err := os.WriteFile(big, make([]byte, maxTrusted+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := trusted([]string{big}); err == nil {
		t.Error("a file that is too large was read")
	}
}

// TestWhyUnread: every failure has a word.
func TestWhyUnread(t *testing.T) {
	t.Parallel()
	for word, err := range map[string]error{
		"refused_by_the_chip": errors.New("anything"),
		"no_document":         &devices.Fault{Kind: devices.Cancelled},
		"timeout":             &devices.Fault{Kind: devices.Timeout},
		"in_use":              &devices.Fault{Kind: devices.InUse},
	} {
		if got := whyUnread(err); got != word {
			t.Errorf("%v: got %q, want %q", err, got, word)
		}
	}
}

// BenchmarkChip reads and judges a chip in memory: what the program itself costs,
// with the chip's side.
func BenchmarkChip(b *testing.B) {
	laid, store := utopianChip(b, issue.Order{})
	for b.Loop() {
		if got := answersTo(b, laid, store, `{"mrz_information":"`+chipKey+`"}`); got.Verdict != trust.Genuine {
			b.Fatal(got.Verdict)
		}
	}
}
