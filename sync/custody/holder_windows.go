package custody

import (
	"encoding/pem"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ownHolders are what the operating system keeps keys with.
func ownHolders() []holder { return []holder{dpapiHolder{}} }

// dpapiHolder has Windows encrypt the keys for this machine (Data Protection
// API): a copied disk opens nothing, a program on this machine that may read the
// folder does.
type dpapiHolder struct{ fileHolder }

func (dpapiHolder) grade() Grade { return GradeDPAPI }

func (h dpapiHolder) drawKey() ([]byte, error) { return protectText(newSigningKey, signingTypes) }

func (h dpapiHolder) drawWrap() ([]byte, error) { return protectText(newWrapKey, wrapTypes) }

func (h dpapiHolder) key(b []byte) (key, error) {
	plain, err := unprotect(b)
	if err != nil {
		return key{}, err
	}
	return h.fileHolder.key(plain)
}

func (h dpapiHolder) wrap(b []byte) ([]byte, error) { return unprotect(b) }

// protectText encrypts what draw makes.
func protectText(draw func() ([]byte, error), types map[Grade]string) ([]byte, error) {
	text, err := draw()
	if err != nil {
		return nil, err
	}
	defer clear(text)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("protecting a key: it is none")
	}
	defer clear(block.Bytes)
	shut, err := protect(block.Bytes)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: types[GradeDPAPI], Bytes: shut}), nil
}

// purpose goes into the encryption, so that nothing else that this machine
// protects is taken for one of our keys.
var purpose = []byte("counterproof key v1")

// scope asks for this machine's key, not the user's, and for no window.
const scope = windows.CRYPTPROTECT_LOCAL_MACHINE | windows.CRYPTPROTECT_UI_FORBIDDEN

// protect encrypts for this machine.
func protect(plain []byte) ([]byte, error) {
	var out windows.DataBlob
	if err := windows.CryptProtectData(view(plain), nil, view(purpose), 0, nil, scope, &out); err != nil {
		return nil, fmt.Errorf("protecting a key: %w", err)
	}
	return take(out)
}

// unprotect decrypts what this machine encrypted; ErrLost where it cannot.
func unprotect(shut []byte) ([]byte, error) {
	var out windows.DataBlob
	if err := windows.CryptUnprotectData(view(shut), nil, view(purpose), 0, nil, scope, &out); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	}
	return take(out)
}

// view shows bytes to Windows.
func view(b []byte) *windows.DataBlob {
	if len(b) == 0 {
		return &windows.DataBlob{}
	}
	return &windows.DataBlob{Size: uint32(len(b)), Data: &b[0]}
}

// take copies what Windows made and gives its memory back.
func take(out windows.DataBlob) ([]byte, error) {
	theirs := unsafe.Slice(out.Data, out.Size)
	ours := append([]byte(nil), theirs...)
	clear(theirs)
	_, err := windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data)))
	return ours, err
}
