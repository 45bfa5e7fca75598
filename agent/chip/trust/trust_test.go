package trust_test

import (
	"crypto"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/trust"
)

// The invented document's times.
var (
	signed = time.Date(2025, time.March, 1, 9, 0, 0, 0, time.UTC)
	read   = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	made   = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
)

// zone is the specimen of 9303-4 appendix B.
const zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"

// chipKey is a SubjectPublicKeyInfo with invented bits.
func chipKey(fill byte) []byte {
	bits := make([]byte, 65)
	bits[0], bits[1] = 4, fill
	return der.Seq(der.Seq(der.ID("1.2.840.10045.2.1"), der.ID("1.2.840.10045.3.1.7")), der.BitsOf(bits))
}

// pace is a way of PACE, by the number of its parameters.
func pace(parameters int) []byte {
	return der.Seq(der.ID("0.4.0.127.0.7.2.2.4.2.4"), der.Int(2), der.Int(parameters))
}

// infosOf are SecurityInfos with a key of chip authentication and a way of PACE.
func infosOf(key []byte) []byte {
	return der.SetOf(der.Seq(der.ID("0.4.0.127.0.7.2.2.1.2"), key), pace(12))
}

// files are those of the invented document.
func files() map[chip.File][]byte {
	return map[chip.File][]byte{
		chip.DG1:  zoneFile(zone),
		chip.DG2:  der.Write(0x75, []byte("not a portrait")),
		chip.DG14: der.Write(0x6e, infosOf(chipKey(1))),
		chip.DG15: der.Write(0x6f, chipKey(2)),
	}
}

// zoneFile is EF.DG1.
func zoneFile(z string) []byte {
	return der.Write(0x61, append([]byte{0x5f}, der.Write(0x1f, []byte(z))...))
}

