package emrtd

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/proof"
)

// Evidence is what a chip gave, as it was read, so that it can be judged again
// with other knowledge. That it proved a key can only be believed of whoever read
// it: such a proof is of one moment.
type Evidence struct {
	Way        chip.Way
	Downgraded bool
	Proof      chip.Proof
	Files      map[chip.File][]byte
	At         time.Time // when it was read
}

// packedSchema names the form of packed evidence.
const packedSchema = "counterproof/chip/1"

// maxPacked bounds packed evidence, in bytes: twice the largest files.
const maxPacked = 8 << 20

// packed is evidence as it travels.
type packed struct {
	Schema string `json:"schema"`
	Evidence
}

// Pack writes evidence as JSON.
func (e Evidence) Pack() []byte {
	b, err := json.Marshal(packed{packedSchema, e})
	if err != nil {
		return nil // maps of bytes, words and times always write
	}
	return b
}

// ErrPacked says that bytes are no packed evidence.
var ErrPacked = errors.New("the bytes are no files of a chip")

// Unpack reads what Pack wrote.
func Unpack(b []byte) (Evidence, error) {
	var p packed
	if len(b) > maxPacked || json.Unmarshal(b, &p) != nil || p.Schema != packedSchema {
		return Evidence{}, ErrPacked
	}
	return p.Evidence, nil
}

// proofs are the words of package trust for those of package chip.
var proofs = map[chip.Clone]trust.Proof{
	chip.NotProvided: trust.ProofMissing, chip.ExcludedCA: trust.ByCA, chip.ExcludedCAM: trust.ByCAM, chip.ExcludedAA: trust.ByAA,
	chip.CloneFailed: trust.ProofFailed,
}

// Judge says what evidence is worth to whoever trusts a store, nil for nobody. An
// error is KindChipUnread: the chip gave nothing that can be judged.
func (e Evidence) Judge(store *trust.Store) (proof.ChipRead, trust.Verdict, error) {
	files := map[string][]byte{}
	for f, content := range e.Files {
		files[f.String()] = content
	}
	v := trust.Judge(trust.Evidence{Files: files, Proof: proofs[e.Proof.Clone], Key: e.Proof.Key, Store: store, At: e.At})
	fact := proof.ChipRead{Access: proof.Code(e.Way), Downgraded: e.Downgraded || v.Facts.Downgraded}
	if store != nil {
		fact.Trust = day(store.Made())
	}
	if e.Proof.Clone == chip.CloneFailed && v.Class == "" { // the reading ended there, before the zone
		v.Word, v.Class, v.Reason = trust.Failed, trust.Clone, trust.KeyNotProved
	}
	var told bool
	if fact.Verdict, told = verdictOf(v); !told {
		return fact, v, &proof.Error{Op: "judging a chip", Kind: proof.KindChipUnread}
	}
	fact.Reason = proof.Code(v.Reason)
	fact.Clone, fact.Revocation = cloneOf(v), revocationOf(v.Facts)
	if e.Proof.Clone == chip.CloneFailed { // whatever else is wrong with it
		fact.Clone = proof.CloneFailed
	}
	if lines, err := lds.MRZ(e.Files[chip.DG1]); err == nil {
		fact.Lines = lines
	}
	return fact, v, nil
}

// verdictOf is a verdict in the words of a visit; false where there is none. A
// chip that fails to prove its key is told by its Clone. What trust data that is
// out of date says in favour of a document counts for nothing.
func verdictOf(v trust.Verdict) (proof.ChipVerdict, bool) {
	switch v.Word {
	case trust.Genuine, trust.CopyNotExcluded:
		if !v.Facts.InDate {
			return proof.ChipIssuerUnknown, true
		}
		return proof.ChipGenuine, true
	case trust.IssuerUnknown:
		return proof.ChipIssuerUnknown, true
	case trust.Failed:
		failed, known := map[trust.Class]proof.ChipVerdict{
			trust.IntegrityFailed: proof.ChipIntegrityFailed, trust.SignatureFailed: proof.ChipSignatureFailed,
			trust.CertificateUnfit: proof.ChipCertificateUnfit, trust.Revoked: proof.ChipRevoked, trust.Clone: proof.ChipGenuine,
		}[v.Class]
		return failed, known
	}
	return "", false
}

// cloneOf is whether the chip was shown not to be a copy.
func cloneOf(v trust.Verdict) proof.Clone {
	switch {
	case v.Class == trust.Clone:
		return proof.CloneFailed
	case v.Facts.CloneExcluded:
		return proof.CloneExcluded
	case v.Word == trust.CopyNotExcluded && !v.Facts.CloneProtected:
		return proof.CloneNoProtection
	}
	return proof.CloneNotChecked
}

// revocationOf is what is known of the signer's revocation.
func revocationOf(f trust.Facts) proof.Revocation {
	if !f.RevocationChecked {
		return proof.RevocationUnknown
	}
	return map[trust.Revocation]proof.Revocation{
		trust.NotRevoked: proof.RevocationGood, trust.StaleList: proof.RevocationStale, trust.NonePublished: proof.RevocationNotPublished,
	}[f.Revocation]
}

// day is the civil day of a moment.
func day(t time.Time) proof.Date {
	y, m, d := t.UTC().Date()
	return proof.Date{Year: y, Month: int(m), Day: d}
}

// Confirms is a judge for whoever opens records: it reports whether the files of a
// chip that a counter called genuine bear that out, by what the judge trusts. That
// a chip proved its key it has to believe the counter.
func Confirms(store func() *trust.Store) func(files []byte, said proof.ChipRead) bool {
	return func(files []byte, said proof.ChipRead) bool {
		e, err := Unpack(files)
		if err != nil {
			return false
		}
		trusted := store()
		if trusted != nil && trusted.Made().After(e.At) { // who knows more judges by it
			e.At = trusted.Made()
		}
		again, _, err := e.Judge(trusted)
		credited := said.Clone == proof.CloneExcluded || said.Clone == proof.CloneNoProtection
		overstated := credited && again.Clone != said.Clone
		return err == nil && again.Verdict == proof.ChipGenuine && !overstated && slices.Equal(again.Lines, said.Lines)
	}
}
