package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// notice is one that passes Check.
func notice() Notice {
	return Notice{
		Agent: "counter-7", Number: 3, Ref: RecordID{1, 2, 3}.Ref(), Kind: NoticeFinalRaised,
		At: time.UnixMilli(1_800_000_000_123).UTC(), Key: "00112233aabbccdd", Sig: []byte("signature"),
	}
}

// The bytes under a notice's signature are a promise: openers and counters of
// different age read each other by them.
func TestNoticeSignedBytes(t *testing.T) {
	t.Parallel()
	n := notice()
	want := "counterproof notice v1\ncounter-7\n3\n" + string(n.Ref) + "\nfinal_raised\n1800000000123\n00112233aabbccdd\n"
	if got := string(n.SignedBytes()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, change := range map[string]func(*Notice){
		"agent":  func(n *Notice) { n.Agent = "counter-8" },
		"number": func(n *Notice) { n.Number++ },
		"ref":    func(n *Notice) { n.Ref = RecordID{9}.Ref() },
		"kind":   func(n *Notice) { n.Kind = NoticeFinalKept },
		"at":     func(n *Notice) { n.At = n.At.Add(time.Millisecond) },
		"key":    func(n *Notice) { n.Key = "00112233aabbccde" },
	} {
		other := n
		change(&other)
		if bytes.Equal(other.SignedBytes(), n.SignedBytes()) || other.Hash() == n.Hash() {
			t.Errorf("the signature does not cover %s", name)
		}
	}
	other := n
	other.Sig = []byte("another signature")
	if other.Hash() != n.Hash() {
		t.Error("a second signature makes another notice of it")
	}
}

func TestNoticeCheck(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Notice){
		"as-made":          func(*Notice) {},
		"first":            func(n *Notice) { n.Number = 1 },
		"later-kind":       func(n *Notice) { n.Kind = "nhs_p7_v2" },
		"longest-kind":     func(n *Notice) { n.Kind = NoticeKind(strings.Repeat("k", 32)) },
		"another-location": func(n *Notice) { n.At = n.At.In(time.FixedZone("x", 3600)) },
		"unsigned-yet":     func(n *Notice) { n.Sig = nil },
	} {
		n := notice()
		change(&n)
		if err := n.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Notice){
		"agent/none":       func(n *Notice) { n.Agent = "" },
		"agent/line":       func(n *Notice) { n.Agent = "counter-7\n4" },
		"number/none":      func(n *Notice) { n.Number = 0 },
		"number/huge":      func(n *Notice) { n.Number = 1<<53 + 1 },
		"ref/none":         func(n *Notice) { n.Ref = "" },
		"ref/wrong-letter": func(n *Notice) { n.Ref = "0000-0000-001" },
		"ref/as-typed":     func(n *Notice) { n.Ref = Ref(strings.ToLower(string(n.Ref))) },
		"ref/a-name":       func(n *Notice) { n.Ref = "ERIKSSON" },
		"kind/none":        func(n *Notice) { n.Kind = "" },
		"kind/sentence":    func(n *Notice) { n.Kind = "was refused" },
		"kind/digit-first": func(n *Notice) { n.Kind = "9p" },
		"kind/upper-case":  func(n *Notice) { n.Kind = "Final" },
		"kind/too-long":    func(n *Notice) { n.Kind = NoticeKind(strings.Repeat("k", 33)) },
		"kind/own-word":    func(n *Notice) { n.Kind = NoticeUnreadable },
		"time/none":        func(n *Notice) { n.At = time.Time{} },
		"time/too-fine":    func(n *Notice) { n.At = n.At.Add(time.Nanosecond) },
		"time/too-far":     func(n *Notice) { n.At = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"key/none":         func(n *Notice) { n.Key = "" },
		"key/line":         func(n *Notice) { n.Key = "ab\n" },
		"sig/too-long":     func(n *Notice) { n.Sig = make([]byte, MaxSignature+1) },
	} {
		n := notice()
		change(&n)
		if n.Check() == nil {
			t.Errorf("%s: accepted %+v", name, n)
		}
	}
}

func TestPlacedCheck(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]bool{0: false, 1: true, 1 << 53: true, 1<<53 + 1: false} {
		if err := (Placed{n, notice()}).Check(); (err == nil) != want {
			t.Errorf("place %d: got %v", n, err)
		}
	}
	if (Placed{1, Notice{}}).Check() == nil {
		t.Error("accepted nothing")
	}
}

// The list of kinds is closed, has no word twice, and says what a visit may
// come to; nothing of it is of a person or a reason.
func TestNoticeKinds(t *testing.T) {
	t.Parallel()
	kinds := NoticeKinds()
	for i, k := range kinds {
		if !k.Known() || !k.wellFormed() || slices.Contains(kinds[:i], k) {
			t.Errorf("%q is no good word of the list", k)
		}
	}
	if len(kinds) != 33 {
		t.Errorf("the list has %d kinds, want 33: a kind is added at the end and never taken away", len(kinds))
	}
	for _, k := range []NoticeKind{"", NoticeUnreadable, "final", "nhs_p7"} {
		if k.Known() {
			t.Errorf("%q is known", k)
		}
	}
	kinds[0] = "changed"
	if NoticeKinds()[0] != NoticeFinalRaised {
		t.Error("a caller can change the list")
	}
}

