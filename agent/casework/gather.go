package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// patience is how long a visit waits for the earlier one that it continues: its
// counter may be without a line.
const patience = 48 * time.Hour

// Bounds of joining: how many visits back, and how many with one reference are
// looked at.
const (
	maxEarlier = 5
	maxSame    = 8
)

// join fetches the visits that this one continues. A reference that nobody knows
// may be of a counter without a line, so it is waited for a while.
func (j *job) join(ctx context.Context) (pause, error) {
	ref, seen := wire.Ref(j.o.State.Visit.Continues), []*entry{j.e}
	for range maxEarlier {
		if ref == "" {
			break
		}
		before, found, p := j.earlier(ctx, ref, seen)
		if p.why != "" {
			return p, nil
		}
		if found == nil {
			break
		}
		j.known.Earlier = append(j.known.Earlier, before.State)
		seen, j.joined = append(seen, found), append(j.joined, found.rec)
		ref = wire.Ref(before.State.Visit.Continues)
	}
	nothing := len(j.book.refs[wire.Ref(j.o.State.Visit.Continues)]) == 0
	if j.o.State.Visit.Continues != "" && nothing && time.Since(j.e.since) < patience {
		return pause{why: waitEarlier}, nil
	}
	return pause{}, nil
}

// earlier finds the visit of a reference that may be joined: of the same person,
// and not held back. References are short, and a counter chooses them: whoever
// else has the same one is passed over. One that was not held against the limit
// list yet is waited for.
func (j *job) earlier(ctx context.Context, ref wire.Ref, seen []*entry) (Opened, *entry, pause) {
	same := j.book.refs[ref]
	for _, e := range same[:min(len(same), maxSame)] {
		held := len(e.unseen(slices.Concat(e.Findings, e.codes)...)) > 0
		if slices.Contains(seen, e) || e.Damaged || e.Nothing || e.failed || e.stage == stageReview || held {
			continue
		}
		if !e.listed {
			return Opened{}, nil, pause{why: waitEarlier}
		}
		o, p := j.fetch(ctx, e)
		if p.why != "" {
			return Opened{}, nil, p
		}
		if e.withdrawn {
			o.State = withoutVouches(o.State)
		}
		if verdict.Continues(j.o.State, o.State) {
			return o, e, pause{}
		}
	}
	return Opened{}, nil, pause{}
}

// vouchers finds what a voucher's own visit proved, where the vouch names it. One
// that is not decided is waited for, and for a while one that is not here.
func (j *job) vouchers(context.Context) pause {
	j.known.Vouchers = map[int]proof.Level{}
	for _, piece := range j.o.State.Pieces() {
		v := piece.Vouch
		if v == nil || v.Proofing == "" || !v.Present { // a letter that quotes a reference stays a letter
			continue
		}
		named := j.book.refs[wire.Ref(v.Proofing)]
		if len(named) == 0 && time.Since(j.e.since) < patience {
			return pause{why: waitEarlier}
		}
		for _, e := range named {
			theirs := e.person != "" && e.person == j.tags.Person(v.Voucher)
			switch {
			case e.vouch || e.stage == stageReview:
			case e.ruling == nil && e.stage == stageDue:
				return pause{why: waitEarlier}
			case e.ruling != nil && theirs:
				j.known.Vouchers[v.Event] = e.ruling.Level
			}
		}
	}
	return pause{}
}

// askSources asks what the sources know of the patient and the documents.
func (j *job) askSources(ctx context.Context) pause {
	s := j.o.State
	person, postcode := s.Claimed(), postcode(s)
	var questions []source.Question
	for _, c := range source.OfPerson() {
		questions = append(questions, source.Question{Check: c, Person: person, Postcode: postcode, Today: today()})
	}
	questions = append(questions, ofDocuments(s.Subject)...)
	j.answers = source.Ask(ctx, j.cfg.Sources, questions)
	if source.AnyDown(j.answers) {
		return pause{why: waitSources}
	}
	j.known.Sources, j.known.Documents = source.Scores(j.answers, j.policy.Unconfirmed())
	j.hits = slices.Clone(j.known.Sources.Hits)
	for _, d := range j.known.Documents {
		if d.Hit && !slices.Contains(j.hits, codeDocumentHit) {
			j.hits = append(j.hits, codeDocumentHit)
		}
	}
	return j.askOthers(ctx)
}

// ofDocuments are the questions about the documents that somebody showed.
func ofDocuments(who route.Subject) (questions []source.Question) {
	for _, piece := range who.Pieces() {
		if piece.Number() == "" || who.Linked(piece) != "" {
			continue
		}
		d := source.Document{Type: piece.Type(), Issuer: piece.Issuer(), Number: piece.Number()}
		for _, c := range source.OfDocument() {
			questions = append(questions, source.Question{Check: c, Person: who.Claimed(), Today: today(), Document: d, Event: piece.Event()})
		}
	}
	return questions
}

