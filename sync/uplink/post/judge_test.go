package post

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestJudge is the table of answers: status, what the body says, what the
// counter does.
func TestJudge(t *testing.T) {
	t.Parallel()
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	_, other, _ := ed25519.GenerateKey(rand.Reader)
	sent := wire.Receipt{Agent: "agent-1", Seq: 7, RecHash: wire.HashOf([]byte("record"))}
	receipt := func(key ed25519.PrivateKey, change func(*wire.Receipt)) *wire.Receipt {
		r := wire.Receipt{Agent: sent.Agent, Seq: sent.Seq, RecHash: sent.RecHash, LogIndex: 3, At: time.UnixMilli(1_790_000_000_000)}
		change(&r)
		signed, err := seal.SignReceipt(r, key)
		if err != nil {
			t.Fatal(err)
		}
		return &signed
	}
	refusal := func(key ed25519.PrivateKey, change func(*wire.Refusal)) *wire.Refusal {
		r := wire.Refusal{Agent: sent.Agent, Seq: sent.Seq, RecHash: sent.RecHash, Reason: "training", At: time.UnixMilli(1_790_000_000_000)}
		change(&r)
		signed, err := seal.SignRefusal(r, key)
		if err != nil {
			t.Fatal(err)
		}
		return &signed
	}
	same, sameRefusal := func(*wire.Receipt) {}, func(*wire.Refusal) {}
	for _, s := range []struct {
		name   string
		status int
		answer any
		step   Step
		kind   wire.Kind
	}{
		{"stored", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, same)}, Acked, ""},
		{"replayed", 200, wire.Answer{Verdict: wire.Replayed, Receipt: receipt(key, same)}, Acked, ""},
		{"stored/no-receipt", 200, wire.Answer{Verdict: wire.Stored}, Again, wire.KindProtocol},
		{"stored/other-key", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(other, same)}, Again, wire.KindProtocol},
		{"stored/other-seq", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, func(r *wire.Receipt) { r.Seq++ })}, Again, wire.KindProtocol},
		{"stored/other-agent", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, func(r *wire.Receipt) { r.Agent = "x" })}, Again, wire.KindProtocol},
		{"stored/other-hash", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, func(r *wire.Receipt) { r.RecHash[0] ^= 1 })}, Again, wire.KindProtocol},
		{"stored/under-201", 201, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, same)}, Again, wire.KindProtocol},
		{"empty-200", 200, nil, Again, wire.KindProtocol},
		{"missing", 424, wire.Answer{Verdict: wire.MissingBlobs, Missing: []wire.Hash{{}}}, Upload, ""},
		{"gap", 425, wire.Answer{Verdict: wire.Gap, Expect: 4}, Rewind, ""},
		{"gap/none", 425, wire.Answer{Verdict: wire.Gap, Expect: 7}, Again, wire.KindProtocol},
		{"gap/ahead", 425, wire.Answer{Verdict: wire.Gap, Expect: 9}, Again, wire.KindProtocol},
		{"gap/zero", 425, wire.Answer{Verdict: wire.Gap}, Again, wire.KindProtocol},
		{"fork", 409, wire.Answer{Verdict: wire.Fork}, Quarantine, wire.KindQuarantined},
		{"fork/somebody-else's-409", 409, "<html>", Again, wire.KindProtocol},
		{"fork/under-200", 200, wire.Answer{Verdict: wire.Fork}, Again, wire.KindProtocol},
		{"altered", 400, wire.Answer{Verdict: wire.Altered}, Again, wire.KindProtocol},
		{"refused", 422, wire.Answer{Verdict: wire.Refused, Refusal: refusal(key, sameRefusal)}, Refused, ""},
		{"refused/unsigned", 422, wire.Answer{Verdict: wire.Refused, Refusal: &wire.Refusal{Agent: sent.Agent, Seq: 7, RecHash: sent.RecHash}}, Again, wire.KindProtocol},
		{"refused/other-key", 422, wire.Answer{Verdict: wire.Refused, Refusal: refusal(other, sameRefusal)}, Again, wire.KindProtocol},
		{"refused/other-record", 422, wire.Answer{Verdict: wire.Refused, Refusal: refusal(key, func(r *wire.Refusal) { r.RecHash[0] ^= 1 })}, Again, wire.KindProtocol},
		{"refused/none", 422, wire.Answer{Verdict: wire.Refused}, Again, wire.KindProtocol},
		{"401", 401, nil, Again, wire.KindUnauthorised},
		{"403", 403, wire.Answer{Verdict: wire.Unauthorised}, Again, wire.KindUnauthorised},
		{"upgrade", 426, wire.Answer{Verdict: wire.Upgrade}, Again, wire.KindUpgrade},
		{"shed", 503, wire.Answer{Verdict: wire.Shed, RetryAfter: 9}, Again, wire.KindShed},
		{"too-many", 429, nil, Again, wire.KindShed},
		{"gateway", 502, "<html>", Again, wire.KindUnreachable},
		{"redirect", 302, "<html>", Again, wire.KindProtocol},
		{"unknown-verdict", 200, wire.Answer{Verdict: "perhaps"}, Again, wire.KindProtocol},
	} {
		body, err := json.Marshal(s.answer)
		if err != nil {
			t.Fatal(err)
		}
		got := judge(ask.Reply{Status: s.status, Header: http.Header{}, Body: body}, sent, public)
		if got.Step != s.step || got.Kind != s.kind {
			t.Errorf("%s: got step %d, kind %q; want %d, %q", s.name, got.Step, got.Kind, s.step, s.kind)
		}
	}
	d := judge(ask.Reply{Status: 503, Header: http.Header{"Retry-After": {"9"}}, Body: nil}, sent, public)
	if d.Asked != 9*time.Second {
		t.Errorf("the centre asked for 9 s, got %v", d.Asked)
	}
}

