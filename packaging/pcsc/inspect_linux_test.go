package pcsc_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/inspect"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// The invented document of these tests.
const specimenKey = "U1234567<685031273106305"

func specimenLines() []string {
	return []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
}

// answer is what inspect chip says.
type answer struct {
	Verdict       string   `json:"verdict"`
	Class         string   `json:"class"`
	Reason        string   `json:"reason"`
	Access        string   `json:"access"`
	Downgraded    bool     `json:"downgraded"`
	CloneExcluded bool     `json:"clone_excluded"`
	Lines         []string `json:"dg1_lines"`
	Portrait      int      `json:"portrait_bytes"`
	Commands      int      `json:"apdus"`
	Millis        float64  `json:"millis"`
}

// ask runs the command on the first virtual reader.
func ask(tb testing.TB, in string, more ...string) answer {
	tb.Helper()
	var out bytes.Buffer
	cmd := inspect.Command()
	cmd.SetArgs(append([]string{"chip", "--reader", reader, "--wait", "10s"}, more...))
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	if err := cmd.ExecuteContext(tb.Context()); err != nil {
		tb.Fatalf("inspect chip: %v", err)
	}
	var a answer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		tb.Fatalf("inspect chip says what is no answer: %v", err)
	}
	return a
}

// utopia is a state that issues specimens, with its authority's certificate in a
// file.
func utopia(tb testing.TB) (s *issue.State, authority string) {
	tb.Helper()
	s, err := issue.New(issue.Config{Country: "UT", Code: "UTO"}, random(1))
	if err != nil {
		tb.Fatal(err)
	}
	authority = filepath.Join(tb.TempDir(), "utopia.cer")
	if err := os.WriteFile(authority, s.Authority(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return s, authority
}

// specimen is a chip of a state.
func specimen(tb testing.TB, of *issue.State, fault issue.Fault) image.Chip {
	tb.Helper()
	order := issue.Order{Signed: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Fault: fault}
	c, err := image.Passport(of, image.Document{
		Lines: specimenLines(), Key: specimenKey, Portrait: slices.Repeat([]byte{0xff, 0xd8, 0xff}, portrait/3), Order: order,
	}, random(2))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestInspect: fault by fault, the command gives the verdict of a chip that lies on
// a reader of the real service.
func TestInspect(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	h := devicetest.NewHand(t, address)
	state, authority := utopia(t)
	for name, c := range map[string]struct {
		signed     issue.Fault
		chip       mint.Fault
		after      int
		key        string
		verdict    string
		class      string
		reason     string
		clone      bool
		downgraded bool
	}{
		"genuine":             {verdict: "genuine", clone: true},
		"no-long-commands":    {chip: mint.NoLong, verdict: "genuine", clone: true},
		"no-short-ids":        {chip: mint.NoShortIDs, verdict: "genuine", clone: true},
		"gives-little":        {chip: mint.Stingy, verdict: "genuine", clone: true},
		"slow":                {chip: mint.Slow, verdict: "genuine", clone: true},
		"other-length":        {chip: mint.OtherLength, verdict: "genuine", clone: true},
		"a-copy":              {chip: mint.Clone, verdict: "failed", class: "clone", reason: "chip_key_not_proved"},
		"proof-refused":       {chip: mint.RefusedProof, verdict: "failed", class: "clone", reason: "chip_key_not_proved"},
		"tampered-on-the-way": {chip: mint.Tampered, after: 10, verdict: "unreadable", reason: "not_authentic"},
		"removed":             {chip: mint.Removed, after: 9, verdict: "unreadable", reason: "gone"},
		"wrong-tag":           {chip: mint.WrongTag, verdict: "unreadable", reason: "makes_no_sense"},
		"endless":             {chip: mint.Endless, verdict: "unreadable", reason: "too_large"},
		"pace-refused":        {chip: mint.RefusedPACE, verdict: "unreadable", reason: "downgrade_refused", downgraded: true},
		"pace-hidden":         {chip: mint.HiddenPACE, verdict: "genuine", clone: true, downgraded: true},
		"portrait-kept-back":  {chip: mint.KeptPortrait, verdict: "unreadable", reason: "no_portrait"},
		"keys-kept-back":      {chip: mint.KeptKeys, verdict: "genuine_copy_not_excluded", reason: "protection_not_proved", downgraded: true},
		"another-booklet":     {key: "U1234567<685031273106306", verdict: "unreadable", reason: "key_refused"},
		"file-changed":        {signed: issue.TamperedFile, verdict: "failed", class: "integrity_failed", reason: "file_changed"},
		"signature-wrong":     {signed: issue.SignatureWrong, verdict: "failed", class: "signature_failed", reason: "signature_wrong"},
		"signer-expired":      {signed: issue.ExpiredSigner, verdict: "failed", class: "certificate_unfit", reason: "signer_not_valid_when_signed"},
		"foreign-authority":   {signed: issue.UnknownKey, verdict: "issuer_unknown", reason: "no_authority_key"},
	} {
		t.Run(name, func(t *testing.T) {
			laid := specimen(t, state, c.signed)
			laid.Fault, laid.After = c.chip, c.after
			h.Lay(lies(laid.Card(random(3))))
			key := specimenKey
			if c.key != "" {
				key = c.key
			}
			got := ask(t, `{"mrz_information":"`+key+`"}`, "--csca", authority)
			if got.Verdict != c.verdict || got.Class != c.class || got.Reason != c.reason || got.Downgraded != c.downgraded {
				t.Errorf("got %q %q %q, downgraded %t; want %q %q %q, %t",
					got.Verdict, got.Class, got.Reason, got.Downgraded, c.verdict, c.class, c.reason, c.downgraded)
			}
			if c.verdict == "genuine" && (got.CloneExcluded != c.clone || !slices.Equal(got.Lines, specimenLines()) || got.Portrait < portrait-3) {
				t.Errorf("a genuine chip: clone excluded %t, lines %q, %d bytes of portrait", got.CloneExcluded, got.Lines, got.Portrait)
			}
			t.Logf("%s %s %s by %s, %d commands, %.1f ms", got.Verdict, got.Class, got.Reason, got.Access, got.Commands, got.Millis)
		})
	}
	h.Take()
	if got := ask(t, `{"can":"123456"}`, "--wait", "1s"); got.Verdict != "not_attempted" || got.Reason != "no_document" {
		t.Errorf("without a document: %+v", got)
	}
}

// BenchmarkInspect is from the document's lying there to the verdict: opened by
// PACE, proved by Chip Authentication, read, and judged.
func BenchmarkInspect(b *testing.B) {
	h := inside(b)
	state, authority := utopia(b)
	for name, fault := range map[string]mint.Fault{"long": mint.None, "short": mint.NoLong} {
		b.Run(name, func(b *testing.B) {
			laid := specimen(b, state, issue.None)
			laid.Fault = fault
			h.Lay(lies(laid.Card(random(3))))
			var took []time.Duration
			var last answer
			for b.Loop() {
				last = ask(b, `{"mrz_information":"`+specimenKey+`"}`, "--csca", authority)
				if last.Verdict != "genuine" {
					b.Fatalf("the verdict is %q, %q", last.Verdict, last.Reason)
				}
				took = append(took, time.Duration(last.Millis*float64(time.Millisecond)))
			}
			median(b, took)
			b.ReportMetric(float64(last.Commands), "apdus")
		})
	}
}