// askOthers asks about the documents of whoever vouches or acts for the patient,
// and of earlier visits. A hit holds the case; an earlier visit with one counts
// for nothing, whatever people say.
func (j *job) askOthers(ctx context.Context) pause {
	var earlier []route.State
	hit := false
	for i, s := range slices.Concat([]route.State{j.o.State}, j.known.Earlier) {
		people := s.Parties()
		if i == 0 {
			people = people[1:] // the patient was asked about
		}
		listed, p := j.listed(ctx, people)
		if p.why != "" {
			return p
		}
		hit = hit || listed
		if i > 0 && !listed {
			earlier = append(earlier, s)
		}
	}
	if j.known.Earlier = earlier; hit {
		j.hits = append(j.hits, codeDocumentHit)
		j.known.Hold = j.e.unseen(codeDocumentHit)
	}
	return pause{}
}

// listed reports a lost, stolen or cancelled document of some people of a visit.
func (j *job) listed(ctx context.Context, people []route.Subject) (listed bool, p pause) {
	var questions []source.Question
	for _, who := range people {
		questions = append(questions, ofDocuments(who)...)
	}
	answers := source.Ask(ctx, j.cfg.Sources, questions)
	if source.AnyDown(answers) {
		return false, pause{why: waitSources}
	}
	_, documents := source.Scores(answers, j.policy.Unconfirmed())
	for _, d := range documents {
		listed = listed || d.Hit
	}
	return listed, pause{}
}

// errNoPractice is why details wait for people.
var errNoPractice = errors.New("no system of GP practices is configured")

// askPractice asks whether the practice's system issued the details, and tells
// the site where that is not known yet.
func (j *job) askPractice(ctx context.Context) (pause, error) {
	p := j.verify(ctx)
	if p.why == "" || ctx.Err() != nil {
		return p, ctx.Err()
	}
	return p, j.tell(ctx, j.e, wire.NoticeDetailsPending)
}

// verify asks the practice's system about details, if there are any.
func (j *job) verify(ctx context.Context) pause {
	p := j.o.State.Practice
	if p == nil {
		return pause{}
	}
	if j.cfg.Practice == nil {
		return pause{waitPractice, Delay{Alarm: true, Err: errNoPractice}}
	}
	v := j.cfg.Practice.Verify(ctx, source.Details{ODS: p.ODS, Account: p.Account, Key: p.Key, Person: j.o.State.Claimed()})
	switch v.Acceptance {
	case source.Accepted:
		j.known.Details, j.number = nhs.DetailsAccepted, v.Number
	case source.Refused:
		j.known.Refused = true
	default:
		return pause{why: waitPractice}
	}
	return pause{}
}

// askContacts asks whether the contact details were confirmed.
func (j *job) askContacts(ctx context.Context) pause {
	p := j.o.State.Preferences
	if j.cfg.Contacts == nil || p == nil || p.Email == "" || p.Mobile == "" {
		return pause{}
	}
	confirmed, ok := j.cfg.Contacts.Confirmed(ctx, p.Email, p.Mobile)
	if !ok {
		return pause{why: waitContacts}
	}
	j.known.Contact = confirmed
	return pause{}
}

// askRecord asks for the patient's NHS record.
func (j *job) askRecord(ctx context.Context) pause {
	m, d := j.cfg.Records.Match(ctx, j.claimed())
	if d != nil {
		return pause{waitRecords, *d}
	}
	j.match = &m
	if m.Record == nhs.Stopped && m.Live && !j.stopped() {
		j.match.Record = nhs.OneExact // people looked at it
	}
	if j.match.Record == nhs.OneExact {
		j.number = m.Number
	}
	return pause{}
}

// claimed is the patient, as the search for the record takes one.
func (j *job) claimed() Claimed {
	s := j.o.State
	c := Claimed{Person: s.Claimed(), Postcode: postcode(s), ODS: j.ods(s), Rec: j.o.Rec}
	if s.Claim != nil {
		if n, err := nhs.NormaliseNumber(s.Claim.NHSNumber); err == nil && !n.Repeated() {
			c.Number = n
		}
		return c
	}
	for _, piece := range s.Pieces() {
		if piece.Holder() != (proof.Person{}) {
			c.Zone = zone(piece)
			break
		}
	}
	return c
}

// zone is how many characters the name of a document's holder had room for in
// its machine-readable zone (ICAO 9303-4, -5, -6), 0 without one.
func zone(piece route.Piece) int {
	if piece.Document == nil {
		return 0
	}
	return map[string]int{"TD3": 39, "TD2": 31, "TD1": 30}[string(piece.Document.MRZ.Format)]
}

// postcode is the patient's, as given, else as printed on a piece of evidence.
func postcode(s route.State) string {
	if s.Claim != nil && s.Claim.Postcode != "" {
		return s.Claim.Postcode
	}
	for _, piece := range s.Pieces() {
		if piece.Entered != nil && piece.Entered.Postcode != "" && s.Linked(piece) == "" {
			return piece.Entered.Postcode
		}
	}
	return ""
}

// ods is the code of the organisation that a visit's site acts for.
func (j *job) ods(s route.State) string {
	if code, named := j.cfg.Sites[s.Visit.Site]; named {
		return code
	}
	return s.Visit.Site
}
