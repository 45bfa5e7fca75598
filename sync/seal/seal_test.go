package seal

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
	"pgregory.net/rapid"
)

var suites = map[string]wire.Suite{"hybrid": Hybrid, "classical": Classical}

var visit = wire.RecordID{1, 2, 3}

// newKey makes a key pair for claims.
func newKey(t testing.TB, id wire.Suite) (Key, wire.Recipient) {
	t.Helper()
	k, _, err := GenerateKey(id)
	if err != nil {
		t.Fatal(err)
	}
	return k, k.Recipient(wire.PartClaims)
}

// sealed closes plain as the claims of visit.
func sealed(t testing.TB, r wire.Recipient, plain []byte) (wire.Part, wire.PartInfo) {
	t.Helper()
	part, described, err := Seal(r, wire.PartClaims, Binding(visit, wire.PartClaims, false), plain)
	if err != nil {
		t.Fatal(err)
	}
	return part, described
}

// redescribe makes the info fit altered bytes, as one could who also forges
// the header.
func redescribe(part wire.Part, described wire.PartInfo) wire.PartInfo {
	described.Name = part.Name
	described.Len = uint64(len(part.Sealed))
	described.SHA256 = wire.HashOf(part.Sealed)
	return described
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, id := range suites {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, r := newKey(t, id)
			rapid.Check(t, func(rt *rapid.T) {
				plain := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(rt, "plain")
				part, described := sealed(t, r, plain)
				got, err := Open(k, part, described, Binding(visit, wire.PartClaims, false))
				if err != nil || !bytes.Equal(got, plain) {
					rt.Fatalf("got %d bytes, %v; want %d", len(got), err, len(plain))
				}
			})
		})
	}
}

// The ids in the envelope are those of the standard library's own registry.
func TestSuiteIDs(t *testing.T) {
	t.Parallel()
	for name, id := range suites {
		s, err := lookup(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := (wire.Suite{KEM: s.kem.ID(), KDF: s.kdf.ID(), AEAD: s.aead.ID()}); got != id {
			t.Errorf("%s: got %x, want %x", name, got, id)
		}
		k, err := s.kem.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		enc, _, err := hpke.NewSender(k.PublicKey(), s.kdf, s.aead, nil)
		if err != nil || len(enc) != s.enc {
			t.Errorf("%s: the encapsulated key has %d bytes, %v; want %d", name, len(enc), err, s.enc)
		}
	}
}

func TestSealedBytesShowNothing(t *testing.T) {
	t.Parallel()
	_, r := newKey(t, Hybrid)
	marker := []byte("SPECIMEN<<ANNA<MARIA")
	plain := bytes.Repeat(marker, 40)
	part, _ := sealed(t, r, plain)
	again, _ := sealed(t, r, plain)
	if bytes.Contains(part.Sealed, marker[:8]) {
		t.Error("the sealed part shows its content")
	}
	if bytes.Equal(part.Sealed, again.Sealed) {
		t.Error("the same content sealed twice looks the same")
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	for name, id := range suites {
		t.Run(name, func(t *testing.T) {
			k, r := newKey(t, id)
			other, otherPublic := newKey(t, id)
			part, described := sealed(t, r, []byte("identity"))
			aad := Binding(visit, wire.PartClaims, false)
			if _, err := Open(other, part, described, aad); !errors.Is(err, ErrWrongKey) {
				t.Errorf("another key: got %v, want ErrWrongKey", err)
			}
			if _, err := Open(Key{}, part, described, aad); !errors.Is(err, ErrWrongKey) {
				t.Errorf("no key: got %v, want ErrWrongKey", err)
			}
			described.Recipient = otherPublic.Key
			if _, err := Open(other, part, described, aad); !errors.Is(err, ErrShut) {
				t.Errorf("a header that names the other key: got %v, want ErrShut", err)
			}
			if _, err := Open(k, part, described, aad); err == nil {
				t.Error("opened though the header names another key")
			}
		})
	}
}

// Nothing of a sealed part can be changed, also by one who could change the
// header with it. Every byte, and in the classical suite every bit.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	for name, bitsOf := range map[string][]byte{"hybrid": {0x01, 0x80}, "classical": {1, 2, 4, 8, 16, 32, 64, 128}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, r := newKey(t, suites[name])
			part, described := sealed(t, r, []byte("identity"))
			aad := Binding(visit, wire.PartClaims, false)
			for i := range part.Sealed {
				for _, bit := range bitsOf {
					part.Sealed[i] ^= bit
					if _, err := Open(k, part, redescribe(part, described), aad); !errors.Is(err, ErrShut) {
						t.Fatalf("byte %d bit %02x: got %v, want ErrShut", i, bit, err)
					}
					if _, err := Open(k, part, described, aad); !errors.Is(err, ErrShut) {
						t.Fatalf("byte %d bit %02x against the true header: got %v, want ErrShut", i, bit, err)
					}
					part.Sealed[i] ^= bit
				}
			}
			if _, err := Open(k, part, described, aad); err != nil {
				t.Errorf("the unchanged part: %v", err)
			}
		})
	}
}

