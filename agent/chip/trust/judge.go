package trust

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
)

// Presence says how far the reading came.
type Presence string

// How far readings come. The zero Presence is a reading if there are files.
const (
	WasRead       Presence = ""
	WasAbsent     Presence = "absent"
	WasNotTried   Presence = "not_attempted"
	WasUnreadable Presence = "unreadable"
)

// Proof says whether the chip proved that it is no copy.
type Proof string

// The proofs, in the words of package chip. The zero Proof was not attempted.
const (
	ProofNotTried Proof = "not_attempted"
	ProofMissing  Proof = "not_provided"
	ProofFailed   Proof = "failed"
	ByCA          Proof = "excluded_by_ca"  // chip authentication, key in EF.DG14
	ByCAM         Proof = "excluded_by_cam" // mapping of PACE, key in EF.CardSecurity
	ByAA          Proof = "excluded_by_aa"  // active authentication, key in EF.DG15
)

// Evidence is what a verdict is found on.
type Evidence struct {
	Presence Presence
	// Files by their names: "SOD", "DG1", "CardAccess", "CardSecurity"; "EF." before
	// them is left away. EF.COM is not looked at: nobody signs it.
	Files map[string][]byte
	Proof Proof
	// Key is the public key that the chip proved: as SubjectPublicKeyInfo, or the
	// bits in it.
	Key []byte
	// Downgraded says that the reading itself noticed it.
	Downgraded bool
	Store      *Store    // nil is an empty one
	At         time.Time // when the chip was read
}

// inspection is a verdict in the making.
type inspection struct {
	Evidence
	files    map[string][]byte
	message  *cms.Signed
	digests  cms.Digests
	document document
	states   map[Topic]State
	first    outcome // what settles the verdict
	chain    *chain
	facts    Facts
	// compromised: the state says that the keys of its chips are known.
	compromised bool
	// unbound: the key that was proved is the state's, and not this document's.
	unbound bool
	twice   bool // a file came under two names with two contents
}

// Judge finds the verdict on a chip.
func Judge(e Evidence) Verdict {
	i := &inspection{Evidence: e, files: map[string][]byte{}, states: map[Topic]State{}}
	for n, content := range e.Files {
		before, twice := i.files[name(n)]
		i.twice = i.twice || twice && !bytes.Equal(before, content)
		i.files[name(n)] = content
	}
	if i.Store == nil {
		i.Store = New(Contents{})
	}
	i.facts.InDate, i.facts.Aging = i.Store.InDate(e.At), i.Store.Aging(e.At)
	i.facts.Revocation, i.facts.Downgraded = NoList, e.Downgraded
	if o := i.begin(); !o.well() {
		i.settle(o)
		return i.verdict()
	}
	i.compare()
	i.judgeSigners()
	i.country()
	i.access()
	i.clone()
	return i.verdict()
}

// settle keeps the outcome that settles the verdict: the first that speaks of
// fraud, or else the first of all.
func (i *inspection) settle(o outcome) {
	if !o.well() && (i.first.well() || o.word == Failed && i.first.word != Failed) {
		i.first = o
	}
}

// check keeps how a check ended.
func (i *inspection) check(t Topic, o outcome) {
	i.states[t] = Done
	if !o.well() {
		i.states[t] = Broken
		i.settle(o)
	}
}

// begin reads the document security object and what it says.
func (i *inspection) begin() outcome {
	switch {
	case i.Presence == WasAbsent:
		return outcome{word: Absent}
	case i.Presence == WasNotTried, i.Presence == WasRead && len(i.files) == 0:
		return outcome{word: NotAttempted}
	case i.Presence == WasUnreadable:
		return outcome{word: Unreadable}
	case i.files["SOD"] == nil:
		return outcome{word: Unreadable, reason: NoSecurityObject}
	}
	malformed := outcome{word: Unreadable, reason: ObjectMalformed}
	var err error
	if i.message, err = cms.Parse(unwrap(i.files["SOD"], tagObject)); err != nil {
		return malformed
	}
	if i.message.Type != cms.SecurityObject {
		return failing(CheckObject, SignatureFailed, ContentType)
	}
	if i.digests, err = cms.ParseDigests(i.message.Content); err != nil {
		return malformed
	}
	i.facts.CloneProtected = i.protected()
	i.states[CheckObject] = Done
	return outcome{}
}

// compare checks that every data group that was read is the one that was signed.
func (i *inspection) compare() {
	h := i.digests.Hash
	if h == 0 {
		i.settle(outcome{Unreadable, "", DigestUnknown, CheckFiles})
		return
	}
	i.facts.WeakDigest = h.Size() <= 20
	i.check(CheckFiles, outcome{})
	if i.twice {
		i.check(CheckFiles, failing(CheckFiles, IntegrityFailed, FileTwice))
	}
	for _, n := range slices.Sorted(maps.Keys(i.files)) {
		g, content := group(n), i.files[n]
		if g == 0 && !strings.HasPrefix(n, groupName) {
			continue
		}
		want, listed := i.digests.Of[g]
		switch {
		case !listed:
			i.check(CheckFiles, failing(CheckFiles, IntegrityFailed, FileNotListed))
		case len(want) != h.Size():
			i.check(CheckFiles, failing(CheckFiles, IntegrityFailed, DigestLength))
		case !bytes.Equal(want, cert.Sum(h, content)):
			i.check(CheckFiles, failing(CheckFiles, IntegrityFailed, FileChanged))
		}
	}
	zone, ok := parseZone(i.files["DG1"])
	if !ok {
		i.settle(outcome{Unreadable, "", NoZone, CheckFiles})
	}
	i.document = zone
	// Every document has a portrait (9303-10 §3.5). A chip that keeps it back may be a
	// copy beside another printed face.
	if i.digests.Of[portrait] != nil && i.files["DG2"] == nil {
		i.settle(outcome{Unreadable, "", NoPortrait, CheckFiles})
	}
}

