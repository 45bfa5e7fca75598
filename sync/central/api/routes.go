// Package api is the table of what the centre can be asked over HTTP, and the
// OpenAPI 3.1 document that is made of it. The centre's own mux is made of the
// same table, so the two cannot differ.
//
// It answers no request and decides nothing: a route names who may ask, how much
// may be sent and what can come back.
//
// # The laws
//
//   - Every route that the centre answers stands in Routes, and nothing else.
//   - A body has a bound, and the bound is the one that the centre enforces.
//   - Every answer that a route can give is named with its status. 503 is one of
//     every route: whoever asks waits as long as Retry-After says.
package api

import (
	"net/http"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Bounds of bodies, in bytes.
const (
	// MaxEnrol bounds an enrolment; a real one is under 2 KiB.
	MaxEnrol = 16 << 10
	// MaxRecord bounds a record whose large parts went ahead.
	MaxRecord = 16 + wire.MaxHeader + wire.MaxSignature + wire.MaxParts*(wire.MaxInline+4)
	// MaxAck bounds an acknowledgement of notices.
	MaxAck = 1 << 10
	// MaxNotices bounds a posted run of notices, of which a real one is under 500.
	MaxNotices = wire.MaxPosted << 10
	// MaxRecipients bounds the keys that an opener hands in.
	MaxRecipients = 256 << 10
	// MaxFlags bounds a run of flags.
	MaxFlags = MaxFlagged * (128 + wire.MaxFlagged*72)
	// MaxProof bounds a question about the log; a real one is under 1 KiB.
	MaxProof = 2 * wire.MaxSeen
	// MaxLeaves bounds a run of 100 leaves.
	MaxLeaves = 100 << 9
)

// MaxFlagged is how many flags are posted at a time (a count).
const MaxFlagged = 100

// Anyone is the role of a route that every enrolled agent may use; Nobody that
// of one that needs no enrolment.
const (
	Anyone store.Role = "agent"
	Nobody store.Role = ""
)

// Media types.
const (
	JSON  = "application/json"
	Bytes = "application/octet-stream"
)

// Route is one thing that the centre can be asked.
type Route struct {
	Name    string // unique, for the document and for the centre's handler
	Method  string
	Path    string // with {names}, as net/http writes patterns
	Role    store.Role
	Summary string
	Params  []Param
	Body    *Body // nil for none
	Answers []Answer
}

// Pattern is the route as net/http.ServeMux reads it.
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// May reports whether an agent of a role, or who has none, may use the route.
func (r Route) May(role store.Role) bool {
	return r.Role == role || r.Role == Nobody || r.Role == Anyone && role != Nobody
}

// Body is what is sent along.
type Body struct {
	Media string
	Limit int64 // bytes
	Of    any   // a value of the type that JSON is read into; nil for bytes
}

// Param is a part of a path, a query's field or a header.
type Param struct {
	In, Name string // path, query or header
	Means    string
	Required bool
	Pattern  string // regular expression of a text; empty for a number
	Most     uint64 // the largest number; 0 for a text
	Least    uint64
}

// Answer is one of the ways in which a route can end.
type Answer struct {
	Status  int
	Means   string
	Media   string // empty for no body
	Of      any    // a value of the type that JSON is written from
	Headers []string
}

// Flags is the body of posted flags.
type Flags struct {
	Flags []wire.Flag `json:"flags" maxItems:"100"`
}

const (
	hexHash = "^[0-9a-f]{64}$"
	name    = "^[a-z0-9-]{1,64}$"
	number  = 1<<63 - 1
)

// Parameters that several routes have.
func agent() Param {
	return Param{In: "path", Name: "agent", Means: "the agent who speaks", Required: true, Pattern: name}
}

func sha() Param {
	return Param{In: "path", Name: "sha256", Means: "SHA-256 of the whole", Required: true, Pattern: hexHash}
}

// list are the fields of a list that is read in pages.
func list(most uint64) []Param {
	return []Param{
		{In: "query", Name: "after", Means: "the place before the first that is wanted; 0 by default", Most: number},
		{In: "query", Name: "limit", Means: "how many at most; 100 by default", Least: 1, Most: most},
	}
}

// verdict is an answer whose body is a wire.Answer.
func verdict(status int, means string) Answer {
	return Answer{Status: status, Means: means, Media: JSON, Of: wire.Answer{}}
}

// full is the answer of a route that worked.
func full(means string, of any) Answer {
	return Answer{Status: http.StatusOK, Means: means, Media: JSON, Of: of}
}

// empty is an answer without a body.
func empty(status int, means string, headers ...string) Answer {
	return Answer{Status: status, Means: means, Headers: headers}
}

// shed comes from every route.
func shed() Answer {
	a := verdict(http.StatusServiceUnavailable, "the centre is busy or failed; it is unclear what was done: ask again")
	a.Headers = []string{"Retry-After"}
	return a
}

// Names of headers of a resumable upload.
const (
	HeaderOffset   = "Upload-Offset"
	HeaderComplete = "Upload-Complete"
)

// Routes is the table, whole.
func Routes() []Route {
	var all []Route
	for _, group := range [][]Route{enrolment(), ingest(), news(), trust(), opener(), log()} {
		for _, r := range group {
			r.Answers = append(r.Answers, common(r)...)
			all = append(all, r)
		}
	}
	return all
}

// common are the answers that every route of its sort has.
func common(r Route) []Answer {
	out := []Answer{shed()}
	if r.Role != Nobody {
		out = append(out, verdict(http.StatusForbidden, "the certificate is of no active agent that may ask this"))
	}
	if r.Body != nil && r.Body.Of != nil {
		out = append(out,
			verdict(http.StatusBadRequest, "the body is cut or is not what it should be"),
			verdict(http.StatusRequestEntityTooLarge, "the body is larger than it may be"))
	}
	return out
}

// enrolment is how an agent becomes one and stays one.
func enrolment() []Route {
	answer := wire.EnrolAnswer{}
	body := &Body{JSON, MaxEnrol, wire.EnrolRequest{}}
	return []Route{
		{
			Name: "enrol", Method: http.MethodPost, Path: "/v1/enrol", Role: Nobody, Body: body,
			Summary: "Spend a one-time code for an identity",
			Answers: []Answer{full("the identity", answer),
				{Status: http.StatusAccepted, Means: "a second person must approve; ask again", Media: JSON, Of: answer, Headers: []string{"Retry-After"}},
				verdict(http.StatusForbidden, "the code is wrong, used or too old")},
		},
		{
			Name: "renew", Method: http.MethodPost, Path: "/v1/renew", Role: Anyone, Body: body,
			Summary: "Get a new certificate for the same key; one up to 90 days past its end, or of the site before a move, will do",
			Answers: []Answer{full("the identity", answer)},
		},
		{
			Name: "openapi", Method: http.MethodGet, Path: "/v1/openapi.json", Role: Nobody,
			Summary: "This document",
			Answers: []Answer{{Status: http.StatusOK, Means: "OpenAPI 3.1", Media: JSON, Of: map[string]any{}}},
		},
	}
}

// ingest takes records.
func ingest() []Route {
	progress := []string{HeaderOffset, HeaderComplete}
	return []Route{
		{
			Name: "blobProgress", Method: http.MethodHead, Path: "/v1/blobs/{sha256}", Role: store.Counter, Params: []Param{sha()},
			Summary: "How far the upload of a large part has come",
			Answers: []Answer{empty(http.StatusNoContent, "so far", progress...), empty(http.StatusBadRequest, "no hash")},
		},
		{
			Name: "putBlob", Method: http.MethodPatch, Path: "/v1/blobs/{sha256}", Role: store.Counter,
			Summary: "Upload a large part, or the rest of it (draft-ietf-httpbis-resumable-upload)",
			Params: []Param{sha(),
				{In: "header", Name: HeaderOffset, Means: "where the body begins in the part", Required: true, Most: number},
				{In: "header", Name: HeaderComplete, Means: "?1 where the body ends the part", Pattern: `^\?[01]$`}},
			Body: &Body{Bytes, wire.MaxPart, nil},
			Answers: []Answer{empty(http.StatusCreated, "it is whole", progress...), empty(http.StatusNoContent, "so far", progress...),
				empty(http.StatusBadRequest, "not the bytes that it is named by, cut short, or no hash", progress...),
				empty(http.StatusConflict, "it goes on elsewhere", progress...),
				empty(http.StatusLengthRequired, "the body has no length"),
				empty(http.StatusRequestEntityTooLarge, "larger than a part may be", progress...)},
		},
		{
			Name: "postRecord", Method: http.MethodPost, Path: "/v1/agents/{agent}/records/{seq}", Role: store.Counter,
			Summary: "Send the next record of the chain",
			Params: []Param{agent(),
				{In: "path", Name: "seq", Means: "the record's number", Required: true, Least: 1, Most: number},
				{In: "header", Name: "Idempotency-Key", Means: "the record's hash", Required: true, Pattern: hexHash}},
			Body: &Body{Bytes, MaxRecord, nil},
			Answers: []Answer{verdict(http.StatusOK, "stored, now or before; the receipt proves it"),
				verdict(http.StatusBadRequest, "altered on the way: send it again"),
				verdict(http.StatusConflict, "another record has its number: the agent is quarantined"),
				verdict(http.StatusRequestEntityTooLarge, "the body is larger than it may be"),
				verdict(http.StatusUnprocessableEntity, "refused for ever; the refusal proves it"),
				verdict(http.StatusFailedDependency, "parts are missing: send those first"),
				verdict(http.StatusTooEarly, "a gap: send from expect on"),
				verdict(http.StatusUpgradeRequired, "the program is too old")},
		},
		{
			Name: "postRun", Method: http.MethodPost, Path: "/v1/agents/{agent}/records", Role: store.Counter,
			Summary: "Send records that follow each other in the chain, to catch up: each after its 4-byte length, at most 50",
			Params:  []Param{agent(), {In: "header", Name: "Idempotency-Key", Means: "SHA-256 of the body", Required: true, Pattern: hexHash}},
			Body:    &Body{Bytes, wire.MaxRunBytes, nil},
			Answers: []Answer{full("an answer for each record from the first on, up to where the centre stopped", wire.Answers{}),
				verdict(http.StatusBadRequest, "altered on the way: send it again"),
				verdict(http.StatusConflict, "the agent is quarantined"),
				verdict(http.StatusRequestEntityTooLarge, "the body is larger than it may be"),
				verdict(http.StatusUpgradeRequired, "the program is too old")},
		},
		{
			Name: "state", Method: http.MethodGet, Path: "/v1/agents/{agent}/state", Role: store.Counter, Params: []Param{agent()},
			Summary: "Where the centre stands with a counter",
			Answers: []Answer{full("the state", wire.State{})},
		},
	}
}

// news brings notices to a counter.
func news() []Route {
	return []Route{
		{
			Name: "notices", Method: http.MethodGet, Path: "/v1/agents/{agent}/notices", Role: store.Counter,
			Summary: "The news for a counter", Params: append([]Param{agent()}, list(wire.MaxNotices)...),
			Answers: []Answer{full("a run of its list", wire.NoticePage{}), empty(http.StatusBadRequest, "no place in a list")},
		},
		{
			Name: "ackNotices", Method: http.MethodPost, Path: "/v1/agents/{agent}/notices/ack", Role: store.Counter,
			Summary: "Say that the news is on the counter's own disk", Params: []Param{agent()}, Body: &Body{JSON, MaxAck, wire.NoticeAck{}},
			Answers: []Answer{full("what was acknowledged", wire.NoticeAck{}), verdict(http.StatusConflict, "the list does not reach so far")},
		},
	}
}

// trust hands out what all are told.
func trust() []Route {
	return []Route{
		{
			Name: "bundle", Method: http.MethodGet, Path: "/v1/trust/bundle", Role: Anyone,
			Summary: "The signed bundle: keys, settings, and which files belong to it",
			Answers: []Answer{full("the bundle; body holds a wire.Bundle as JSON", wire.Signed{})},
		},
		{
			Name: "trustFile", Method: http.MethodGet, Path: "/v1/trust/files/{sha256}", Role: Anyone,
			Summary: "A file that the bundle names, or a piece of it",
			Params:  []Param{sha(), {In: "header", Name: "Range", Means: "the piece that is wanted (RFC 9110 section 14.2)", Pattern: "^bytes=[0-9]{1,9}-[0-9]{1,9}$"}},
			Answers: []Answer{{Status: http.StatusOK, Means: "its bytes", Media: Bytes},
				{Status: http.StatusPartialContent, Means: "the piece", Media: Bytes, Headers: []string{"Content-Range"}},
				{Status: http.StatusRequestedRangeNotSatisfiable, Means: "it has no such piece", Media: "text/plain", Headers: []string{"Content-Range"}}, empty(http.StatusBadRequest, "no hash"),
				empty(http.StatusNotFound, "the bundle names no such file, or this machine has not got it")},
		},
	}
}

// opener is for the openers.
func opener() []Route {
	return []Route{
		{
			Name: "openerRecords", Method: http.MethodGet, Path: "/v1/opener/records", Role: store.Opener, Params: list(1000),
			Summary: "Stored records in the log's order, each with its receipt; the delivery has an end",
			Answers: []Answer{{Status: http.StatusOK, Means: "a delivery (CPD1)", Media: Bytes}, empty(http.StatusBadRequest, "no place in a list")},
		},
		{
			Name: "putRecipients", Method: http.MethodPut, Path: "/v1/opener/recipients", Role: store.Opener,
			Summary: "Hand in the keys that parts are sealed to from now on", Body: &Body{JSON, MaxRecipients, []wire.Recipient{}},
			Answers: []Answer{full("the bundle that has them", wire.Signed{})},
		},
		{
			Name: "openerNotices", Method: http.MethodGet, Path: "/v1/opener/notices", Role: store.Opener, Params: list(wire.MaxNotices),
			Summary: "The opener's own list of news",
			Answers: []Answer{full("a run of its list", wire.NoticePage{}), empty(http.StatusBadRequest, "no place in a list")},
		},
		{
			Name: "postNotices", Method: http.MethodPost, Path: "/v1/opener/notices", Role: store.Opener,
			Summary: "Post a run of the opener's list of news", Body: &Body{JSON, MaxNotices, []wire.Placed{}},
			Answers: []Answer{verdict(http.StatusOK, "held, now or before"),
				verdict(http.StatusConflict, "another notice is at a place"), verdict(http.StatusTooEarly, "a gap: post from expect on")},
		},
		{
			Name: "postFlags", Method: http.MethodPost, Path: "/v1/opener/flags", Role: store.Opener,
			Summary: "Ask the office to look at records", Body: &Body{JSON, MaxFlags, Flags{}},
			Answers: []Answer{empty(http.StatusNoContent, "kept; the same again changes nothing")},
		},
	}
}

// log shows what the centre's log holds.
func log() []Route {
	return []Route{
		{
			Name: "checkpoint", Method: http.MethodGet, Path: "/v1/log/checkpoint", Role: Anyone,
			Summary: "The log's newest checkpoint (C2SP tlog-checkpoint)",
			Answers: []Answer{{Status: http.StatusOK, Means: "the signed text", Media: "text/plain"}},
		},
		{
			Name: "proofs", Method: http.MethodPost, Path: "/v1/agents/{agent}/proofs", Role: store.Counter,
			Summary: "Prove that a counter's records are in the log, and that the log has only grown", Params: []Param{agent()},
			Body:    &Body{JSON, MaxProof, wire.ProofRequest{}},
			Answers: []Answer{full("the proofs of RFC 9162 section 2.1", wire.ProofAnswer{})},
		},
		{
			Name: "postLeaves", Method: http.MethodPost, Path: "/v1/opener/leaves", Role: store.Opener,
			Summary: "Put tombstones of destroyed keys into the log", Body: &Body{JSON, MaxLeaves, wire.Leaves{}},
			Answers: []Answer{empty(http.StatusNoContent, "they are in the log; the same again stands there twice")},
		},
	}
}
