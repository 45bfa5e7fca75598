package wire

// Bounds of a question about the log.
const (
	// MaxProofs bounds the proofs of one answer (a count).
	MaxProofs = 256
	// MaxSeen bounds a checkpoint's text, in bytes.
	MaxSeen = 8 << 10
)

// ProofRequest asks the centre to prove that it holds a counter's records in its
// log, and that the log has only grown since the counter last looked.
type ProofRequest struct {
	Seen  []byte `json:"seen,omitempty"` // the newest checkpoint that the counter has verified
	From  Seq    `json:"from"`           // the first record to prove
	Limit int    `json:"limit"`          // how many at most
}

// ProofAnswer is what the centre shows. Nothing in it is believed without being
// checked against the checkpoint, and the checkpoint against the centre's key.
type ProofAnswer struct {
	Checkpoint []byte `json:"checkpoint"` // the newest, signed
	// Growth shows that the log under Checkpoint begins with the one under Seen.
	// None where that is not so, because the centre came back from a backup; the
	// checkpoint is of a later epoch then.
	Growth []Hash  `json:"growth,omitempty"`
	Proofs []Proof `json:"proofs,omitempty"` // of stored records from From on, in the chain's order
}

// Leaves is what an opener hands in for the log: tombstones of keys that it
// destroyed.
type Leaves struct {
	Leaves []Leaf `json:"leaves" maxItems:"100"`
}
