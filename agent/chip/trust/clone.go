package trust

import (
	"github.com/counterproof/counterproof/agent/chip/cms"
)

// clone judges the proof that the chip is no copy: the key that it proved must be
// one that the state signed.
func (i *inspection) clone() {
	switch i.Proof {
	case ProofFailed:
		i.check(CheckKey, failing(CheckKey, Clone, KeyNotProved))
	case ByCA:
		i.proved(i.signedFile("DG14", tagDG14), holdsKey)
	case ByAA:
		if i.authenticated() && i.chain.excuse(i.chain.cert, cms.KeyCompromised) {
			i.compromised, i.facts.Deviating = true, true // not to the document's favour
			return
		}
		i.proved(i.signedFile("DG15", tagDG15), isKey)
	case ByCAM:
		i.mapped()
	}
}

// proved settles a proof by a file that is signed.
func (i *inspection) proved(file []byte, holds func(file, key []byte) (holds, known bool)) {
	if file == nil || len(i.Key) == 0 { // nothing to hold it against
		return
	}
	switch same, known := holds(file, i.Key); {
	case !known: // a file that is written strangely is no sign of fraud
	case !same:
		i.check(CheckKey, failing(CheckKey, Clone, KeyNotSigned))
	default:
		i.states[CheckKey] = Done
		i.facts.CloneExcluded = true
	}
}

// protected reports a document that can prove that it is no copy: its state lists
// EF.DG14 or EF.DG15. What is in them is not looked at: that would be to a copy's
// favour.
func (i *inspection) protected() bool { return i.digests.Of[14] != nil || i.digests.Of[15] != nil }

// bound reports whether the key of the mapping of PACE is this document's: the file
// that it stands in names no document, so that it must stand in EF.DG14 too where
// that has keys.
func (i *inspection) bound() bool {
	if i.digests.Of[14] == nil {
		return true
	}
	file := i.signedFile("DG14", tagDG14)
	all, ok := infos(file)
	if ok && !hasKeys(all) {
		return true
	}
	holds, _ := holdsKey(file, i.Key)
	return holds
}

// mapped settles a proof by the mapping of PACE: its key is in EF.CardSecurity,
// which is signed as the document security object is (9303-11 §4.4.3.3.3).
func (i *inspection) mapped() {
	m, err := cms.Parse(i.files["CardSecurity"])
	if err != nil || m.Type != cms.SecurityInfos || len(m.Signers) == 0 {
		return
	}
	for n := range m.Signers {
		c := &chain{message: m, signer: &m.Signers[n], store: i.Store, document: i.document, at: i.At}
		o := c.judge()
		if o.word == Failed {
			i.check(CheckKey, o)
		}
		if !o.well() {
			return
		}
		if i.authenticated() && c.authority.Subject.Country != i.chain.authority.Subject.Country {
			i.check(CheckKey, failing(CheckKey, CertificateUnfit, SignerCountry))
			return
		}
	}
	if holds, known := holdsKey(m.Content, i.Key); holds && known && !i.bound() {
		i.unbound = true
		return
	}
	i.proved(m.Content, holdsKey)
}

// copyReason says why a copy is not excluded.
func (i *inspection) copyReason() Reason {
	switch {
	case i.unbound:
		return KeyUnbound
	case i.Proof == ByCA || i.Proof == ByCAM:
		return KeyNotCovered
	case i.compromised:
		return KeyCompromised
	case i.Proof == ByAA:
		return KeyNotCovered
	case i.facts.CloneProtected:
		return ProtectionUnused
	}
	return ""
}