// page is a page of n notices after a place, as the centre writes it.
func page(t testing.TB, after uint64, n int, last uint64) []byte {
	t.Helper()
	p := NoticePage{Last: last}
	for i := range uint64(n) {
		p.Notices = append(p.Notices, Placed{after + i + 1, notice()})
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeNotices(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		body  []byte
		after uint64
		count int // -1: refused
	}{
		"empty-list":      {page(t, 0, 0, 0), 0, 0},
		"whole-list":      {page(t, 0, 3, 3), 0, 3},
		"middle":          {page(t, 5, 2, 9), 5, 2},
		"end":             {page(t, 9, 0, 9), 9, 0},
		"restored-centre": {page(t, 9, 0, 4), 9, 0},
		"fullest":         {page(t, 0, MaxNotices, MaxNotices), 0, MaxNotices},
		"too-many":        {page(t, 0, MaxNotices+1, MaxNotices+1), 0, -1},
		"other-place":     {page(t, 4, 2, 9), 5, -1},
		"beyond-last":     {page(t, 0, 3, 2), 0, -1},
		"acked-ahead":     {[]byte(`{"notices":[],"last":1,"acked":2}`), 0, -1},
		"last-too-high":   {[]byte(`{"last":9007199254740993}`), 0, -1},
		"gap":             {[]byte(`{"notices":[{"n":1},{"n":3}],"last":3}`), 0, -1},
		"reordered":       {[]byte(`{"notices":[{"n":2},{"n":1}],"last":2}`), 0, -1},
		"twice":           {[]byte(`{"notices":[{"n":1},{"n":1}],"last":2}`), 0, -1},
		"no-json":         {[]byte(`<html>`), 0, -1},
		"cut":             {page(t, 0, 3, 3)[:100], 0, -1},
	} {
		got, err := DecodeNotices(s.body, s.after)
		if s.count < 0 {
			if err == nil {
				t.Errorf("%s: accepted %d notices", name, len(got.Notices))
			}
			continue
		}
		if err != nil || len(got.Notices) != s.count {
			t.Errorf("%s: got %d notices, %v; want %d", name, len(got.Notices), err, s.count)
		}
	}
}

// A notice that is damaged does not hide its neighbours in the page.
func TestDecodeNoticesKeepsDamaged(t *testing.T) {
	t.Parallel()
	p, err := DecodeNotices([]byte(`{"notices":[{"n":1,"notice":{"kind":"NO WORD","ref":"x"}},{"n":2}],"last":2}`), 0)
	if err != nil || len(p.Notices) != 2 {
		t.Fatalf("got %+v, %v; want both", p, err)
	}
	for _, n := range p.Notices {
		if n.Check() == nil {
			t.Errorf("place %d passes", n.N)
		}
	}
}

// What a notice was before JSON it is after.
func TestNoticeTravels(t *testing.T) {
	t.Parallel()
	want := Placed{7, notice()}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Placed
	if err := json.Unmarshal(b, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for _, field := range []string{"name", "nhs", "birth", "site"} {
		if strings.Contains(string(b), field) {
			t.Errorf("a notice has a field %s: %s", field, b)
		}
	}
}

// FuzzDecodeNotices: whatever is accepted has its places in order, and a notice
// that passes Check is the same after its way through JSON and cannot bring a
// line of its own into the signed bytes.
func FuzzDecodeNotices(f *testing.F) {
	f.Add(page(f, 0, 2, 2), uint64(0))
	f.Add(page(f, 5, 1, 6), uint64(5))
	f.Add([]byte(`{"notices":[{"n":1,"notice":{"agent":"a\n","number":1}}],"last":1}`), uint64(0))
	f.Add([]byte(`{"last":18446744073709551615}`), uint64(1<<64-1))
	f.Fuzz(func(t *testing.T, b []byte, after uint64) {
		p, err := DecodeNotices(b, after)
		if err != nil {
			return
		}
		for i, n := range p.Notices {
			if n.N != after+uint64(i)+1 {
				t.Fatalf("place %d at %d", n.N, i)
			}
			if n.Check() != nil {
				continue
			}
			if lines := bytes.Count(n.Notice.SignedBytes(), []byte("\n")); lines != 7 {
				t.Fatalf("%d lines are signed", lines)
			}
			again, err := json.Marshal(n)
			var back Placed
			if err = errors.Join(err, json.Unmarshal(again, &back)); err != nil || back.Notice.Hash() != n.Notice.Hash() {
				t.Fatalf("changed by JSON: %v", err)
			}
		}
	})
}
