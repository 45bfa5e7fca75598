package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// golden reads a file of hexadecimal bytes with comments.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sample is the header of testdata/header.golden, but for the part's hash.
func sample() Header {
	h := Header{
		Version: 1, Agent: "counter-7", Seq: 258, Prev: Hash(bytes.Repeat([]byte{0x11}, 32)),
		Wall: time.UnixMilli(0x19ab2f47d03).UTC(), Offset: -1500 * time.Millisecond,
		Boot: [16]byte(bytes.Repeat([]byte{0x22}, 16)), App: "0.1.0", Config: "b-4", Training: true,
		Parts:   []PartInfo{{Name: PartClaims, Recipient: "0123456789abcdef", Suite: Suite{0x647a, 1, 2}, Len: 5, SHA256: HashOf([]byte("hello"))}},
		Unknown: []Field{{Tag: 0x7001, Value: []byte{0xbe, 0xef}}},
	}
	for i := range h.Record {
		h.Record[i] = byte(i)
	}
	return h
}

func sampleEnvelope() Envelope {
	return Envelope{Header: sample().Encode(), Signature: []byte("signature"), Parts: []Part{{PartClaims, []byte("hello")}}}
}

func TestHeaderGolden(t *testing.T) {
	t.Parallel()
	want := golden(t, "header.golden")
	if got := sample().Encode(); !bytes.Equal(got, want) {
		t.Errorf("encoded\n%x, want\n%x", got, want)
	}
	h, err := DecodeHeader(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%+v", h), fmt.Sprintf("%+v", sample()); got != want {
		t.Errorf("decoded\n%s, want\n%s", got, want)
	}
}

// field writes one tag, length, value triple.
func field(tag uint16, value ...byte) []byte {
	n := len(value)
	return append([]byte{byte(tag >> 8), byte(tag), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, value...)
}

// partField writes a part's field with the given name, key and length.
func partField(name, key string, length uint64) []byte {
	return field(tagPart, PartInfo{Name: PartName(name), Recipient: KeyID(key), Len: length}.encode()...)
}

func TestDecodeHeaderRefuses(t *testing.T) {
	t.Parallel()
	good := sample()
	good.Unknown = nil
	base := good.Encode()
	without := func(change func(*Header)) []byte {
		h := good
		change(&h)
		return h.Encode()
	}
	parts := bytes.Repeat(partField("claims", "ab", 1), MaxParts+1)
	for name, b := range map[string][]byte{
		"empty":                 {},
		"missing/version":       without(func(h *Header) { h.Version = 0 }),
		"missing/number":        without(func(h *Header) { h.Seq = 0 }),
		"missing/agent":         without(func(h *Header) { h.Agent = "" }),
		"missing/last-fields":   base[:8],
		"cut/in-tag":            append(slices.Clone(base), 0),
		"cut/in-value":          append(slices.Clone(base), 0x70, 1, 0, 0, 0, 9, 1),
		"length/past-the-end":   append(slices.Clone(base), 0x70, 1, 0xff, 0xff, 0xff, 0xff),
		"order/known-after-own": append(slices.Clone(base), field(tagCounter, 0, 0, 0, 0, 0, 0, 0, 0)...),
		"order/unknown-first":   append(field(0x7001), base...),
		"repeat/version":        append(field(tagVersion, 0, 1), base...),
		"training/zero":         append(slices.Clone(base), field(tagTraining, 0)...),
		"width/version":         append(field(tagVersion, 1), base[8:]...),
		"width/record":          append(slices.Clone(base), field(tagRecord, 1)...),
		"width/prev":            append(slices.Clone(base), field(tagPrev, 1)...),
		"width/wall":            append(slices.Clone(base), field(tagWall, 1)...),
		"width/boot":            append(slices.Clone(base), field(tagBoot)...),
		"offset/overflow":       bytes.Replace(base, field(tagOffset, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfa, 0x24), field(tagOffset, 0x7f, 0, 0, 0, 0, 0, 0, 0), 1),
		"agent/upper-case":      without(func(h *Header) { h.Agent = "Counter" }),
		"agent/path":            without(func(h *Header) { h.Agent = ".." }),
		"agent/line-break":      without(func(h *Header) { h.Agent = "a\nb" }),
		"agent/too-long":        without(func(h *Header) { h.Agent = AgentID(strings.Repeat("a", MaxName+1)) }),
		"part/no-name":          append(slices.Clone(base), partField("", "ab", 1)...),
		"part/no-key":           append(slices.Clone(base), partField("chip", "", 1)...),
		"part/too-big":          append(slices.Clone(base), partField("chip", "ab", MaxPart+1)...),
		"part/cut":              append(slices.Clone(base), field(tagPart, 200, 1)...),
		"part/too-many":         append(slices.Clone(base), parts...),
		"header/too-big":        append(slices.Clone(base), field(0x7001, make([]byte, MaxHeader)...)...),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := DecodeHeader(b); !errors.Is(err, ErrHeader) {
				t.Errorf("got %v, want an error of ErrHeader", err)
			}
		})
	}
	if _, err := DecodeHeader(base); err != nil {
		t.Errorf("the unchanged header: %v", err)
	}
}

