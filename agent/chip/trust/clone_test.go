package trust_test

import (
	"testing"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/trust"
)

func TestClone(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	foreign := must[*issue.State](t)(issue.New(issue.Config{Country: "DE", Code: "D"}, random(9)))
	contents := anchored(s)
	contents.Anchors = append(contents.Anchors, foreign.Authority())
	store := trust.New(contents)
	security := must[[]byte](t)(s.CardSecurity(infosOf(chipKey(3)), issue.Order{Signed: signed}))
	forged := must[[]byte](t)(s.CardSecurity(infosOf(chipKey(3)), issue.Order{Signed: signed, Fault: issue.SignatureWrong}))
	abroad := must[[]byte](t)(foreign.CardSecurity(infosOf(chipKey(3)), issue.Order{Signed: signed}))
	mapped := func(f map[chip.File][]byte) { f[chip.DG14] = der.Write(0x6e, infosOf(chipKey(3))) }
	keyless := func(f map[chip.File][]byte) { f[chip.DG14] = der.Write(0x6e, der.SetOf(pace(12))) }
	onlyWays := func(f map[chip.File][]byte) { keyless(f); delete(f, chip.DG15) }
	bare := func(f map[chip.File][]byte) { delete(f, chip.DG14); delete(f, chip.DG15) }
	for _, c := range []struct {
		rule   string
		proof  trust.Proof
		key    []byte
		files  func(map[chip.File][]byte)
		change func(*trust.Evidence)
		word   trust.Word
		reason trust.Reason
	}{
		{"CA", trust.ByCA, chipKey(1), nil, nil, trust.Genuine, ""},
		{"CA/bits-of-the-key", trust.ByCA, chipKey(1)[len(chipKey(1))-65:], nil, nil, trust.Genuine, ""},
		{"CA/another-key", trust.ByCA, chipKey(7), nil, nil, trust.Failed, trust.KeyNotSigned},
		{"CA/the-other-file's-key", trust.ByCA, chipKey(2), nil, nil, trust.Failed, trust.KeyNotSigned},
		{"CA/no-key-told", trust.ByCA, nil, nil, nil, trust.CopyNotExcluded, trust.KeyNotCovered},
		{"CA/file-not-read", trust.ByCA, chipKey(1), nil, func(e *trust.Evidence) { delete(e.Files, "DG14") }, trust.CopyNotExcluded, trust.KeyNotCovered},
		{"CA/file-that-nobody-signed", trust.ByCA, chipKey(1), bare, func(e *trust.Evidence) {
			e.Files["DG14"] = der.Write(0x6e, infosOf(chipKey(1)))
		}, trust.Failed, trust.FileNotListed},
		{"AA", trust.ByAA, chipKey(2), nil, nil, trust.Genuine, ""},
		{"AA/another-key", trust.ByAA, chipKey(1), nil, nil, trust.Failed, trust.KeyNotSigned},
		{"CAM", trust.ByCAM, chipKey(3), mapped, func(e *trust.Evidence) { e.Files["EF.CardSecurity"] = security }, trust.Genuine, ""},
		{"CAM/no-keys-in-the-other-file", trust.ByCAM, chipKey(3), keyless, func(e *trust.Evidence) { e.Files["EF.CardSecurity"] = security }, trust.Genuine, ""},
		{"CAM/key-of-another-document", trust.ByCAM, chipKey(3), nil, func(e *trust.Evidence) { e.Files["EF.CardSecurity"] = security }, trust.CopyNotExcluded, trust.KeyUnbound},
		{"CAM/other-file-kept-back", trust.ByCAM, chipKey(3), mapped, func(e *trust.Evidence) {
			e.Files["EF.CardSecurity"] = security
			delete(e.Files, "DG14")
		}, trust.CopyNotExcluded, trust.KeyUnbound},
		{"CA/file-in-BER", trust.ByCA, chipKey(1), func(f map[chip.File][]byte) {
			f[chip.DG14] = der.Write(0x6e, []byte{0x31, 0x80, 0, 0})
		}, nil, trust.CopyNotExcluded, trust.KeyNotCovered},
		{"CAM/another-key", trust.ByCAM, chipKey(1), nil, func(e *trust.Evidence) { e.Files["EF.CardSecurity"] = security }, trust.Failed, trust.KeyNotSigned},
		{"CAM/not-read", trust.ByCAM, chipKey(3), nil, nil, trust.CopyNotExcluded, trust.KeyNotCovered},
		{"CAM/signature-wrong", trust.ByCAM, chipKey(3), nil, func(e *trust.Evidence) { e.Files["EF.CardSecurity"] = forged }, trust.Failed, trust.SignatureWrong},
		{"CAM/of-another-state", trust.ByCAM, chipKey(3), nil, func(e *trust.Evidence) { e.Files["EF.CardSecurity"] = abroad }, trust.Failed, trust.SignerCountry},
		{"CAM/object-instead", trust.ByCAM, chipKey(3), nil, func(e *trust.Evidence) { e.Files["EF.CardSecurity"] = e.Files["EF.SOD"][4:] }, trust.CopyNotExcluded, trust.KeyNotCovered},
		{"failed", trust.ProofFailed, nil, nil, nil, trust.Failed, trust.KeyNotProved},
		{"failed/of-an-unknown-state", trust.ProofFailed, nil, nil, func(e *trust.Evidence) { e.Store = nil }, trust.Failed, trust.KeyNotProved},
		{"missing/though-listed", trust.ProofMissing, nil, nil, nil, trust.CopyNotExcluded, trust.ProtectionUnused},
		{"not-attempted", "", nil, nil, nil, trust.CopyNotExcluded, trust.ProtectionUnused},
		{"none-in-the-document", trust.ProofMissing, nil, bare, nil, trust.CopyNotExcluded, ""},
		{"only-ways-of-PACE", trust.ProofMissing, nil, onlyWays, nil, trust.CopyNotExcluded, trust.ProtectionUnused},
		{"only-ways-of-PACE/kept-back", trust.ProofMissing, nil, onlyWays, func(e *trust.Evidence) { delete(e.Files, "DG14") }, trust.CopyNotExcluded, trust.ProtectionUnused},
	} {
		t.Run(c.rule, func(t *testing.T) {
			e := evidence(t, s, issue.Order{Signed: signed}, c.files)
			e.Store, e.Proof, e.Key = store, c.proof, c.key
			if c.change != nil {
				c.change(&e)
			}
			v := trust.Judge(e)
			if v.Word != c.word || v.Reason != c.reason {
				t.Errorf("got %s %s, want %s %s", v.Word, v.Reason, c.word, c.reason)
			}
			if v.Facts.CloneExcluded != (c.word == trust.Genuine) {
				t.Errorf("clone excluded: got %t", v.Facts.CloneExcluded)
			}
			listed := c.word == trust.Genuine || c.reason != "" && c.reason != trust.FileNotListed
			if v.Facts.CloneProtected != listed {
				t.Errorf("clone protected: got %t, want %t", v.Facts.CloneProtected, listed)
			}
		})
	}
}