// random is a source that is the same every time.
func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// state is a state of the specimen country.
func state(tb testing.TB, cfg issue.Config) *issue.State {
	tb.Helper()
	if cfg.Country == "" {
		cfg.Country, cfg.Code = "UT", "UTO"
	}
	s, err := issue.New(cfg, random(1))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// must fails the test on an error.
func must[T any](tb testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// evidence is what a reading of a document gives.
func evidence(tb testing.TB, s *issue.State, o issue.Order, change func(map[chip.File][]byte)) trust.Evidence {
	tb.Helper()
	all := files()
	if change != nil {
		change(all)
	}
	all = must[map[chip.File][]byte](tb)(s.Document(all, o))
	e := trust.Evidence{Files: map[string][]byte{}, At: read, Proof: trust.ByCA, Key: chipKey(1)}
	for f, content := range all {
		e.Files[f.String()] = content
	}
	return e
}

// anchored is a store with one authority.
func anchored(s *issue.State, crls ...[]byte) trust.Contents {
	return trust.Contents{Number: 1, Made: made, Anchors: [][]byte{s.Authority()}, CRLs: crls}
}

func TestGenuine(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	e := evidence(t, s, issue.Order{Signed: signed}, nil)
	crl := must[[]byte](t)(s.CRL(issue.Revocation{From: made, Until: read.AddDate(0, 1, 0), Serials: []int64{777}, Number: 3}))
	e.Store = trust.New(anchored(s, crl))
	v := trust.Judge(e)
	if v.Word != trust.Genuine || v.Class != "" || v.Reason != "" {
		t.Fatalf("got %s %s %s, want genuine", v.Word, v.Class, v.Reason)
	}
	for _, c := range v.Checks {
		want := trust.Done
		if c.Topic == trust.CheckAccess { // EF.CardAccess was not read
			want = trust.NotPossible
		}
		if c.State != want {
			t.Errorf("%s: got %s, want %s", c.Topic, c.State, want)
		}
	}
	want := trust.Facts{
		Chained: true, CloneExcluded: true, CloneProtected: true, RevocationChecked: true, Revocation: trust.NotRevoked, InDate: true,
	}
	if v.Facts != want {
		t.Errorf("got %+v\nwant %+v", v.Facts, want)
	}
}

// verdictCase is a family of documents and the verdict on it.
type verdictCase struct {
	rule   string
	state  issue.Config
	order  issue.Order
	files  func(map[chip.File][]byte)
	change func(*trust.Evidence)
	word   trust.Word
	class  trust.Class
	reason trust.Reason
}

// failed is a case of a fault in what is signed.
func failed(fault issue.Fault, class trust.Class, reason trust.Reason) verdictCase {
	return verdictCase{rule: string(fault), order: issue.Order{Signed: signed, Fault: fault}, word: trust.Failed, class: class, reason: reason}
}

// making is a case of what is signed with; it is genuine.
func making(rule string, authority, signer issue.Making, hash crypto.Hash) verdictCase {
	return verdictCase{
		rule: "ok/" + rule, state: issue.Config{Authority: authority, Signer: signer}, order: issue.Order{Signed: signed, Hash: hash}, word: trust.Genuine,
	}
}

// authority is a case of a fault of the authority's certificate.
func authority(fault issue.Fault, reason trust.Reason) verdictCase {
	return verdictCase{
		rule: string(fault), state: issue.Config{Fault: fault}, order: issue.Order{Signed: signed},
		word: trust.Failed, class: trust.CertificateUnfit, reason: reason,
	}
}

func verdictCases(tb testing.TB) []verdictCase {
	tb.Helper()
	p256, p384 := issue.Making{Curve: "secp256r1", Hash: crypto.SHA256}, issue.Making{Curve: "secp384r1", Hash: crypto.SHA384}
	undated := trust.Given([][]byte{state(tb, issue.Config{}).Authority()}, nil)
	return []verdictCase{
		failed(issue.TamperedFile, trust.IntegrityFailed, trust.FileChanged),
		failed(issue.UnlistedFile, trust.IntegrityFailed, trust.FileNotListed),
		failed(issue.WrongDigestID, trust.IntegrityFailed, trust.DigestLength),
		failed(issue.SignerSerial, trust.SignatureFailed, trust.SignerNotNamed),
		failed(issue.SignerIssuer, trust.SignatureFailed, trust.SignerNotNamed),
		failed(issue.NoSigner, trust.SignatureFailed, trust.NoSigner),
		failed(issue.SignatureWrong, trust.SignatureFailed, trust.SignatureWrong),
		failed(issue.SecondWrong, trust.SignatureFailed, trust.SignatureWrong),
		failed(issue.NoAttributes, trust.SignatureFailed, trust.AttributesMissing),
		failed(issue.AttributeTwice, trust.SignatureFailed, trust.AttributesMissing),
		failed(issue.AttributeDigest, trust.SignatureFailed, trust.AttributeDigest),
		failed(issue.AttributeType, trust.SignatureFailed, trust.AttributeType),
		failed(issue.ContentType, trust.SignatureFailed, trust.ContentType),
		failed(issue.Lookalike, trust.SignatureFailed, trust.CertificateSignature),
		failed(issue.ExpiredSigner, trust.CertificateUnfit, trust.SignerTime),
		failed(issue.EarlySigner, trust.CertificateUnfit, trust.SignerTime),
		failed(issue.SignerUsage, trust.CertificateUnfit, trust.SignerUsage),
		failed(issue.NoUsage, trust.CertificateUnfit, trust.SignerUsage),
		failed(issue.SignerCA, trust.CertificateUnfit, trust.SignerIsAuthority),
		failed(issue.SignerExtended, trust.CertificateUnfit, trust.SignerExtended),
		failed(issue.SignerCritical, trust.CertificateUnfit, trust.SignerCritical),
		failed(issue.SignerCountry, trust.CertificateUnfit, trust.SignerCountry),
		failed(issue.SignerVersion, trust.CertificateUnfit, trust.SignerVersion),
		authority(issue.NotAuthority, trust.NotAuthority),
		authority(issue.AuthorityUsage, trust.AuthorityUsage),
		authority(issue.AuthorityCritical, trust.AuthorityCritical),
		{rule: "malformed", order: issue.Order{Signed: signed, Fault: issue.Malformed}, word: trust.Unreadable, reason: trust.ObjectMalformed},
		{rule: "digest-unknown", order: issue.Order{Signed: signed, Fault: issue.UnknownDigest}, word: trust.Unreadable, reason: trust.DigestUnknown},
		{rule: "no-certificate", order: issue.Order{Signed: signed, Fault: issue.NoCertificate}, word: trust.IssuerUnknown, reason: trust.NoCertificate},
		{rule: "unknown-key-of-a-known-name", order: issue.Order{Signed: signed, Fault: issue.UnknownKey}, word: trust.IssuerUnknown, reason: trust.NoKey},
		{rule: "foreign-authority", order: issue.Order{Signed: signed, Fault: issue.Foreign}, word: trust.IssuerUnknown, reason: trust.NoAuthority},
		{rule: "signed-after-reading", order: issue.Order{Signed: read.AddDate(0, 0, 2)}, word: trust.Failed, class: trust.CertificateUnfit, reason: trust.SignedLater},
		{rule: "ok/signed-within-a-clock's-error", order: issue.Order{Signed: read.Add(time.Hour)}, word: trust.Genuine},
		{rule: "ok/no-signing-time", word: trust.Genuine},
		{rule: "ok/signer-ended-since", order: issue.Order{Signed: signed}, change: func(e *trust.Evidence) { e.At = read.AddDate(9, 0, 0) }, word: trust.Genuine},
		{rule: "not-begun-when-read", change: func(e *trust.Evidence) { e.At, e.Store = read.AddDate(-20, 0, 0), undated },
			word: trust.Failed, class: trust.CertificateUnfit, reason: trust.SignedLater},
		{rule: "ok/read-by-a-slow-clock", order: issue.Order{Signed: signed}, change: func(e *trust.Evidence) { e.At = read.AddDate(-20, 0, 0) }, word: trust.Genuine},
		{rule: "authority-ended-when-signed", state: issue.Config{From: signed.AddDate(-4, 0, 0), To: signed.AddDate(0, 0, -1)}, order: issue.Order{Signed: signed},
			word: trust.Failed, class: trust.CertificateUnfit, reason: trust.SignerTime},
		{rule: "country/document's", order: issue.Order{Signed: signed}, state: issue.Config{Country: "GB", Code: "GBR"}, word: trust.Failed,
			class: trust.CertificateUnfit, reason: trust.DocumentCountry},
		{rule: "country/of-an-authority-that-calls-itself-another-state", order: issue.Order{Signed: signed}, state: issue.Config{Country: "DE", Code: "GBR"},
			files: func(f map[chip.File][]byte) { f[chip.DG1] = zoneFile("P<GBR" + zone[5:]) }, word: trust.Failed,
			class: trust.CertificateUnfit, reason: trust.DocumentCountry},
		{rule: "ok/country-that-only-the-authority-has", order: issue.Order{Signed: signed}, state: issue.Config{Country: "XO", Code: "XOM"},
			files: func(f map[chip.File][]byte) { f[chip.DG1] = zoneFile("P<XOM" + zone[5:]) }, word: trust.Genuine},
		{rule: "ok/country-by-two-letters", order: issue.Order{Signed: signed}, state: issue.Config{Country: "DE"}, word: trust.Genuine,
			files: func(f map[chip.File][]byte) { f[chip.DG1] = zoneFile("P<D<<" + zone[5:]) }},
		{rule: "ok/country-in-small-letters", order: issue.Order{Signed: signed}, state: issue.Config{Country: "ut"}, word: trust.Genuine},
		{rule: "country-that-no-table-has", order: issue.Order{Signed: signed}, word: trust.IssuerUnknown, reason: trust.CountryStrange,
			files: func(f map[chip.File][]byte) { f[chip.DG1] = zoneFile("P<QQQ" + zone[5:]) }},
		{rule: "ok/version-1", order: issue.Order{Signed: signed, Version: 1}, word: trust.Genuine},
		{rule: "version-2", order: issue.Order{Signed: signed, Version: 2}, word: trust.Unreadable, reason: trust.ObjectMalformed},
		{rule: "ok/two-signatures", order: issue.Order{Signed: signed, Twice: true}, word: trust.Genuine},
		{rule: "ok/named-by-key", order: issue.Order{Signed: signed, ByKeyID: true}, word: trust.Genuine},
		making("brainpool", issue.Making{Curve: "brainpoolP384r1", Hash: crypto.SHA384}, issue.Making{Curve: "brainpoolP256r1", Hash: crypto.SHA256}, crypto.SHA256),
		making("explicit", issue.Making{Curve: "secp384r1", Explicit: true, Hash: crypto.SHA512}, issue.Making{Curve: "brainpoolP224r1", Explicit: true, Hash: crypto.SHA224}, crypto.SHA224),
		making("p521", issue.Making{Curve: "secp521r1", Hash: crypto.SHA512}, p384, crypto.SHA512),
		making("rsa", issue.Making{RSA: 2560, Hash: crypto.SHA256}, issue.Making{RSA: 2048, Hash: crypto.SHA224}, crypto.SHA224),
		making("rsa-pss", issue.Making{RSA: 2056, PSS: true, Hash: crypto.SHA256}, issue.Making{RSA: 2057, PSS: true, Hash: crypto.SHA384, Salt: 21}, crypto.SHA384),
		making("sha-1", issue.Making{RSA: 2048, Hash: crypto.SHA1}, issue.Making{RSA: 2048, PSS: true, Hash: crypto.SHA1}, crypto.SHA1),
		weak("signer", p384, issue.Making{RSA: 1536, Hash: crypto.SHA256}),
		weak("authority", issue.Making{Curve: "brainpoolP192r1", Hash: crypto.SHA256}, p256),
		making("sha-1-of-files-only", p384, p256, crypto.SHA1),
		making("sha-1-of-the-authority-only", issue.Making{Curve: "secp256r1", Hash: crypto.SHA1}, p256, crypto.SHA256),
		making("sha-384", p384, p256, crypto.SHA384),
		making("sha-224-on-a-curve-spelled-out", p384, issue.Making{Curve: "brainpoolP320r1", Explicit: true, Hash: crypto.SHA224}, crypto.SHA224),
	}
}

// weak is a case of keys that are too short to prove anything.
func weak(whose string, authority, signer issue.Making) verdictCase {
	c := making("short-key-of-the-"+whose, authority, signer, crypto.SHA256)
	c.rule, c.word, c.reason = strings.TrimPrefix(c.rule, "ok/"), trust.IssuerUnknown, trust.KeyWeak
	return c
}

// formCases are documents whose files and frames have the freedoms of the standards,
// or take more than those.
func formCases(tb testing.TB) []verdictCase {
	tb.Helper()
	order := issue.Order{Signed: signed}
	foreign, _ := must[*issue.State](tb)(issue.New(issue.Config{Country: "DE"}, random(9))).Signer()
	twin, _ := must[*issue.State](tb)(issue.New(issue.Config{Country: "UT", Code: "UTO"}, random(8))).Signer()
	ber := issue.Order{Signed: signed, BER: true, Version: 1}
	ofBER := func(f issue.Fault) issue.Order { o := ber; o.Fault = f; return o }
	drop := func(name string) func(*trust.Evidence) { return func(e *trust.Evidence) { delete(e.Files, name) } }
	also := func(name string, content []byte) func(*trust.Evidence) {
		return func(e *trust.Evidence) { e.Files[name] = content }
	}
	lists := func(kinds ...string) issue.Config { return issue.Config{Documents: kinds} }
	unfit := func(rule string, s issue.Config) verdictCase {
		return verdictCase{rule: rule, state: s, order: order, word: trust.Failed, class: trust.CertificateUnfit, reason: trust.SignerDocuments}
	}
	return []verdictCase{
		{rule: "ok/BER", order: ber, word: trust.Genuine},
		{rule: "ok/BER/two-signatures", order: issue.Order{Signed: signed, BER: true, Twice: true}, word: trust.Genuine},
		{rule: "BER/file-changed", order: ofBER(issue.TamperedFile), word: trust.Failed, class: trust.IntegrityFailed, reason: trust.FileChanged},
		{rule: "BER/signature-wrong", order: ofBER(issue.SignatureWrong), word: trust.Failed, class: trust.SignatureFailed, reason: trust.SignatureWrong},
		{rule: "BER/second-wrong", order: ofBER(issue.SecondWrong), word: trust.Failed, class: trust.SignatureFailed, reason: trust.SignatureWrong},
		{rule: "BER/another-content", order: ofBER(issue.AttributeDigest), word: trust.Failed, class: trust.SignatureFailed, reason: trust.AttributeDigest},
		{rule: "BER/no-end", order: ofBER(issue.Malformed), word: trust.Unreadable, reason: trust.ObjectMalformed},
		{rule: "ok/attributes-out-of-order", order: issue.Order{Signed: signed, Mixed: true}, word: trust.Genuine},
		{rule: "attributes-out-of-order/signature-wrong", order: issue.Order{Signed: signed, Mixed: true, Fault: issue.SignatureWrong},
			word: trust.Failed, class: trust.SignatureFailed, reason: trust.SignatureWrong},
		{rule: "ok/another-signer-lies-there", order: issue.Order{Signed: signed, Twice: true, BER: true, Beside: [][]byte{foreign, foreign}}, word: trust.Genuine},
		{rule: "a-twin-of-the-signer-lies-first", order: issue.Order{Signed: signed, Beside: [][]byte{twin}}, word: trust.Failed, class: trust.SignatureFailed, reason: trust.SignatureWrong},
		{rule: "portrait-kept-back", order: order, change: drop("DG2"), word: trust.Unreadable, reason: trust.NoPortrait},
		{rule: "portrait-kept-back/and-a-file-changed", order: issue.Order{Signed: signed, Fault: issue.TamperedFile}, change: func(e *trust.Evidence) {
			delete(e.Files, "DG2")
			e.Files["DG14"] = append(e.Files["DG14"], 0)
		}, word: trust.Failed, class: trust.IntegrityFailed, reason: trust.FileChanged},
		{rule: "a-group-that-is-none", order: order, change: also("DG17", []byte{1}), word: trust.Failed, class: trust.IntegrityFailed, reason: trust.FileNotListed},
		{rule: "a-group-in-small-letters", order: order, change: func(e *trust.Evidence) {
			e.Files["dg2"] = append(e.Files["DG2"], 0)
			delete(e.Files, "DG2")
		}, word: trust.Failed, class: trust.IntegrityFailed, reason: trust.FileChanged},
		{rule: "a-file-under-two-names", order: order, change: also("EF.DG2", []byte{1}), word: trust.Failed, class: trust.IntegrityFailed, reason: trust.FileTwice},
		{rule: "ok/the-same-file-under-two-names", order: order, change: func(e *trust.Evidence) { e.Files["EF.DG2"] = e.Files["DG2"] }, word: trust.Genuine},
		{rule: "ok/an-index-that-lies", order: order, change: also("EF.COM", []byte{0x60, 0}), word: trust.Genuine},
		{rule: "ok/kind-by-its-first-letter", state: lists("ID", "P"), order: order, word: trust.Genuine},
		{rule: "ok/kind-in-full", state: lists("PU"), order: order, word: trust.Genuine, files: func(f map[chip.File][]byte) { f[chip.DG1] = zoneFile("PU" + zone[2:]) }},
		unfit("kind/of-another-document", lists("V", "ID")),
		unfit("kind/only-another-passport", lists("PD")),
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(verdictCases(t), formCases(t)) {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			s := state(t, c.state)
			e := evidence(t, s, c.order, c.files)
			e.Store = trust.New(anchored(s))
			if c.change != nil {
				c.change(&e)
			}
			v := trust.Judge(e)
			if v.Word != c.word || v.Class != c.class || v.Reason != c.reason {
				t.Errorf("got %q %q %q, want %q %q %q", v.Word, v.Class, v.Reason, c.word, c.class, c.reason)
			}
			if v.Facts.Chained != (c.word == trust.Genuine) || v.Facts.CloneExcluded != (c.word == trust.Genuine) {
				t.Errorf("facts overstate: %+v", v.Facts)
			}
			if weak := strings.HasPrefix(c.rule, "ok/sha-1"); v.Facts.WeakDigest != weak {
				t.Errorf("weak digest: got %t, want %t", v.Facts.WeakDigest, weak)
			}
		})
	}
}

// TestNothingToJudge: what was not read gives no failure and no praise.
func TestNothingToJudge(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	whole := evidence(t, s, issue.Order{Signed: signed}, nil)
	without := func(name string) map[string][]byte {
		f := maps.Clone(whole.Files)
		delete(f, name)
		return f
	}
	for _, c := range []struct {
		rule   string
		e      trust.Evidence
		word   trust.Word
		reason trust.Reason
	}{
		{"no-chip", trust.Evidence{Presence: trust.WasAbsent}, trust.Absent, ""},
		{"nobody-read", trust.Evidence{}, trust.NotAttempted, ""},
		{"said-so", trust.Evidence{Presence: trust.WasNotTried, Files: whole.Files}, trust.NotAttempted, ""},
		{"silent-chip", trust.Evidence{Presence: trust.WasUnreadable}, trust.Unreadable, ""},
		{"no-object", trust.Evidence{Files: without("EF.SOD")}, trust.Unreadable, trust.NoSecurityObject},
		{"no-zone", trust.Evidence{Files: without("DG1")}, trust.Unreadable, trust.NoZone},
		{"no-store", trust.Evidence{Files: whole.Files}, trust.IssuerUnknown, trust.NoAuthority},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if c.rule != "no-store" {
				c.e.Store = trust.New(anchored(s))
			}
			c.e.At = read
			v := trust.Judge(c.e)
			if v.Word != c.word || v.Reason != c.reason || v.Class != "" || v.Facts.Chained {
				t.Errorf("got %+v, want %s %s", v, c.word, c.reason)
			}
			if got := v.State(trust.CheckPath); c.word != trust.Unreadable && got != trust.NotPossible {
				t.Errorf("path: got %s", got)
			}
		})
	}
}

