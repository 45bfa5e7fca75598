package lds

import "github.com/counterproof/counterproof/agent/proof"

// Personal is DG11, what the issuer knows of the person besides the zone. Every
// field is optional; one that makes no sense is empty, and in Unread.
type Personal struct {
	Name           Name       // in the state's own letters, whole where the zone cuts it
	OtherNames     []Name     // aliases, religious names
	PersonalNumber string     // of the holder, not of the document
	Birth          proof.Date // with the century; parts may be unknown
	BirthPlace     []string   // town, region, state, as far as it is told
	Address        []string   // permanent, a line each
	Telephone      string
	Profession     string
	Title          string
	Summary        string   // what the state wants to say of the person
	Citizenship    Picture  // of the proof of it
	Documents      []string // numbers of other travel documents
	Custody        string
	// Unread are the tags of fields whose content makes no sense.
	Unread []uint16
}

// Tags of DG11 (§4.7.11) and of lists of names in it and in DG12.
const (
	tagFullName       tag = 0x5f0e
	tagOtherName      tag = 0x5f0f
	tagPersonalNumber tag = 0x5f10
	tagFullBirth      tag = 0x5f2b
	tagBirthPlace     tag = 0x5f11
	tagAddress        tag = 0x5f42
	tagTelephone      tag = 0x5f12
	tagProfession     tag = 0x5f13
	tagTitle          tag = 0x5f14
	tagSummary        tag = 0x5f15
	tagCitizenship    tag = 0x5f16
	tagDocuments      tag = 0x5f17
	tagCustody        tag = 0x5f18
	tagSeveral        tag = 0xa0 // wraps what there may be several of
)

// ParsePersonal reads DG11.
func ParsePersonal(b []byte) (Personal, error) {
	var p Personal
	unread, err := file(11).fields(b, map[tag]taker{
		tagFullName:       into(&p.Name, name),
		tagSeveral:        several(&p.OtherNames, tagOtherName),
		tagPersonalNumber: into(&p.PersonalNumber, text),
		tagFullBirth:      into(&p.Birth, date),
		tagBirthPlace:     into(&p.BirthPlace, lines),
		tagAddress:        into(&p.Address, lines),
		tagTelephone:      into(&p.Telephone, text),
		tagProfession:     into(&p.Profession, text),
		tagTitle:          into(&p.Title, text),
		tagSummary:        into(&p.Summary, text),
		tagCitizenship:    into(&p.Citizenship, picture),
		tagDocuments:      into(&p.Documents, lines),
		tagCustody:        into(&p.Custody, text),
	})
	p.Unread = unread
	return p, err
}

// Issue is DG12, what the issuer tells of the document. Every field is optional;
// one that makes no sense is empty, and in Unread.
type Issue struct {
	Authority    string
	Date         proof.Date // of issue
	Others       []Name     // persons who travel with the holder
	Observations string     // and endorsements
	TaxOrExit    string     // what is required for leaving the state
	Front, Rear  Picture    // of the document
	Personalised proof.Date // the day on which it was made out
	System       string     // the number of the machine that made it out
	// Unread are the tags of fields whose content makes no sense.
	Unread []uint16
}

// Tags of DG12 (§4.7.12).
const (
	tagAuthority    tag = 0x5f19
	tagOtherPerson  tag = 0x5f1a
	tagObservations tag = 0x5f1b
	tagTaxOrExit    tag = 0x5f1c
	tagFront        tag = 0x5f1d
	tagRear         tag = 0x5f1e
	tagIssueDate    tag = 0x5f26
	tagPersonalised tag = 0x5f55
	tagSystem       tag = 0x5f56
)

// ParseIssue reads DG12.
func ParseIssue(b []byte) (Issue, error) {
	var i Issue
	unread, err := file(12).fields(b, map[tag]taker{
		tagAuthority:    into(&i.Authority, text),
		tagIssueDate:    into(&i.Date, date),
		tagSeveral:      several(&i.Others, tagOtherPerson),
		tagObservations: into(&i.Observations, text),
		tagTaxOrExit:    into(&i.TaxOrExit, text),
		tagFront:        into(&i.Front, picture),
		tagRear:         into(&i.Rear, picture),
		tagPersonalised: into(&i.Personalised, moment),
		tagSystem:       into(&i.System, text),
	})
	i.Unread = unread
	return i, err
}

// Contact is a person to notify in an emergency.
type Contact struct {
	Recorded  proof.Date // when the holder named the person
	Name      Name
	Telephone string
	Address   []string // a line each
}

// Tags of DG16 (§4.7.16); the persons lie in A1, A2 and so on.
const (
	tagRecorded         tag = 0x5f50
	tagContactName      tag = 0x5f51
	tagContactTelephone tag = 0x5f52
	tagContactAddress   tag = 0x5f53
	firstContact        tag = 0xa1
	lastContact         tag = 0xaf
)

// Contacts reads DG16. A field that makes no sense is left empty.
func Contacts(b []byte) ([]Contact, error) {
	const f = file(16)
	all, err := f.objects(b)
	if err != nil {
		return nil, err
	}
	var found []Contact
	for _, o := range all {
		if o.tag < firstContact || o.tag > lastContact || len(found) == maxPeople {
			continue
		}
		about, ok := list(o.value)
		if !ok {
			return nil, f.wrong("the lengths inside it do not fit")
		}
		var c Contact
		take(about, map[tag]taker{
			tagRecorded:         into(&c.Recorded, date),
			tagContactName:      into(&c.Name, name),
			tagContactTelephone: into(&c.Telephone, text),
			tagContactAddress:   into(&c.Address, lines),
		})
		found = append(found, c)
	}
	return found, nil
}

// taker takes the content of a field, or says that it makes no sense.
type taker func([]byte) bool

// into puts what a field holds where it belongs. What makes no sense leaves the
// place as it was.
func into[T any](to *T, read func([]byte) (T, bool)) taker {
	return func(b []byte) bool {
		v, ok := read(b)
		if ok {
			*to = v
		}
		return ok
	}
}

// several puts the names of a list where they belong. The list begins with how
// many there are, which is not believed.
func several(to *[]Name, t tag) taker {
	return func(b []byte) bool {
		all, ok := list(b)
		for _, o := range all {
			if o.tag != t || len(*to) == maxPeople {
				continue
			}
			n, good := name(o.value)
			if !good {
				ok = false
				continue
			}
			*to = append(*to, n)
		}
		return ok
	}
}

// fields reads the fields of a file and lists those that make no sense.
func (f file) fields(b []byte, takers map[tag]taker) (unread []uint16, err error) {
	all, err := f.objects(b)
	if err != nil {
		return nil, err
	}
	return take(all, takers), nil
}

// take gives each field to its taker, the first of a kind only: a second one
// could say something else to another reader.
func take(all []object, takers map[tag]taker) (unread []uint16) {
	for _, o := range all {
		t, wanted := takers[o.tag]
		if !wanted {
			continue
		}
		delete(takers, o.tag)
		if !t(o.value) {
			unread = append(unread, uint16(o.tag))
		}
	}
	return unread
}
