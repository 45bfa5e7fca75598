package gpg45

import (
	"slices"
	"strconv"

	"github.com/counterproof/counterproof/agent/proof"
)

// partValidity names the part of proof.Check.
const partValidity = "validity"

// bySystem is the counter's own program.
var bySystem = proof.Actor{Kind: proof.BySystem}

// validity scores one piece: 0 when anything failed or nothing was checked, 1
// for details that agree on an original, 2 to 4 for what showed that the
// document is genuine and in date.
func (p *Policy) validity(d Document, t TypeInfo, f Facts) finding {
	found := p.failures(d, f)
	if len(found.reasons) > 0 {
		return found
	}
	base := p.inspected(d)
	if base.score == 0 {
		return base
	}
	ways := []finding{base, p.examined(d, t, f.Today), p.lit(d, t, f.Today), chipped(d.Chip), recorded(d.Record)}
	known := d.Expiry.Valid() || !t.Expires
	best := 0
	for i, way := range ways {
		found.join(finding{checks: way.checks})
		if i > 0 && !known {
			continue
		}
		if way.score > ways[best].score {
			best = i
		}
	}
	found.score = ways[best].score
	if known && all4(ways) {
		found.score = maxValidity
		found.because(codeValidityAll, d.Event)
	}
	found.reasons = append(found.reasons, explained(ways, best)...)
	if !known {
		found.because(codeExpiryNotKnown, d.Event)
	}
	return found
}

// all4 reports whether the chip, the UV examination and the source all agree.
// The ways are in the order of validity.
func all4(ways []finding) bool {
	const lit, chip, record = 2, 3, 4
	return ways[lit].score == 3 && ways[chip].score == 3 && ways[record].score == 2 &&
		slices.ContainsFunc(ways[record].checks, func(c proof.Check) bool { return c.Reason == codeValidityRecordClear })
}

// explained is the reason of the way that counted and whatever kept the others
// from counting more. What was not tried is told only while nothing else has
// raised the score.
func explained(ways []finding, best int) []proof.Reason {
	out := slices.Clone(ways[best].reasons)
	for i, way := range ways[1:] {
		if i+1 != best && way.score <= 1 && (best == 0 || len(way.checks) > 0) {
			out = append(out, way.reasons...)
		}
	}
	return out
}

// failures finds what makes a document worth nothing.
func (p *Policy) failures(d Document, f Facts) finding {
	var found finding
	if d.Digits == BadDigits {
		found.fail(proof.Check{Method: proof.PhysicalInPerson, By: bySystem, Event: d.Event, Reason: proof.ChecksFailed}, false)
	}
	if d.Expiry.Valid() && past(d.Expiry, f.Today, p.grace(d.Type)) {
		found.fail(proof.Check{Method: proof.PhysicalInPerson, By: bySystem, Event: d.Event, Reason: proof.DocExpired}, false)
	}
	if d.Specimen && !f.Training {
		found.fail(proof.Check{Method: proof.PhysicalInPerson, By: bySystem, Event: d.Event, Reason: proof.DocSpecimen}, false)
	}
	if d.Exam != nil {
		found.failExam(*d.Exam)
	}
	if d.Chip != nil {
		if code := d.Chip.failed(); code != "" {
			found.fail(proof.Check{Method: proof.Cryptographic, By: d.Chip.By, Event: d.Chip.Event, Reason: code}, true)
		}
	}
	if d.Record != nil && d.Record.Hit {
		found.fail(proof.Check{Method: proof.RecordData, By: d.Record.By, Event: d.Record.Event, Reason: codeDocFraudList}, true)
	}
	return found
}

// fail adds a check that failed; the graver ones send the case to people.
func (f *finding) fail(c proof.Check, grave bool) {
	c.Part = partValidity
	f.checked(c)
	f.because(c.Reason, c.Event)
	if grave {
		f.withhold(c.Reason)
	}
}

// failExam adds what an operator found wrong with the document. A copy and a
// misreading blame nobody.
func (f *finding) failExam(e Exam) {
	c := proof.Check{Method: proof.PhysicalInPerson, By: e.By, Event: e.Event}
	if len(e.Doubts) > 0 {
		c.Reason = proof.DocCounterfeit
		f.fail(c, true)
	}
	switch e.Details {
	case proof.Contradicts:
		c.Reason = proof.DataMismatch
		f.fail(c, true)
	case proof.Misread:
		c.Reason = proof.DocMisread
		f.fail(c, false)
	}
	if !e.Original {
		c.Reason = codeCopyNotOriginal
		f.fail(c, false)
	}
}

// grace is for how many days after its expiry a document still counts.
func (p *Policy) grace(t proof.EvidenceType) int {
	if days, ok := p.rules.Validity.GraceByType[t]; ok {
		return days
	}
	return p.rules.Validity.GraceDays
}

// inspected scores 1 for an original whose details agree: read by a device with
// good check digits, or looked at by an operator.
func (p *Policy) inspected(d Document) finding {
	var f finding
	switch {
	case d.Exam != nil && d.Exam.Details == proof.Agree:
		f.score = 1
		f.because(codeValidityInspected, d.Exam.Event, "score", "1")
	case d.Digits == GoodDigits && slices.Contains(p.rules.Validity.ReadingSources, d.Source):
		f.conclude(proof.Check{Method: proof.PhysicalInPerson, Part: partValidity, Score: 1, By: bySystem, Event: d.Event, Reason: codeValidityRead})
	default:
		f.because(codeValidityNotChecked, d.Event)
	}
	return f
}

