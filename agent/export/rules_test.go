package export

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"
)

// A checker of verified_claims of its own, written from the rules of OpenID
// Identity Assurance and of the drafts of its schema, and sharing nothing with
// the writer. It names every fault in a closed word.

// object and list are JSON.
type (
	object = map[string]any
	list   = []any
)

// inspector collects faults.
type inspector struct {
	faults []string
	checks map[string]bool // check_id of every check
	txns   map[string]bool
}

// fault notes one, once.
func (i *inspector) fault(word string) {
	if !slices.Contains(i.faults, word) {
		i.faults = append(i.faults, word)
	}
}

// text wants a string that says something.
func (i *inspector) text(o object, key, word string) string {
	s, _ := o[key].(string)
	if s == "" {
		i.fault(word)
	}
	return s
}

// strings wants strings where there is anything.
func (i *inspector) strings(o object, keys ...string) {
	for _, key := range keys {
		if _, text := o[key].(string); o[key] != nil && !text {
			i.fault("not-a-string/" + key)
		}
	}
}

// dates wants days of the calendar where there is anything.
func (i *inspector) dates(o object, keys ...string) {
	for _, key := range keys {
		s, text := o[key].(string)
		if _, err := time.Parse(time.DateOnly, s); o[key] != nil && (!text || err != nil) {
			i.fault("not-a-date/" + key)
		}
	}
}

// times wants minutes in UTC where there is anything.
func (i *inspector) times(o object) {
	s, text := o["time"].(string)
	if _, err := time.Parse("2006-01-02T15:04Z", s); o["time"] != nil && (!text || err != nil) {
		i.fault("not-a-time")
	}
}

// only wants no other keys.
func (i *inspector) only(o object, keys ...string) {
	for key := range o {
		if !slices.Contains(keys, key) {
			i.fault("unknown-key/" + key)
		}
	}
}

// inspect names the faults of an export, sorted.
func inspect(text []byte) []string {
	i := &inspector{checks: map[string]bool{}, txns: map[string]bool{}}
	var whole object
	if err := json.Unmarshal(text, &whole); err != nil {
		return []string{"no-json"}
	}
	i.only(whole, "verified_claims", "x_nhs")
	claims, _ := whole["verified_claims"].(object)
	i.only(claims, "verification", "claims")
	if who, _ := claims["claims"].(object); len(who) == 0 {
		i.fault("no-claims")
	}
	if v, ok := claims["verification"].(object); ok {
		i.verification(v)
	} else {
		i.fault("no-verification")
	}
	slices.Sort(i.faults)
	return i.faults
}

func (i *inspector) verification(v object) {
	i.text(v, "trust_framework", "no-trust-framework")
	i.strings(v, "assurance_level", "verification_process")
	i.times(v)
	evidence, isList := v["evidence"].(list)
	if v["evidence"] != nil && (!isList || len(evidence) == 0) {
		i.fault("empty-evidence")
	}
	for _, e := range evidence {
		if e, ok := e.(object); ok {
			i.evidence(e)
		} else {
			i.fault("evidence-no-object")
		}
	}
	process, _ := v["assurance_process"].(object)
	i.strings(process, "policy", "procedure")
	details, _ := process["assurance_details"].(list)
	for _, d := range details {
		d, _ := d.(object)
		i.strings(d, "assurance_type", "assurance_classification")
		refs, _ := d["evidence_ref"].(list)
		if len(refs) == 0 {
			i.fault("no-evidence-ref")
		}
		for _, r := range refs {
			r, _ := r.(object)
			i.ref(r)
		}
	}
}

// ref wants a name that a check has, by either way of joining.
func (i *inspector) ref(r object) {
	id, txn := i.text(r, "check_id", "no-check-id"), i.text(r, "txn", "no-txn")
	if id != "" && !i.checks[id] || txn != "" && !i.txns[txn] {
		i.fault("dangling-ref")
	}
}

// required are the kinds of evidence, each with the object whose type it needs.
var required = map[string]string{
	"document": "document_details", "electronic_record": "record", "vouch": "attestation",
	"utility_bill": "", "electronic_signature": "",
}

func (i *inspector) evidence(e object) {
	kind := i.text(e, "type", "no-evidence-type")
	inner, known := required[kind]
	if !known && kind != "" {
		i.fault("unknown-evidence-type")
	}
	checks, _ := e["check_details"].(list)
	if len(checks) == 0 {
		i.fault("no-check-details")
	}
	for _, c := range checks {
		c, _ := c.(object)
		i.text(c, "check_method", "no-check-method")
		i.checks[i.text(c, "check_id", "no-check-id")] = true
		i.txns[i.text(c, "txn", "no-txn")] = true
		i.strings(c, "organization")
		i.times(c)
	}
	if o, _ := e[inner].(object); inner != "" && o["type"] == nil {
		i.fault("no-type/" + inner)
	}
	i.consistent(e)
}