// judgeSigners checks the signatures. There is one as a rule; of several each must
// hold that can be checked, and one is enough.
func (i *inspection) judgeSigners() {
	if len(i.message.Signers) == 0 {
		i.check(CheckSignature, failing(CheckSignature, SignatureFailed, NoSigner))
		return
	}
	var kept *chain
	var result outcome
	for n := range i.message.Signers {
		c := &chain{message: i.message, signer: &i.message.Signers[n], store: i.Store, document: i.document, at: i.At}
		o := c.judge()
		better := kept == nil || o.word == Failed || o.well() && result.word != Failed
		if better && result.word != Failed {
			kept, result = c, o
		}
	}
	i.chain = kept
	i.facts.WeakDigest = i.facts.WeakDigest || kept.weak
	i.facts.Deviating = kept.excused
	if kept.revoked != "" {
		i.facts.Revocation = kept.revoked
	}
	i.told(result)
}

// told turns what a signature came to into checks: those before the one that ended
// it were done, those after were not possible.
func (i *inspection) told(o outcome) {
	for _, t := range []Topic{CheckSignature, CheckPath, CheckSigner, CheckAuthority, CheckRevocation} {
		if !o.well() && t == o.topic {
			if i.settle(o); o.word == Failed {
				i.states[t] = Broken
			}
			return
		}
		i.states[t] = Done
	}
	if r := i.facts.Revocation; r != NotRevoked && r != StaleList && r != NonePublished {
		delete(i.states, CheckRevocation)
	}
}

// authenticated reports that files and signature held so far.
func (i *inspection) authenticated() bool { return i.first.well() }

// country compares the issuing state of EF.DG1 with the authority's.
func (i *inspection) country() {
	if !i.authenticated() {
		return
	}
	a := i.chain.authority
	same, known := sameState(i.document.state, a.Subject.Country, a.Localities)
	switch {
	case i.chain.cert.Subject.Country != a.Subject.Country:
		i.check(CheckCountry, failing(CheckCountry, CertificateUnfit, SignerCountry))
	case same:
		i.check(CheckCountry, outcome{})
	case !known: // whoever signs for a state that nobody knows signs for any
		i.settle(outcome{IssuerUnknown, "", CountryStrange, CheckCountry})
	default:
		i.check(CheckCountry, failing(CheckCountry, CertificateUnfit, DocumentCountry))
	}
}

// signedFile is the content of a file that was read and is as it was signed.
func (i *inspection) signedFile(n string, tag byte) []byte {
	if i.states[CheckFiles] != Done || i.digests.Of[group(n)] == nil {
		return nil
	}
	return unwrap(i.files[n], tag)
}

// access compares the ways to open the chip that it offers in clear with the
// signed ones (9303-11 §4.2).
func (i *inspection) access() {
	offered, signed := i.files["CardAccess"], i.signedFile("DG14", tagDG14)
	if offered == nil || signed == nil {
		return
	}
	same, known := sameWays(offered, signed)
	switch {
	case !known:
	case same:
		i.states[CheckAccess] = Done
	default:
		i.states[CheckAccess] = Broken
		i.facts.Downgraded = true
	}
}

// verdict writes what was found.
func (i *inspection) verdict() Verdict {
	v := Verdict{Word: i.first.word, Class: i.first.class, Reason: i.first.reason, Facts: i.facts}
	if i.authenticated() {
		v.Word, v.Reason = CopyNotExcluded, i.copyReason()
		v.Facts.Chained = true
		if i.facts.CloneExcluded {
			v.Word, v.Reason = Genuine, ""
		}
	}
	v.Facts.CloneExcluded = v.Word == Genuine
	r := v.Facts.Revocation
	v.Facts.RevocationChecked = v.Facts.Chained && (r == NotRevoked || i.facts.InDate && (r == StaleList || r == NonePublished))
	if !i.Store.made.IsZero() {
		i.states[CheckStore] = Broken
		if i.facts.InDate {
			i.states[CheckStore] = Done
		}
	}
	for _, t := range topics {
		state, ok := i.states[t]
		if !ok {
			state = NotPossible
		}
		v.Checks = append(v.Checks, Check{t, state})
	}
	return v
}

// State gives how a check ended.
func (v Verdict) State(t Topic) State {
	n := slices.IndexFunc(v.Checks, func(c Check) bool { return c.Topic == t })
	if n < 0 {
		return NotPossible
	}
	return v.Checks[n].State
}