// examined scores 2 for security features seen by an operator whose training
// is recent enough, and records the examination whatever it scored.
func (p *Policy) examined(d Document, t TypeInfo, today proof.Date) finding {
	var f finding
	if d.Exam == nil {
		f.because(codeNotExamined, d.Event)
		return f
	}
	e, v := *d.Exam, p.rules.Validity
	c := proof.Check{Method: proof.PhysicalInPerson, Part: partValidity, Score: 1, By: e.By, Event: e.Event}
	months := v.ExaminedMonths
	switch {
	case e.Details != proof.Agree:
		c.Score, c.Reason = 0, codeDetailsNotCompared
	case !within(e.Trained.Document, today, v.ExaminedMonths):
		c.Reason = codeExaminerNotTrained
	case e.Templates != (proof.Date{}) && !within(e.Templates, today, v.TemplateMonths):
		c.Reason, months = codeTemplatesOld, v.TemplateMonths
	case p.seen(e, t) < v.ExaminedFeatures:
		c.Reason = codeFeaturesTooFew
	default:
		c.Score, c.Reason = 2, codeValidityExamined
	}
	f.conclude(c, "months", strconv.Itoa(months), "seen", strconv.Itoa(p.seen(e, t)), "needed", strconv.Itoa(v.ExaminedFeatures))
	return f
}

// seen counts the different features that an operator saw and that this kind
// of evidence has.
func (p *Policy) seen(e Exam, t TypeInfo) int {
	n := 0
	for _, feature := range p.features[t.Features] {
		if slices.Contains(e.Features, feature) {
			n++
		}
	}
	return n
}

// lit scores 3 for an examination under UV and infrared by a specially trained
// operator who had a recent template to compare with.
func (p *Policy) lit(d Document, t TypeInfo, today proof.Date) finding {
	var f finding
	if d.Exam == nil || !d.Exam.UVIR || d.Exam.Details != proof.Agree {
		return f
	}
	e, v := *d.Exam, p.rules.Validity
	c := proof.Check{Method: proof.PhysicalUVIR, Part: partValidity, By: e.By, Event: e.Event}
	months := v.UVIRMonths
	switch {
	case !within(e.Trained.UVIR, today, v.UVIRMonths):
		c.Reason = codeUVIRNotTrained
	case !within(e.Templates, today, v.UVIRTemplateMonths):
		c.Reason, months = codeUVIRTemplatesOld, v.UVIRTemplateMonths
	case p.seen(e, t) < v.ExaminedFeatures:
		c.Reason = codeFeaturesTooFew
	default:
		c.Score, c.Reason = 3, codeValidityUVIR
	}
	f.conclude(c, "months", strconv.Itoa(months), "seen", strconv.Itoa(p.seen(e, t)), "needed", strconv.Itoa(v.ExaminedFeatures))
	return f
}

// chipped scores 3 for a chip that proved genuine, 2 where nothing is known of
// its signer's revocation. A chip that could not be verified takes nothing away.
func chipped(c *ChipCheck) finding {
	var f finding
	if c == nil {
		return f
	}
	check := proof.Check{Method: proof.Cryptographic, Part: partValidity, By: c.By, Event: c.Event}
	switch {
	case c.genuine():
		check.Score, check.Reason = 3, codeValidityChip
	case c.Verdict != proof.ChipGenuine:
		check.Reason = codeChipNoTrustAnchor
	case c.Clone == proof.CloneNotChecked:
		check.Reason = codeChipCloneNotExcluded
	default:
		check.Score, check.Reason = 2, codeChipRevocationNotKnown
	}
	f.conclude(check)
	return f
}

// genuine reports a chip that counts in full: authentic data, no copy unless
// the state protects against none, and a signer that is not revoked.
func (c *ChipCheck) genuine() bool {
	return c != nil && c.Verdict == proof.ChipGenuine &&
		(c.Clone == proof.CloneExcluded || c.Clone == proof.CloneNoProtection) &&
		(c.Revocation == proof.RevocationGood || c.Revocation == proof.RevocationStale || c.Revocation == proof.RevocationNotPublished)
}

// failed is the code of a chip that speaks against its document, "" for none. A
// chip whose issuer is not known does not.
func (c ChipCheck) failed() proof.Code {
	if c.Clone == proof.CloneFailed {
		return codeChipCloned
	}
	switch c.Verdict {
	case proof.ChipIntegrityFailed:
		return codeChipIntegrity
	case proof.ChipSignatureFailed:
		return codeChipSignature
	case proof.ChipCertificateUnfit:
		return codeChipUntrusted
	case proof.ChipRevoked:
		return codeChipSignerRevoked
	case proof.ChipOtherDocument:
		return proof.DataMismatch
	}
	return ""
}

// recorded scores 2 for details that an authoritative source has.
func recorded(r *RecordCheck) finding {
	var f finding
	if r == nil {
		return f
	}
	c := proof.Check{Method: proof.RecordData, Part: partValidity, By: r.By, Event: r.Event}
	switch {
	case !r.Matched:
		c.Reason = codeRecordNotMatched
	case r.Clear:
		c.Score, c.Reason = 2, codeValidityRecordClear
	default:
		c.Score, c.Reason = 2, codeValidityRecord
	}
	f.conclude(c)
	return f
}