func TestCutParts(t *testing.T) {
	t.Parallel()
	k, r := newKey(t, Classical)
	part, described := sealed(t, r, []byte("identity"))
	for n := range part.Sealed {
		cut := wire.Part{Name: part.Name, Sealed: part.Sealed[:n]}
		if _, err := Open(k, cut, redescribe(cut, described), Binding(visit, wire.PartClaims, false)); !errors.Is(err, ErrShut) {
			t.Fatalf("cut to %d bytes: got %v, want ErrShut", n, err)
		}
	}
}

// A part opens only as what it was sealed as.
func TestSwappedParts(t *testing.T) {
	t.Parallel()
	k, r := newKey(t, Classical)
	part, described := sealed(t, r, []byte("identity"))
	moved := wire.Part{Name: wire.PartAudit, Sealed: part.Sealed}
	for name, c := range map[string]struct {
		part wire.Part
		aad  []byte
	}{
		"another-record":   {part, Binding(wire.RecordID{9}, wire.PartClaims, false)},
		"another-place":    {moved, Binding(visit, wire.PartAudit, false)},
		"out-of-training":  {part, Binding(visit, wire.PartClaims, true)},
		"bound-to-nothing": {part, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(k, c.part, redescribe(c.part, described), c.aad); !errors.Is(err, ErrShut) {
				t.Errorf("got %v, want ErrShut", err)
			}
		})
	}
	wrongSuite := described
	wrongSuite.Suite = Hybrid
	if _, err := Open(k, part, wrongSuite, Binding(visit, wire.PartClaims, false)); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another suite: got %v, want ErrWrongKey", err)
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	_, r := newKey(t, Hybrid)
	aad := Binding(visit, wire.PartClaims, false)
	change := func(f func(*wire.Recipient)) wire.Recipient {
		other := r
		other.Public = slices.Clone(r.Public)
		f(&other)
		return other
	}
	for name, c := range map[string]struct {
		r     wire.Recipient
		aad   []byte
		plain []byte
	}{
		"key-of-another-part": {change(func(r *wire.Recipient) { r.Part = wire.PartEvidence }), aad, nil},
		"unknown-suite":       {change(func(r *wire.Recipient) { r.Suite.AEAD = 0xffff }), aad, nil},
		"export-only":         {change(func(r *wire.Recipient) { r.Suite.KEM = 0x0020 }), aad, nil},
		"key-exchanged":       {change(func(r *wire.Recipient) { r.Public[5] ^= 1 }), aad, nil},
		"key-cut":             {change(func(r *wire.Recipient) { r.Public = r.Public[:9]; r.Key = wire.KeyIDOf(r.Public) }), aad, nil},
		"key-missing":         {wire.Recipient{Part: wire.PartClaims}, aad, nil},
		"no-binding":          {r, nil, nil},
		"too-big":             {r, aad, make([]byte, wire.MaxPart)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Seal(c.r, wire.PartClaims, c.aad, c.plain); err == nil {
				t.Error("sealed")
			}
		})
	}
	if err := CheckRecipient(r); err != nil {
		t.Errorf("a good key: %v", err)
	}
	if _, _, err := GenerateKey(wire.Suite{KEM: 1}); !errors.Is(err, ErrSuite) {
		t.Errorf("a key of an unknown suite: got %v, want ErrSuite", err)
	}
}

// Bindings of different things never meet.
func TestBindingIsOneToOne(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, id := range []wire.RecordID{{}, {1}, visit} {
		for _, part := range []wire.PartName{wire.PartClaims, wire.PartEvidence, wire.PartChip, wire.PartAudit} {
			for _, training := range []bool{false, true} {
				what := fmt.Sprint(id, part, training)
				b := string(Binding(id, part, training))
				if other, ok := seen[b]; ok {
					t.Errorf("%s and %s are bound alike", what, other)
				}
				seen[b] = what
			}
		}
	}
}

