package storetest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// blobRules are the laws of PutBlob and Blob.
func blobRules() []Rule {
	return []Rule{
		{"blob/resumes", blobResumes},
		{"blob/wrong-offset", blobWrongOffset},
		{"blob/altered", blobAltered},
		{"blob/once-for-all", blobOnceForAll},
		{"blob/not-spoiled-by-others", blobNotSpoiled},
		{"blob/too-large", blobTooLarge},
	}
}

// put appends a piece and compares how far the upload has come.
func (w *world) put(p store.Piece, want store.Progress, wantErr error) error {
	got, err := w.PutBlob(w.ctx, p)
	if !errors.Is(err, wantErr) {
		return fmt.Errorf("piece at %d: got error %v, want %v", p.Offset, err, wantErr)
	}
	return equal(fmt.Sprintf("progress after the piece at %d", p.Offset), got, want)
}

// has compares how far the store says that an upload has come.
func (w *world) has(agent wire.AgentID, sha wire.Hash, want store.Progress) error {
	got, err := w.Blob(w.ctx, agent, sha)
	if err != nil {
		return err
	}
	return equal("progress", got, want)
}

// blobResumes: an upload goes on after a restart from where it was.
func blobResumes(w *world) error {
	data := []byte("page picture, sealed")
	sha := wire.HashOf(data)
	return errors.Join(
		w.has("a", sha, store.Progress{}),
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: data[:7]}, store.Progress{Offset: 7}, nil),
		w.reopen(),
		w.has("a", sha, store.Progress{Offset: 7}),
		w.put(store.Piece{Agent: "a", SHA256: sha, Offset: 7, Data: data[7:], Last: true}, store.Progress{Offset: 20, Complete: true}, nil),
		w.reopen(),
		w.has("a", sha, store.Progress{Offset: 20, Complete: true}),
	)
}

// blobWrongOffset: a piece that does not fit is refused with the right place.
func blobWrongOffset(w *world) error {
	data := []byte("0123456789")
	sha := wire.HashOf(data)
	return errors.Join(
		w.put(store.Piece{Agent: "a", SHA256: sha, Offset: 3, Data: data[3:]}, store.Progress{}, store.ErrOffset),
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: data[:4]}, store.Progress{Offset: 4}, nil),
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: data[:4]}, store.Progress{Offset: 4}, store.ErrOffset),
		w.put(store.Piece{Agent: "a", SHA256: sha, Offset: 4, Last: true, Data: data[4:]}, store.Progress{Offset: 10, Complete: true}, nil),
	)
}

// blobAltered: bytes with another hash are dropped and the upload begins again.
func blobAltered(w *world) error {
	data := []byte("0123456789")
	sha := wire.HashOf(data)
	return errors.Join(
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: []byte("x")}, store.Progress{Offset: 1}, nil),
		w.put(store.Piece{Agent: "a", SHA256: sha, Offset: 1, Data: data[1:], Last: true}, store.Progress{}, store.ErrAltered),
		w.has("a", sha, store.Progress{}),
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: data, Last: true}, store.Progress{Offset: 10, Complete: true}, nil),
	)
}

// blobOnceForAll: a complete blob is held for every agent and never changes.
func blobOnceForAll(w *world) error {
	data := []byte("0123456789")
	sha := wire.HashOf(data)
	whole := store.Progress{Offset: 10, Complete: true}
	return errors.Join(
		w.put(store.Piece{Agent: "b", SHA256: sha, Data: data[:2]}, store.Progress{Offset: 2}, nil),
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: data, Last: true}, whole, nil),
		w.has("b", sha, whole),
		w.put(store.Piece{Agent: "b", SHA256: sha, Offset: 2, Data: []byte("spoil"), Last: true}, whole, nil),
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: data, Last: true}, whole, nil),
	)
}

// blobNotSpoiled: half an upload of wrong bytes is its sender's own trouble.
func blobNotSpoiled(w *world) error {
	data := []byte("0123456789")
	sha := wire.HashOf(data)
	return errors.Join(
		w.put(store.Piece{Agent: "evil", SHA256: sha, Data: []byte("spoilt")}, store.Progress{Offset: 6}, nil),
		w.has("a", sha, store.Progress{}),
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: data, Last: true}, store.Progress{Offset: 10, Complete: true}, nil),
	)
}

// blobTooLarge: an upload stops at the largest part there may be.
func blobTooLarge(w *world) error {
	sha := random()
	piece := bytes.Repeat([]byte{7}, wire.MaxPart)
	return errors.Join(
		w.put(store.Piece{Agent: "a", SHA256: sha, Data: piece}, store.Progress{Offset: wire.MaxPart}, nil),
		w.put(store.Piece{Agent: "a", SHA256: sha, Offset: wire.MaxPart, Data: []byte{7}, Last: true}, store.Progress{Offset: wire.MaxPart}, store.ErrTooLarge),
	)
}