// genHeader draws any header that a counter may write.
func genHeader(t *rapid.T) Header {
	name := rapid.StringMatching(`[a-z0-9-]{1,64}`)
	h := Header{
		Version: rapid.Uint16Min(1).Draw(t, "version"), Agent: AgentID(name.Draw(t, "agent")),
		Seq: Seq(rapid.Uint64Min(1).Draw(t, "seq")), Wall: time.UnixMilli(rapid.Int64().Draw(t, "wall")).UTC(),
		Offset:  time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "offset")) * time.Millisecond,
		Counter: rapid.Uint64().Draw(t, "counter"), App: rapid.String().Draw(t, "app"),
		Config: rapid.String().Draw(t, "config"), Training: rapid.Bool().Draw(t, "training"),
	}
	copy(h.Record[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "record"))
	copy(h.Prev[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "prev"))
	for range rapid.IntRange(0, MaxParts).Draw(t, "parts") {
		h.Parts = append(h.Parts, PartInfo{
			Name: PartName(name.Draw(t, "part")), Recipient: KeyID(name.Draw(t, "key")),
			Suite: Suite{rapid.Uint16().Draw(t, "kem"), 1, 2}, Len: rapid.Uint64Max(MaxPart).Draw(t, "len"),
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "unknown") {
		h.Unknown = append(h.Unknown, Field{Tag: rapid.Uint16Min(tagPart+1).Draw(t, "tag"), Value: rapid.SliceOf(rapid.Byte()).Draw(t, "value")})
	}
	return h
}

func TestHeaderRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := genHeader(t)
		got, err := DecodeHeader(want.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("got %s, want %s", g, w)
		}
	})
}

// An older centre must keep what a newer counter says and hash it alike.
func TestUnknownFieldsAreCovered(t *testing.T) {
	t.Parallel()
	e := sampleEnvelope()
	h, err := DecodeHeader(e.Header)
	if err != nil || len(h.Unknown) != 1 {
		t.Fatalf("got %d unknown fields, %v; want 1", len(h.Unknown), err)
	}
	again := Envelope{Header: h.Encode(), Signature: e.Signature}
	if again.RecHash() != e.RecHash() {
		t.Error("the name changed when the header was read and written")
	}
	h.Unknown[0].Value[0] ^= 1
	if (Envelope{Header: h.Encode(), Signature: e.Signature}).RecHash() == e.RecHash() {
		t.Error("the name does not cover the unknown field")
	}
}