// The length of a part tells its bucket only.
func TestPaddingHidesLength(t *testing.T) {
	t.Parallel()
	_, r := newKey(t, Classical)
	length := func(n int) int {
		part, _ := sealed(t, r, make([]byte, n))
		return len(part.Sealed)
	}
	if length(0) != length(minBucket-lengthBytes) {
		t.Error("short parts differ in length")
	}
	for _, n := range []int{2_000, 200_000, 499_000} {
		b := bucket(n + lengthBytes)
		low := n
		for low > 0 && bucket(low+lengthBytes) == b {
			low--
		}
		if length(low+1) != length(b-lengthBytes) {
			t.Errorf("parts of %d to %d bytes differ in length", low+1, b-lengthBytes)
		}
		if b-low < n/80 {
			t.Errorf("%d bytes: the bucket is only %d wide", n, b-low)
		}
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	// Worked by hand from the paper's rule: keep floor(log2(E))+1 bits.
	for n, want := range map[int]int{
		0: 512, 512: 512, 513: 544, 1000: 1024, 1025: 1088, 2049: 2176, 65537: 67584, 500_000: 507904,
	} {
		if got := bucket(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(minBucket, wire.MaxPart).Draw(t, "n")
		b := bucket(n)
		if b < n || b-n > n/8 || bucket(b) != b {
			t.Fatalf("%d: got %d", n, b)
		}
	})
}

func TestUnpadRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func([]byte) []byte{
		"empty":        func([]byte) []byte { return nil },
		"cut":          func(b []byte) []byte { return b[:3] },
		"length/over":  func(b []byte) []byte { b[0] = 0xff; return b },
		"length/other": func(b []byte) []byte { return append(b, make([]byte, 512)...) },
		"not-empty":    func(b []byte) []byte { b[len(b)-1] = 1; return b },
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := unpad(change(pad([]byte("content")))); err == nil {
				t.Errorf("got %d bytes, want an error", len(got))
			}
		})
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	for name, id := range suites {
		t.Run(name, func(t *testing.T) {
			k, r := newKey(t, id)
			part, described := sealed(t, r, []byte("identity"))
			text, err := k.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseKey(text)
			if err != nil || again.ID() != k.ID() {
				t.Fatalf("got key %s, %v; want %s", again.ID(), err, k.ID())
			}
			got, err := Open(again, part, described, Binding(visit, wire.PartClaims, false))
			if err != nil || string(got) != "identity" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if _, err := (Key{}).Marshal(); err == nil {
		t.Error("wrote a key that there is not")
	}
}

func TestParseKeyRefuses(t *testing.T) {
	t.Parallel()
	k, _ := newKey(t, Classical)
	b, err := k.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, bad := range map[string]string{
		"empty":         "",
		"other-block":   strings.ReplaceAll(text, "OPENING", "CLOSING"),
		"other-suite":   strings.ReplaceAll(text, "0010/0001", "0011/0001"),
		"suite-missing": strings.ReplaceAll(text, "Suite:", "Other:"),
		"hybrid-suite":  strings.ReplaceAll(text, "0010/0001", "647a/0001") + "x",
		"more-after":    text + text,
		"too-long":      text + strings.Repeat("\n", maxKeyFile),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseKey([]byte(bad)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// A key that meets a log line shows its name only.
func TestKeyPrintsItsNameOnly(t *testing.T) {
	t.Parallel()
	k, _ := newKey(t, Classical)
	want := "opening key " + string(k.ID())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, k); got != want {
			t.Errorf("%s: got %q, want %q", verb, got, want)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "key", k)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "key", k)
	secret, err := k.private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{string(secret), fmt.Sprintf("%x", secret), fmt.Sprint(secret)} {
		if strings.Contains(log.String(), form) {
			t.Errorf("the log shows the key: %s", log.String())
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, id := range suites {
		k, _ := newKey(f, id)
		b, err := k.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParseKey(text)
		if err != nil {
			return
		}
		b, err := k.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseKey(b); err != nil || again.ID() != k.ID() {
			t.Errorf("got key %s, %v; want %s", again.ID(), err, k.ID())
		}
	})
}

// FuzzOpen gives the opener what a hostile counter could send under a header
// that fits.
func FuzzOpen(f *testing.F) {
	k, r := newKey(f, Classical)
	part, described := sealed(f, r, []byte("identity"))
	f.Add(part.Sealed)
	f.Add([]byte{4})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := wire.Part{Name: wire.PartClaims, Sealed: b}
		got, err := Open(k, p, redescribe(p, described), Binding(visit, wire.PartClaims, false))
		if err == nil && !bytes.Equal(b, part.Sealed) {
			t.Errorf("opened %d bytes that nobody sealed: %q", len(b), got)
		}
	})
}

func FuzzUnpad(f *testing.F) {
	f.Add(pad([]byte("content")))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := unpad(b)
		if err == nil && !bytes.Equal(pad(got), b) {
			t.Error("accepted padding that is not written so")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	for name, id := range suites {
		for _, size := range []int{2_000, 500_000} {
			b.Run(fmt.Sprintf("%s/%dKB", name, size/1000), func(b *testing.B) {
				_, r := newKey(b, id)
				plain := make([]byte, size)
				_, _ = rand.Read(plain)
				b.SetBytes(int64(size))
				for b.Loop() {
					sealed(b, r, plain)
				}
			})
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	k, r := newKey(b, Hybrid)
	part, described := sealed(b, r, make([]byte, 500_000))
	b.SetBytes(500_000)
	for b.Loop() {
		if _, err := Open(k, part, described, Binding(visit, wire.PartClaims, false)); err != nil {
			b.Fatal(err)
		}
	}
}
