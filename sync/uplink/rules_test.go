package uplink

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestBackoffSpreads: those who were told the same moment do not come together.
func TestBackoffSpreads(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	perSecond := map[int]int{}
	for range 22_000 {
		perSecond[int(network.Backoff(0, 10*time.Minute, c.cfg.Rand)/time.Second)]++
	}
	peak := 0
	for _, n := range perSecond {
		peak = max(peak, n)
	}
	if peak > 120 {
		t.Errorf("%d of 22,000 come in one second", peak)
	}
}

// TestJudge is the table of answers: status, what the body says, what the
// counter does.
func TestJudge(t *testing.T) {
	t.Parallel()
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	_, other, _ := ed25519.GenerateKey(rand.Reader)
	sent := wire.Receipt{Agent: agent, Seq: 7, RecHash: wire.HashOf([]byte("record"))}
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
		step   step
		kind   wire.Kind
	}{
		{"stored", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, same)}, acked, ""},
		{"replayed", 200, wire.Answer{Verdict: wire.Replayed, Receipt: receipt(key, same)}, acked, ""},
		{"stored/no-receipt", 200, wire.Answer{Verdict: wire.Stored}, again, wire.KindProtocol},
		{"stored/other-key", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(other, same)}, again, wire.KindProtocol},
		{"stored/other-seq", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, func(r *wire.Receipt) { r.Seq++ })}, again, wire.KindProtocol},
		{"stored/other-agent", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, func(r *wire.Receipt) { r.Agent = "x" })}, again, wire.KindProtocol},
		{"stored/other-hash", 200, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, func(r *wire.Receipt) { r.RecHash[0] ^= 1 })}, again, wire.KindProtocol},
		{"stored/under-201", 201, wire.Answer{Verdict: wire.Stored, Receipt: receipt(key, same)}, again, wire.KindProtocol},
		{"empty-200", 200, nil, again, wire.KindProtocol},
		{"missing", 424, wire.Answer{Verdict: wire.MissingBlobs, Missing: []wire.Hash{{}}}, upload, ""},
		{"gap", 425, wire.Answer{Verdict: wire.Gap, Expect: 4}, rewind, ""},
		{"gap/none", 425, wire.Answer{Verdict: wire.Gap, Expect: 7}, again, wire.KindProtocol},
		{"gap/ahead", 425, wire.Answer{Verdict: wire.Gap, Expect: 9}, again, wire.KindProtocol},
		{"gap/zero", 425, wire.Answer{Verdict: wire.Gap}, again, wire.KindProtocol},
		{"fork", 409, wire.Answer{Verdict: wire.Fork}, quarantine, wire.KindQuarantined},
		{"fork/somebody-else's-409", 409, "<html>", again, wire.KindProtocol},
		{"fork/under-200", 200, wire.Answer{Verdict: wire.Fork}, again, wire.KindProtocol},
		{"altered", 400, wire.Answer{Verdict: wire.Altered}, again, wire.KindProtocol},
		{"refused", 422, wire.Answer{Verdict: wire.Refused, Refusal: refusal(key, sameRefusal)}, refused, ""},
		{"refused/unsigned", 422, wire.Answer{Verdict: wire.Refused, Refusal: &wire.Refusal{Agent: sent.Agent, Seq: 7, RecHash: sent.RecHash}}, again, wire.KindProtocol},
		{"refused/other-key", 422, wire.Answer{Verdict: wire.Refused, Refusal: refusal(other, sameRefusal)}, again, wire.KindProtocol},
		{"refused/other-record", 422, wire.Answer{Verdict: wire.Refused, Refusal: refusal(key, func(r *wire.Refusal) { r.RecHash[0] ^= 1 })}, again, wire.KindProtocol},
		{"refused/none", 422, wire.Answer{Verdict: wire.Refused}, again, wire.KindProtocol},
		{"401", 401, nil, again, wire.KindUnauthorised},
		{"403", 403, wire.Answer{Verdict: wire.Unauthorised}, again, wire.KindUnauthorised},
		{"upgrade", 426, wire.Answer{Verdict: wire.Upgrade}, again, wire.KindUpgrade},
		{"shed", 503, wire.Answer{Verdict: wire.Shed, RetryAfter: 9}, again, wire.KindShed},
		{"too-many", 429, nil, again, wire.KindShed},
		{"gateway", 502, "<html>", again, wire.KindUnreachable},
		{"redirect", 302, "<html>", again, wire.KindProtocol},
		{"unknown-verdict", 200, wire.Answer{Verdict: "perhaps"}, again, wire.KindProtocol},
	} {
		body, err := json.Marshal(s.answer)
		if err != nil {
			t.Fatal(err)
		}
		got := judge(ask.Reply{Status: s.status, Header: http.Header{}, Body: body}, sent, public)
		if got.step != s.step || got.kind != s.kind {
			t.Errorf("%s: got step %d, kind %q; want %d, %q", s.name, got.step, got.kind, s.step, s.kind)
		}
	}
	d := judge(ask.Reply{Status: 503, Header: http.Header{"Retry-After": {"9"}}, Body: nil}, sent, public)
	if d.asked != 9*time.Second {
		t.Errorf("the centre asked for 9 s, got %v", d.asked)
	}
}

// FuzzJudge: whatever bytes come, only a signed receipt acknowledges.
func FuzzJudge(f *testing.F) {
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	sent := wire.Receipt{Agent: agent, Seq: 7, RecHash: wire.HashOf([]byte("record"))}
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
		switch d.step {
		case acked:
			if seal.VerifyReceipt(*d.answer.Receipt, public) != nil || d.answer.Receipt.RecHash != sent.RecHash {
				t.Fatal("acknowledged without a receipt")
			}
		case refused:
			if seal.VerifyRefusal(*d.answer.Refusal, public) != nil {
				t.Fatal("refused without a refusal")
			}
		case rewind:
			if d.answer.Expect < 1 || d.answer.Expect >= sent.Seq {
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