// FuzzJudge: whatever bytes come, only a signed receipt acknowledges.
func FuzzJudge(f *testing.F) {
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	sent := wire.Receipt{Agent: "agent-1", Seq: 7, RecHash: wire.HashOf([]byte("record"))}
	r, err := seal.SignReceipt(sent, key)
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(wire.Answer{Verdict: wire.Stored, Receipt: &r})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(200, good)
	f.Add(425, []byte(`{"verdict":"gap","expect":3}`))
	f.Add(422, []byte(`{"verdict":"refused","refusal":{}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		d := judge(ask.Reply{Status: status, Header: http.Header{}, Body: body}, sent, public)
		switch d.Step {
		case Acked:
			if seal.VerifyReceipt(*d.Answer.Receipt, public) != nil || d.Answer.Receipt.RecHash != sent.RecHash {
				t.Fatal("acknowledged without a receipt")
			}
		case Refused:
			if seal.VerifyRefusal(*d.Answer.Refusal, public) != nil {
				t.Fatal("refused without a refusal")
			}
		case Rewind:
			if d.Answer.Expect < 1 || d.Answer.Expect >= sent.Seq {
				t.Fatal("rewound to nowhere")
			}
		}
	})
}

// TestUploaded is the table of a blob's answers.
func TestUploaded(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		name             string
		status           int
		offset, complete string
		want             int64
		done             bool
		kind             wire.Kind
	}{
		{"begins", 204, "0", "?0", 0, false, ""},
		{"goes-on", 204, "70", "?0", 70, false, ""},
		{"whole", 204, "100", "?1", 100, true, ""},
		{"created", 201, "", "", 100, true, ""},
		{"elsewhere", 409, "30", "?0", 30, false, ""},
		{"altered", 400, "0", "?0", 0, false, ""},
		{"no-offset", 204, "", "?0", 0, false, wire.KindProtocol},
		{"beyond", 204, "101", "?0", 0, false, wire.KindProtocol},
		{"negative", 204, "-1", "?0", 0, false, wire.KindProtocol},
		{"complete-too-early", 204, "70", "?1", 0, false, wire.KindProtocol},
		{"forbidden", 403, "0", "?0", 0, false, wire.KindUnauthorised},
		{"busy", 503, "0", "?0", 0, false, wire.KindShed},
		{"too-large", 413, "0", "?0", 0, false, wire.KindProtocol},
	} {
		h := http.Header{"Upload-Offset": {s.offset}, "Upload-Complete": {s.complete}}
		got, done, err := uploaded(ask.Reply{Status: s.status, Header: h, Body: nil}, 100)
		if wire.KindOf(err) != s.kind || err == nil && (got != s.want || done != s.done) {
			t.Errorf("%s: got %d, %v, %v", s.name, got, done, err)
		}
	}
}

// TestJudgeRun: a run's answers move as many records as have their own receipts, in
// order, and nothing behind the first that was not taken.
func TestJudgeRun(t *testing.T) {
	t.Parallel()
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	var sent []wire.Receipt
	good := func() wire.Answers {
		var all wire.Answers
		for _, r := range sent {
			r.LogIndex, r.At = uint64(r.Seq), time.UnixMilli(1_790_000_000_000)
			signed, err := seal.SignReceipt(r, key)
			if err != nil {
				t.Fatal(err)
			}
			all.Answers = append(all.Answers, wire.Answer{Verdict: wire.Stored, Receipt: &signed})
		}
		return all
	}
	for seq := wire.Seq(4); seq < 7; seq++ {
		sent = append(sent, wire.Receipt{Agent: "agent-1", Seq: seq, RecHash: wire.HashOf([]byte{byte(seq)})})
	}
	for name, s := range map[string]struct {
		status int
		change func(*wire.Answers)
		steps  []Step
	}{
		"whole":      {200, func(*wire.Answers) {}, []Step{Acked, Acked, Acked}},
		"stopped":    {200, func(a *wire.Answers) { a.Answers = a.Answers[:2] }, []Step{Acked, Acked}},
		"gap":        {200, func(a *wire.Answers) { a.Answers[1] = wire.Answer{Verdict: wire.Gap, Expect: 3} }, []Step{Acked, Rewind}},
		"fork":       {200, func(a *wire.Answers) { a.Answers[0] = wire.Answer{Verdict: wire.Fork} }, []Step{Quarantine}},
		"missing":    {200, func(a *wire.Answers) { a.Answers[2] = wire.Answer{Verdict: wire.MissingBlobs} }, []Step{Acked, Acked, Upload}},
		"no-receipt": {200, func(a *wire.Answers) { a.Answers[1].Receipt = nil }, []Step{Acked, Again}},
		"exchanged":  {200, func(a *wire.Answers) { a.Answers[0], a.Answers[1] = a.Answers[1], a.Answers[0] }, []Step{Again}},
		"other-word": {200, func(a *wire.Answers) { a.Answers[0].Verdict = "done" }, []Step{Again}},
		"none":       {200, func(a *wire.Answers) { a.Answers = nil }, []Step{Again}},
		"too-many":   {200, func(a *wire.Answers) { a.Answers = append(a.Answers, a.Answers...) }, []Step{Again}},
		"under-201":  {201, func(*wire.Answers) {}, []Step{Again}},
		"busy":       {503, func(*wire.Answers) {}, []Step{Again}},
	} {
		answers := good()
		s.change(&answers)
		body, err := json.Marshal(answers)
		if err != nil {
			t.Fatal(err)
		}
		got := judgeRun(ask.Reply{Status: s.status, Header: http.Header{}, Body: body}, sent, public)
		if len(got) != len(s.steps) {
			t.Errorf("%s: %d decisions, want %d", name, len(got), len(s.steps))
			continue
		}
		for i, d := range got {
			if d.Step != s.steps[i] || d.Step == Again && d.Kind == wire.KindNone {
				t.Errorf("%s: record %d: step %d, kind %q; want step %d", name, i, d.Step, d.Kind, s.steps[i])
			}
		}
	}
}
