// Package store says what a central store must do: hold every counter's chain
// of sealed records exactly once, the large parts that travel ahead of them,
// the enrolled agents and their one-time codes, the signed bundle, and the news
// that goes back to the counters. Package sqlite does it; package storetest
// holds any store to the laws.
//
// A store never opens a record, never signs and never decides who may call it.
//
// # The laws
//
//   - Accept decides in one transaction: the agent's chain, the record, its
//     place in the log and the signed receipt are written together or not at
//     all. What it answered survives a crash in the next instant.
//   - The same record again gets the same answer, byte for byte. Another record
//     under a taken number quarantines the agent, and both are kept.
//   - Log indexes begin at 1 and have no holes. A refused record takes a place
//     in its chain but none in the log.
//   - A blob is named by its content and counts only when its hash was checked.
//     Half a blob belongs to the agent that sends it, so that nobody spoils
//     another's upload.
//   - A code enrols one key, once, before it expires. The store knows only the
//     code's hash.
//   - A record that its disk has damaged is told as damaged, under its place in
//     the log, and hides none of those that follow it.
package store

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// MaxRecord bounds all sealed parts of one record together, in bytes: a record
// is handed to the opener in one piece.
const MaxRecord = 64 << 20

// Verdicts of Accept beside those of package wire. They never leave the
// centre under these names.
const (
	// Unknown: no such agent is enrolled here.
	Unknown wire.Verdict = "unknown"
	// Quarantined: the agent's chain forked earlier; nothing new is taken.
	Quarantined wire.Verdict = "quarantined"
)

// The errors that a caller acts on. Every other error means that it is unclear
// what was written: the caller asks again.
var (
	// ErrUnknown: there is no such agent.
	ErrUnknown = errors.New("no such agent is enrolled")
	// ErrCode: the code is wrong, used by another key or too old; which of
	// them is not said.
	ErrCode = errors.New("the enrolment code is wrong, used or too old")
	// ErrOffset: the piece does not begin where the blob ends.
	ErrOffset = errors.New("the piece does not begin where the blob ends")
	// ErrAltered: the blob's bytes are not the ones it is named by; it was
	// dropped and begins again at 0.
	ErrAltered = errors.New("the bytes are not the ones the blob is named by")
	// ErrTooLarge: the blob would exceed wire.MaxPart.
	ErrTooLarge = errors.New("the blob is larger than a part may be")
	// ErrPlace: the list of notices does not reach so far.
	ErrPlace = errors.New("the list of notices does not reach so far")
)

// Store holds what the centre holds. Every method may be called from many
// goroutines and from several processes on the same data; each is atomic and,
// once it has returned without an error, durable. No method retries.
type Store interface {
	Ingest
	Registry
	Notices
	Log
	Office
	Flags
}

// Ingest takes the counters' records and gives them to the openers.
type Ingest interface {
	// Accept decides about one record and answers, in this order:
	//
	//	Unknown       the agent is not enrolled, or is not what its certificate
	//	              says any more (Submission.Of)
	//	Replayed      (or Refused) the record is held already: the first answer
	//	Quarantined   the agent's chain forked earlier
	//	Fork          its number is taken by another, or its Prev is not our
	//	              head; the agent is quarantined and the record kept aside
	//	Gap           its number is ahead; Expect says which comes next
	//	Refused       Submission.Refuse is set: the refusal takes its place
	//	MissingBlobs  parts that did not come with it are not held
	//	Stored        the record is held; the receipt is signed and kept
	//
	// Only Stored, Refused and Fork write. An error means that the outcome is
	// unclear; the same record may be submitted again at once.
	Accept(ctx context.Context, s Submission) (wire.Answer, error)

	// AcceptRun decides about records in their order, each as Accept does after
	// the one before it, all in one transaction. One answer comes for each; an
	// error means that the outcome of all is unclear.
	AcceptRun(ctx context.Context, run []Submission) ([]wire.Answer, error)

	// PutBlob appends a piece to the agent's upload of a blob. ErrOffset comes
	// with the offset to go on from. The last piece completes the blob if the
	// hash holds, else the upload is dropped with ErrAltered. A piece of a
	// complete blob is ignored.
	PutBlob(ctx context.Context, p Piece) (Progress, error)

	// Blob tells how far the agent's upload of a blob has come; a blob that is
	// complete is so for every agent.
	Blob(ctx context.Context, agent wire.AgentID, sha wire.Hash) (Progress, error)

	// Records returns up to limit stored records whose log index is above
	// after, in log order, with all their parts. None is the end of the log. A
	// record that is not whole any more comes as Damaged, in its place.
	Records(ctx context.Context, after uint64, limit int) ([]Record, error)
}

