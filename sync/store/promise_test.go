package store

import (
	"encoding/json"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// TestPromised: a receipt counts only for the record that it was signed for.
func TestPromised(t *testing.T) {
	t.Parallel()
	held := wire.Receipt{Agent: "a", Seq: 2, RecHash: wire.HashOf([]byte("record")), LogIndex: 7, Key: "centre"}
	text, err := json.Marshal(wire.Answer{Verdict: wire.Replayed, Receipt: &held})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(change func(*wire.Receipt)) wire.Receipt {
		r := wire.Receipt{Agent: held.Agent, Seq: held.Seq, RecHash: held.RecHash, LogIndex: held.LogIndex}
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		text string
		ask  wire.Receipt
		want bool
	}{
		"its-own":       {string(text), ask(func(*wire.Receipt) {}), true},
		"other-agent":   {string(text), ask(func(r *wire.Receipt) { r.Agent = "b" }), false},
		"other-number":  {string(text), ask(func(r *wire.Receipt) { r.Seq = 3 }), false},
		"other-record":  {string(text), ask(func(r *wire.Receipt) { r.RecHash = wire.Hash{} }), false},
		"other-place":   {string(text), ask(func(r *wire.Receipt) { r.LogIndex = 8 }), false},
		"no-receipt":    {`{"verdict":"replayed"}`, ask(func(*wire.Receipt) {}), false},
		"damaged-bytes": {string(text[:20]), ask(func(*wire.Receipt) {}), false},
	} {
		r := c.ask
		if got := Promised([]byte(c.text), &r); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if (r.Key == "centre") != c.want {
			t.Errorf("%s: the receipt was filled in with %q", name, r.Key)
		}
	}
}