func TestRecHashIsOfHeaderAndSignature(t *testing.T) {
	t.Parallel()
	e := Envelope{Header: []byte("ab"), Signature: []byte("c")}
	if got, want := e.RecHash(), HashOf([]byte("abc")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if _, err := sampleEnvelope().Check(); err != nil {
		t.Errorf("an unaltered record: %v", err)
	}
	for name, change := range map[string]func(*Envelope){
		"part/altered": func(e *Envelope) { e.Parts[0].Sealed = []byte("hellp") },
		"part/shorter": func(e *Envelope) { e.Parts[0].Sealed = []byte("hell") },
		"part/left":    func(e *Envelope) { e.Parts[0].Sealed = nil },
		"part/renamed": func(e *Envelope) { e.Parts[0].Name = PartAudit },
		"part/none":    func(e *Envelope) { e.Parts = nil },
		"part/more":    func(e *Envelope) { e.Parts = append(e.Parts, e.Parts[0]) },
		"header/cut":   func(e *Envelope) { e.Header = e.Header[:9] },
	} {
		t.Run(name, func(t *testing.T) {
			e := sampleEnvelope()
			change(&e)
			if _, err := e.Check(); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestEnvelopeTravels(t *testing.T) {
	t.Parallel()
	e := sampleEnvelope()
	got, h, err := ParseEnvelope(e.Marshal(nil))
	if err != nil || got.RecHash() != e.RecHash() || h.Seq != 258 {
		t.Fatalf("got %s, number %d, %v", got.RecHash(), h.Seq, err)
	}
	if _, err := got.Check(); err != nil {
		t.Error(err)
	}
	bare, _, err := ParseEnvelope(e.Marshal(func(Part) bool { return false }))
	if err != nil || bare.Parts[0].Sealed != nil || bare.Parts[0].Name != PartClaims {
		t.Errorf("left out: got %v, %v; want the name without bytes", bare.Parts, err)
	}
	if bare.RecHash() != e.RecHash() {
		t.Error("leaving a part out changed the record's name")
	}
}

// Whoever appends to a parsed field must not write over the next one.
func TestParsedFieldsDoNotOverlap(t *testing.T) {
	t.Parallel()
	got, _, err := ParseEnvelope(sampleEnvelope().Marshal(nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(got.Signature, "xxxxxxxxxxxx"...)
	if string(got.Parts[0].Sealed) != "hello" {
		t.Errorf("the part became %q", got.Parts[0].Sealed)
	}
}

func TestInlineLimit(t *testing.T) {
	t.Parallel()
	if !Inline(Part{Sealed: make([]byte, MaxInline)}) || Inline(Part{Sealed: make([]byte, MaxInline+1)}) {
		t.Error("the limit is not MaxInline")
	}
}

func TestParseEnvelopeRefuses(t *testing.T) {
	t.Parallel()
	good := sampleEnvelope().Marshal(nil)
	count := len(good) - 4 - 5 - 4 // where the count of parts stands
	for name, b := range map[string][]byte{
		"empty":             {},
		"magic":             append([]byte("CPR2"), good[4:]...),
		"trailing":          append(slices.Clone(good), 0),
		"length/huge":       append([]byte(envelopeMagic), 0xff, 0xff, 0xff, 0xff),
		"length/over-limit": append(append([]byte(envelopeMagic), 0, 0, 0x40, 1), make([]byte, MaxHeader+1)...),
		"parts/one-more":    append(append(slices.Clone(good[:count]), 0, 0, 0, 2), good[count+4:]...),
		"parts/huge":        append(append(slices.Clone(good[:count]), 0xff, 0xff, 0xff, 0xff), good[count+4:]...),
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ParseEnvelope(b); !errors.Is(err, ErrHeader) {
				t.Errorf("got %v, want an error of ErrHeader", err)
			}
		})
	}
	for n := range good {
		if _, _, err := ParseEnvelope(good[:n]); err == nil {
			t.Errorf("accepted when cut to %d of %d bytes", n, len(good))
		}
	}
}

func TestRef(t *testing.T) {
	t.Parallel()
	var id RecordID
	for i := range id {
		id[i] = byte(i * 37)
	}
	ref := id.Ref()
	if ref != "00JM-MVWM-Q76" {
		t.Fatalf("got %q, want 00JM-MVWM-Q76", ref)
	}
	plain := strings.ReplaceAll(string(ref), "-", "")
	for _, typed := range []string{string(ref), plain, strings.ToLower(plain), " " + strings.Join(strings.Split(plain, ""), " ")} {
		if got, err := ParseRef(typed); err != nil || got != ref {
			t.Errorf("%q: got %q, %v; want %q", typed, got, err, ref)
		}
	}
	for _, typed := range []string{"", plain[:10], plain + "0", "?" + plain[1:]} {
		if got, err := ParseRef(typed); err == nil {
			t.Errorf("%q: got %q, want an error", typed, got)
		}
	}
}

func TestRefReadsMistakenLetters(t *testing.T) {
	t.Parallel()
	want := RecordID{}.Ref() // zeros and ones only where the check allows
	if got, err := ParseRef(strings.ReplaceAll(string(want), "0", "o")); err != nil || got != want {
		t.Errorf("o for 0: got %q, %v; want %q", got, err, want)
	}
	one := "1000000000"
	one += string(refCheck(one))
	for _, letter := range []string{"I", "l", "i", "L"} {
		if _, err := ParseRef(strings.ReplaceAll(one, "1", letter)); err != nil {
			t.Errorf("%s for 1: %v", letter, err)
		}
	}
}

// A slip of the pen never finds somebody else's record: one wrong character or
// two neighbours swapped do not pass, but for 0 and Z.
func TestRefCheck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var id RecordID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		good := []byte(strings.ReplaceAll(string(id.Ref()), "-", ""))
		same := func(a, b byte) bool { return a == b || a == '0' && b == 'Z' || a == 'Z' && b == '0' }
		at := rapid.IntRange(0, 9).Draw(t, "at")
		swapped := slices.Clone(good)
		swapped[at], swapped[at+1] = good[at+1], good[at]
		if _, err := ParseRef(string(swapped)); err == nil && !same(good[at], good[at+1]) {
			t.Fatalf("%s accepted for %s", swapped, good)
		}
		for c := range 256 {
			wrong := slices.Clone(good)
			wrong[at] = byte(c)
			if got, err := ParseRef(string(wrong)); err == nil && !same(good[at], strings.ReplaceAll(string(got), "-", "")[at]) {
				t.Fatalf("%q accepted as %s for %s", wrong, got, good)
			}
		}
	})
}

func TestHashText(t *testing.T) {
	t.Parallel()
	want := HashOf([]byte("x"))
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Hash
	if err := json.Unmarshal(b, &got); err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, bad := range []string{"", "00", strings.Repeat("0", 63), strings.Repeat("0", 66), strings.Repeat("g", 64)} {
		if _, err := ParseHash(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
		if err := json.Unmarshal([]byte(`"`+bad+`"`), &got); err == nil {
			t.Errorf("%q accepted from JSON", bad)
		}
	}
	if !(Hash{}).IsZero() || want.IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestKeyIDOf(t *testing.T) {
	t.Parallel()
	if got := KeyIDOf([]byte("abc")); got != "ba7816bf8f01cfea" {
		t.Errorf("got %s, want the first 8 bytes of SHA-256", got)
	}
}

// No signed thing can be taken for another one, and every field counts.
func TestSignedBytes(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_123)
	r := Receipt{Agent: "counter-7", Seq: 3, RecHash: HashOf(nil), LogIndex: 9, At: at, Key: "ab"}
	want := "counterproof receipt v1\ncounter-7\n3\n" + HashOf(nil).String() + "\n9\n1700000000123\nab\n"
	if got := string(r.SignedBytes()); got != want {
		t.Errorf("receipt: got %q, want %q", got, want)
	}
	f := Refusal{Agent: "counter-7", Seq: 3, RecHash: HashOf(nil), Reason: "training", At: at, Key: "ab"}
	want = "counterproof refusal v1\ncounter-7\n3\n" + HashOf(nil).String() + "\ntraining\n1700000000123\nab\n"
	if got := string(f.SignedBytes()); got != want {
		t.Errorf("refusal: got %q, want %q", got, want)
	}
	for name, change := range map[string]func(*Receipt){
		"agent": func(r *Receipt) { r.Agent = "counter-8" },
		"seq":   func(r *Receipt) { r.Seq++ },
		"hash":  func(r *Receipt) { r.RecHash[0]++ },
		"index": func(r *Receipt) { r.LogIndex++ },
		"at":    func(r *Receipt) { r.At = r.At.Add(time.Millisecond) },
		"key":   func(r *Receipt) { r.Key = "ac" },
	} {
		other := r
		change(&other)
		if bytes.Equal(other.SignedBytes(), r.SignedBytes()) {
			t.Errorf("the signature does not cover %s", name)
		}
	}
}

func TestBundle(t *testing.T) {
	t.Parallel()
	want := Bundle{Version: 4, Training: true, Recipients: []Recipient{{Part: PartClaims, Key: "ab", Suite: Suite{1, 2, 3}, Public: []byte{9}}}}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Signed{Body: body}.Bundle()
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := (Signed{Body: []byte("{")}).Bundle(); err == nil {
		t.Error("accepted a cut body")
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	cause := errors.New("no space left")
	err := fmt.Errorf("finishing: %w", &Error{Op: "storing", Kind: KindDisk, Err: cause})
	if KindOf(err) != KindDisk || !errors.Is(err, cause) {
		t.Errorf("got kind %q of %v", KindOf(err), err)
	}
	if got, want := err.Error(), "finishing: storing: disk: no space left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (&Error{Op: "sending", Kind: KindShed}).Error(), "sending: shed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if KindOf(cause) != KindNone || KindOf(nil) != KindNone {
		t.Error("a kind was found where there is none")
	}
}

// One header has one encoding: whatever is accepted is written back the same.
func FuzzDecodeHeader(f *testing.F) {
	f.Add(golden(f, "header.golden"))
	f.Add(Header{Version: 1, Agent: "a", Seq: 1, Wall: time.UnixMilli(0)}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := DecodeHeader(b)
		if err != nil {
			if !errors.Is(err, ErrHeader) {
				t.Errorf("%v is not of ErrHeader", err)
			}
			return
		}
		if !bytes.Equal(h.Encode(), b) {
			t.Error("accepted bytes that are not written back")
		}
		if len(h.Parts) > MaxParts || checkName(string(h.Agent)) != nil {
			t.Errorf("accepted %d parts of agent %q", len(h.Parts), h.Agent)
		}
	})
}

func FuzzParseEnvelope(f *testing.F) {
	f.Add(sampleEnvelope().Marshal(nil))
	f.Add(sampleEnvelope().Marshal(func(Part) bool { return false }))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, h, err := ParseEnvelope(b)
		if err != nil {
			return
		}
		if !bytes.Equal(e.Marshal(nil), b) {
			t.Error("accepted bytes that are not written back")
		}
		if len(e.Parts) != len(h.Parts) {
			t.Errorf("%d parts for %d named", len(e.Parts), len(h.Parts))
		}
		_, _ = e.Check()
	})
}

func FuzzParseRef(f *testing.F) {
	f.Add(string(RecordID{1, 2, 3, 4, 5, 6, 7}.Ref()))
	f.Add("0000-0000-000")
	f.Add("iIlL oO")
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseRef(s)
		if err != nil {
			return
		}
		if again, err := ParseRef(string(ref)); err != nil || again != ref {
			t.Errorf("%q was read as %q, and that as %q, %v", s, ref, again, err)
		}
		if strings.Trim(string(ref), refLetters+"-") != "" || len(ref) != 13 {
			t.Errorf("%q was read as %q", s, ref)
		}
	})
}