// Registry knows who is enrolled, and what all of them are told.
type Registry interface {
	// Agent returns an enrolled agent, or ErrUnknown.
	Agent(ctx context.Context, id wire.AgentID) (Agent, error)

	// AddCode makes a one-time code valid until it expires.
	AddCode(ctx context.Context, c Code) error

	// Enrol spends a code for an agent, whose site and role come from the code,
	// and returns it; it is Pending where the code asks for a second person. An
	// agent that is enrolled already with the same key, site and role stays what
	// it is, with its chain; the code is spent. The same key with the code that
	// it spent is answered again, so that a lost answer strands nobody, also
	// after it was moved, and where a second person was asked for also after the
	// code has expired. A revoked agent, a key kept in a way that the code does
	// not allow and anything else is ErrCode.
	Enrol(ctx context.Context, e Enrolment) (Agent, error)

	// Bundle hands the current bundle, or the zero Signed, to change and
	// stores what it returns, all in one transaction. A nil change only reads.
	// An error of change is returned and nothing is stored.
	Bundle(ctx context.Context, change func(old wire.Signed) (wire.Signed, error)) (wire.Signed, error)
}

// Submission is one record whose sender, signature and inline parts have been
// checked.
type Submission struct {
	Agent    wire.AgentID  // who sent it, by its certificate
	Site     wire.SiteID   // where it stands, by its certificate
	Public   []byte        // its key there, PKIX DER; nil where the caller has looked the agent up
	Envelope wire.Envelope // parts that travelled ahead have no Sealed
	Header   wire.Header   // decoded from Envelope.Header
	Refuse   string        // the reason to refuse it for ever; empty to take it
	At       time.Time     // now, whole milliseconds

	// SignReceipt and SignRefusal complete an answer inside the transaction.
	// They must be quick and have no side effects; an error of theirs undoes
	// the transaction.
	SignReceipt func(wire.Receipt) (wire.Receipt, error)
	SignRefusal func(wire.Refusal) (wire.Refusal, error)
}

// Of reports whether an enrolled agent is the counter that the sender's certificate
// names, and may send. It is asked in the transaction that stores the record, so
// nobody who was revoked or moved a moment ago gets in.
func (s Submission) Of(a Agent) bool {
	return s.Public == nil || a.Status == Active && a.Role == Counter && a.Site == s.Site && bytes.Equal(a.Public, s.Public)
}

// Ahead reports whether part i travelled ahead of the record as a blob.
func (s Submission) Ahead(i int) bool {
	return s.Envelope.Parts[i].Sealed == nil && s.Header.Parts[i].Len > 0
}

// Piece is a run of a blob's bytes.
type Piece struct {
	Agent  wire.AgentID
	SHA256 wire.Hash // names the whole blob
	Offset int64     // where Data begins in it
	Data   []byte
	Last   bool // Data ends the blob
}

// Progress is how much of a blob is held, in bytes, and whether that is all.
type Progress struct {
	Offset   int64
	Complete bool
}

// Role is what an enrolled agent may do.
type Role string

// The roles.
const (
	// Counter sends records.
	Counter Role = "counter"
	// Opener fetches records and hands out the keys they are sealed to.
	Opener Role = "opener"
)

// Agent is one enrolled counter or opener.
type Agent struct {
	ID          wire.AgentID
	Site        wire.SiteID // empty for an opener
	Role        Role
	Public      []byte // public key, PKIX DER
	Grade       string // how the key is kept: tpm, dpapi or file
	Enrolled    time.Time
	Expect      wire.Seq  // next number of its chain
	Head        wire.Hash // RecHash of Expect-1
	Quarantined bool
	Status      Status
	Invited     string // sign-in name of who made the code that it enrolled with
	Approved    string // sign-in name of the second person; empty if none was needed or has come
}

// Code is a one-time enrolment code as the centre keeps it.
type Code struct {
	Hash    wire.Hash // of the code's text
	Site    wire.SiteID
	Role    Role
	Expires time.Time
	By      string   // sign-in name of who made it
	Second  bool     // whoever enrols with it stays Pending until a second person approves
	Grades  []string // how the key may be kept; any way if empty. Another is ErrCode
}

// Enrolment spends a code.
type Enrolment struct {
	Code   wire.Hash    // of the code's text
	Agent  wire.AgentID // made of the key, so that one key is one agent
	Public []byte       // PKIX DER
	Grade  string
	At     time.Time
}

// Record is a stored record with its receipt and with what the centre knows of
// the counter that made it: the opener has no other way to check its signature.
type Record struct {
	Receipt  wire.Receipt
	Origin   Origin
	Envelope wire.Envelope

	// Damaged says that the centre's disk has not kept the record as it was
	// received. Of Receipt, LogIndex is right and the rest is what could still
	// be read. The envelope is empty, or its header and signature are those that
	// the receipt names and parts that were lost have no Sealed.
	Damaged bool

	// Erased says that the sealed parts were destroyed on purpose (Office.Erase).
	// Receipt, header and signature are whole, and no part has Sealed.
	Erased bool
}

// Origin is the enrolled counter behind a record.
type Origin struct {
	Site   wire.SiteID `json:"site"`
	Public []byte      `json:"public"` // PKIX DER
	Grade  string      `json:"grade"`
}
