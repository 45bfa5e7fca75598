package gpg45

import (
	"strconv"

	"github.com/counterproof/counterproof/agent/proof"
)

// partVerification names the part of proof.Check.
const partVerification = "verification"

// verification scores the comparison of the person with the photo of a
// document: the operator's own, capped by the age of the training. The machine
// scores nothing; its "another person" withholds the level whatever the
// operator says.
func (p *Policy) verification(d Document, t TypeInfo, today proof.Date, validity int) finding {
	f := machine(d.Machine)
	if d.Person == nil {
		return f
	}
	rules := p.rules.Verifying
	c := proof.Check{Method: d.Person.Method, Part: partVerification, By: d.Person.By, Event: d.Person.Event,
		Reason: p.refusal(*d.Person, t, today, validity)}
	months := rules.ComparedMonths
	switch {
	case c.Reason == proof.FaceDifferent:
		f.withhold(c.Reason)
	case c.Reason != "":
	case within(d.Person.Trained.Impostor, today, rules.RecentMonths):
		months = rules.RecentMonths
		c.Score, c.Reason = rules.RecentScore, codeComparedRecently
	default:
		c.Score, c.Reason = rules.ComparedScore, codeCompared
	}
	if c.Method == proof.PersonRemote && c.Score > 0 {
		c.Score, c.Reason = min(c.Score, rules.RemoteScore), codeComparedRemotely
	}
	f.conclude(c, "months", strconv.Itoa(months))
	return f
}

// refusal is why a comparison scores nothing, "" where it scores.
func (p *Policy) refusal(c PersonCheck, t TypeInfo, today proof.Date, validity int) proof.Code {
	switch {
	case c.Answer == proof.Different:
		return proof.FaceDifferent
	case c.Answer == proof.NotSure:
		return proof.FaceUnsure
	case c.Answer == proof.NotTrained:
		return proof.OperatorNotTrained
	case c.Answer != proof.Same, c.Method != proof.PersonInPerson && c.Method != proof.PersonRemote:
		return proof.FaceNotCompared
	case !t.Photo:
		return codeNoPhoto
	case validity < p.rules.Verifying.NeedsValidity:
		return codePhotoNotGenuine
	case !within(c.Trained.Impostor, today, p.rules.Verifying.ComparedMonths):
		return proof.OperatorNotTrained
	}
	return ""
}

// machine records a machine's comparison of the faces.
func machine(m *MachineCheck) finding {
	var f finding
	if m == nil {
		return f
	}
	c := proof.Check{Method: proof.BiometricPresent, Part: partVerification, By: bySystem, Event: m.Event, Reason: codeMachineAid}
	if m.Decision == proof.NoMatch {
		c.Reason = proof.FaceDifferent
		f.withhold(c.Reason)
	}
	f.conclude(c, "decision", string(m.Decision))
	return f
}