// consistent holds the fields to one type each whatever the kind of evidence: the
// drafts of the schema apply the rules of every kind to every piece.
func (i *inspector) consistent(e object) {
	i.times(e)
	i.dates(e, "date")
	i.strings(e, "issuer", "signature_type", "serial_number", "created_at", "method")
	for _, key := range []string{"document_details", "record", "attestation", "provider"} {
		o, ok := e[key].(object)
		if e[key] == nil {
			continue
		}
		if !ok {
			i.fault("not-an-object/" + key)
		}
		i.strings(o, "type", "document_number", "personal_number", "serial_number", "reference_number")
		i.dates(o, "date_of_issuance", "date_of_expiry", "created_at")
		for _, party := range []string{"issuer", "source", "voucher"} {
			who, ok := o[party].(object)
			if o[party] != nil && !ok {
				i.fault("not-an-object/" + party)
			}
			i.strings(who, "name", "country", "country_code", "jurisdiction", "occupation", "organization")
			i.dates(who, "birthdate")
		}
	}
}

// sabotage spoils an export that is right, in one way each; the checker must
// find that and nothing else.
var sabotage = map[string]struct {
	at   []any // path: keys and places
	to   any   // nil takes it away
	want string
}{
	"no trust_framework":      {at: path("verification", "trust_framework"), want: "no-trust-framework"},
	"empty trust_framework":   {at: path("verification", "trust_framework"), to: "", want: "no-trust-framework"},
	"no verification":         {at: path("verification"), want: "no-verification"},
	"no claims":               {at: path("claims"), want: "no-claims"},
	"empty claims":            {at: path("claims"), to: object{}, want: "no-claims"},
	"unknown evidence type":   {at: piece(0, "type"), to: "selfie", want: "unknown-evidence-type"},
	"no evidence type":        {at: piece(0, "type"), want: "no-evidence-type"},
	"no check_method":         {at: piece(0, "check_details", 0, "check_method"), want: "no-check-method"},
	"no check_id":             {at: path("verification", "assurance_process", "assurance_details", 0, "evidence_ref", 0, "check_id"), want: "no-check-id"},
	"no txn":                  {at: path("verification", "assurance_process", "assurance_details", 0, "evidence_ref", 0, "txn"), want: "no-txn"},
	"no document type":        {at: piece(0, "document_details", "type"), want: "no-type/document_details"},
	"no document_details":     {at: piece(0, "document_details"), want: "no-type/document_details"},
	"no record type":          {at: piece(1, "record", "type"), want: "no-type/record"},
	"no attestation type":     {at: piece(2, "attestation", "type"), want: "no-type/attestation"},
	"ref to nothing":          {at: path("verification", "assurance_process", "assurance_details", 0, "evidence_ref", 0, "check_id"), to: "x", want: "dangling-ref"},
	"no evidence":             {at: path("verification", "evidence"), to: list{}, want: "dangling-ref empty-evidence"},
	"29 February 2023":        {at: piece(0, "document_details", "date_of_expiry"), to: "2023-02-29", want: "not-a-date/date_of_expiry"},
	"day first":               {at: piece(2, "attestation", "voucher", "birthdate"), to: "13-04-1975", want: "not-a-date/birthdate"},
	"time as a number":        {at: path("verification", "time"), to: 1, want: "not-a-time"},
	"check time with seconds": {at: piece(0, "check_details", 0, "time"), to: "2026-11-22T16:05:00+01:00", want: "not-a-time"},
	"number as a number":      {at: piece(0, "document_details", "document_number"), to: 1, want: "not-a-string/document_number"},
	"issuer as a name":        {at: piece(0, "document_details", "issuer"), to: "DVLA", want: "not-an-object/issuer"},
	"issuer of the piece":     {at: piece(0, "issuer"), to: object{}, want: "not-a-string/issuer"},
	"date of the piece":       {at: piece(1, "date"), to: "yesterday", want: "not-a-date/date"},
	"level beside":            {at: path("x_nhs"), to: "P9", want: "unknown-key/x_nhs"},
	"no checks":               {at: piece(1, "check_details"), want: "dangling-ref no-check-details"},
}

// path is a place in verified_claims.
func path(steps ...any) []any { return append([]any{"verified_claims"}, steps...) }

// piece is a place in a piece of evidence.
func piece(n int, steps ...any) []any { return append(path("verification", "evidence", n), steps...) }

// spoil changes what is at a path.
func spoil(o any, at []any, to any) {
	switch step := at[0].(type) {
	case string:
		if len(at) > 1 {
			spoil(o.(object)[step], at[1:], to)
			return
		}
		if o.(object)[step] = to; to == nil {
			delete(o.(object), step)
		}
	case int:
		spoil(o.(list)[step], at[1:], to)
	}
}

// jwtForm is a JWT in compact form.
var jwtForm = regexp.MustCompile(`^[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{86}$`)