// TestCompromisedKeys: a state that says that its chips' keys are known takes the
// proof by them away.
func TestCompromisedKeys(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	signer, _ := s.Signer()
	contents := anchored(s)
	contents.Deviations = [][]byte{must[[]byte](t)(s.DeviationList(
		[]issue.Deviation{{Certificate: signer, BySerial: true, Type: cms.KeyCompromised}}, issue.ListOrder{Signed: made}))}
	e := evidence(t, s, issue.Order{Signed: signed}, nil)
	e.Store, e.Proof, e.Key = trust.New(contents), trust.ByAA, chipKey(2)
	if v := trust.Judge(e); v.Word != trust.CopyNotExcluded || v.Reason != trust.KeyCompromised || !v.Facts.Deviating {
		t.Errorf("got %s %s", v.Word, v.Reason)
	}
	e.Proof, e.Key = trust.ByCA, chipKey(1) // its other key is not meant
	if v := trust.Judge(e); v.Word != trust.Genuine {
		t.Errorf("by chip authentication: got %s %s", v.Word, v.Reason)
	}
}

func TestDowngrade(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	for _, c := range []struct {
		rule   string
		access []byte
		dg14   []byte
		noted  bool // by the reading itself
		state  trust.State
		down   bool
	}{
		{"same", der.SetOf(pace(12)), infosOf(chipKey(1)), false, trust.Done, false},
		{"not-read", nil, infosOf(chipKey(1)), false, trust.NotPossible, false},
		{"another-way", der.SetOf(pace(13)), infosOf(chipKey(1)), false, trust.Broken, true},
		{"more-ways", der.SetOf(pace(12), pace(13)), infosOf(chipKey(1)), false, trust.Broken, true},
		{"none-left", der.SetOf(), infosOf(chipKey(1)), false, trust.Broken, true},
		{"garbage", []byte("garbage"), infosOf(chipKey(1)), false, trust.Broken, true},
		{"older-than-PACE", der.SetOf(pace(12)), der.SetOf(der.Seq(der.ID("0.4.0.127.0.7.2.2.1.2"), chipKey(1))), false, trust.NotPossible, false},
		{"noted-when-reading", nil, infosOf(chipKey(1)), true, trust.NotPossible, true},
	} {
		e := evidence(t, s, issue.Order{Signed: signed}, func(f map[chip.File][]byte) { f[chip.DG14] = der.Write(0x6e, c.dg14) })
		e.Store, e.Downgraded = trust.New(anchored(s)), c.noted
		if c.access != nil {
			e.Files["EF.CardAccess"] = c.access
		}
		v := trust.Judge(e)
		if v.Word != trust.Genuine || v.State(trust.CheckAccess) != c.state || v.Facts.Downgraded != c.down {
			t.Errorf("%s: got %s, %s, downgraded %t", c.rule, v.Word, v.State(trust.CheckAccess), v.Facts.Downgraded)
		}
	}
}