// TestIntegrityOutweighs: a document of an unknown state that was changed is not
// merely unknown.
func TestIntegrityOutweighs(t *testing.T) {
	t.Parallel()
	for fault, want := range map[issue.Fault]trust.Class{
		issue.TamperedFile: trust.IntegrityFailed, issue.SignatureWrong: trust.SignatureFailed, issue.None: "",
	} {
		v := trust.Judge(evidence(t, state(t, issue.Config{}), issue.Order{Signed: signed, Fault: fault}, nil))
		if v.Class != want || (v.Word == trust.Failed) != (want != "") {
			t.Errorf("%q: got %s %s, want %s", fault, v.Word, v.Class, want)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	s := state(b, issue.Config{})
	e := evidence(b, s, issue.Order{Signed: signed}, nil)
	e.Store = trust.New(anchored(s))
	for b.Loop() {
		if v := trust.Judge(e); v.Word != trust.Genuine {
			b.Fatal(v.Word)
		}
	}
}

// TestSaysNothingOfAPerson: a verdict holds closed words, whatever the document says.
func TestSaysNothingOfAPerson(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	for _, fault := range []issue.Fault{issue.None, issue.TamperedFile, issue.SignerCountry, issue.Malformed} {
		e := evidence(t, s, issue.Order{Signed: signed, Fault: fault}, nil)
		e.Store = trust.New(anchored(s))
		text := fmt.Sprintf("%+v", trust.Judge(e))
		for _, personal := range []string{"ERIKSSON", "L898902C3", "740812", "UTO"} {
			if strings.Contains(text, personal) {
				t.Errorf("%q: the verdict holds %s", fault, personal)
			}
		}
	}
}

// TestGiven: what a person calls trusted is, and what cannot be read is left out.
func TestGiven(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	e := evidence(t, s, issue.Order{Signed: signed}, nil)
	e.Store = trust.Given([][]byte{nil, []byte("junk"), s.Authority(), s.Authority()}, [][]byte{[]byte("junk")})
	if v := trust.Judge(e); v.Word != trust.Genuine || e.Store.Size() != 1 || e.Store.Refused() != 1 {
		t.Errorf("got %s %s, %d authorities, %d refused", v.Word, v.Reason, e.Store.Size(), e.Store.Refused())
	}
}

// TestManyAtOnce: a store may be used by several at once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	crl := must[[]byte](t)(s.CRL(issue.Revocation{From: made, Until: read.AddDate(0, 1, 0)}))
	e := evidence(t, s, issue.Order{Signed: signed}, nil)
	e.Store = trust.New(anchored(s, crl))
	words := make(chan trust.Word)
	for range 8 {
		go func() { words <- trust.Judge(e).Word }()
	}
	for range 8 {
		if w := <-words; w != trust.Genuine {
			t.Errorf("got %s", w)
		}
	}
}
