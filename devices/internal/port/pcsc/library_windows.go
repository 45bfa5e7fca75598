//go:build !nopcsc

package pcsc

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// winscard is winscard.dll.
type winscard struct{ *windows.LazyDLL }

func newLibrary() library { return winscard{windows.NewLazySystemDLL("winscard.dll")} }

// call calls a function. What args point to stays where it is until then.
//
//go:uintptrescapes
func (w winscard) call(name string, args ...uintptr) code {
	f := w.NewProc(name)
	if f.Find() != nil {
		return noLibrary
	}
	r, _, _ := f.Call(args...)
	return code(r)
}

func (w winscard) establish() (session, code) {
	s := &winSession{lib: w}
	c := w.call("SCardEstablishContext", scopeSystem, 0, 0, uintptr(unsafe.Pointer(&s.context)))
	return s, c
}

type winSession struct {
	lib     winscard
	context uintptr
}

func (s *winSession) release() { s.lib.call("SCardReleaseContext", s.context) }

func (s *winSession) cancel() { s.lib.call("SCardCancel", s.context) }

func (s *winSession) list() ([]string, code) {
	b := make([]uint16, namesRoom)
	n := uint32(len(b))
	c := s.lib.call("SCardListReadersW", s.context, 0, uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n)))
	if c != success {
		return nil, c
	}
	var names []string
	for b = b[:min(int(n), len(b))]; len(b) > 0 && b[0] != 0; {
		name := windows.UTF16ToString(b)
		names = append(names, name)
		end := 0
		for end < len(b) && b[end] != 0 {
			end++
		}
		b = b[min(end+1, len(b)):]
	}
	return names, c
}

// readerState is SCARD_READERSTATEW.
type readerState struct {
	reader              *uint16
	user                uintptr
	known, now, atrSize uint32
	atr                 [36]byte
}

func (s *winSession) await(known sight, d time.Duration) (state, code) {
	name, err := windows.UTF16PtrFromString(known.reader)
	if err != nil {
		return 0, unknownReader
	}
	rs := &readerState{reader: name, known: uint32(known.state &^ contactState)}
	c := s.lib.call("SCardGetStatusChangeW", s.context, uintptr(d.Milliseconds()), uintptr(unsafe.Pointer(rs)), 1)
	now := state(rs.now)
	if byContacts(rs.atr[:min(int(rs.atrSize), len(rs.atr))]) {
		now |= contactState
	}
	return now, c
}

func (s *winSession) connect(reader string, direct bool) (card, code) {
	name, err := windows.UTF16PtrFromString(reader)
	if err != nil {
		return nil, unknownReader
	}
	held := &winCard{lib: s.lib}
	share, protocols := uintptr(shareExclusive), uintptr(protocolAny)
	if direct {
		share, protocols = shareDirect, 0
	}
	c := s.lib.call("SCardConnectW", s.context, uintptr(unsafe.Pointer(name)), share, protocols,
		uintptr(unsafe.Pointer(&held.card)), uintptr(unsafe.Pointer(&held.protocol)))
	return held, c
}

type winCard struct {
	lib      winscard
	card     uintptr
	protocol uint32
}

func (h *winCard) reset() code {
	return h.lib.call("SCardReconnect", h.card, shareExclusive, protocolAny, resetOnLeaving, uintptr(unsafe.Pointer(&h.protocol)))
}

// protocolInfo is SCARD_IO_REQUEST.
type protocolInfo struct{ protocol, size uint32 }

func (h *winCard) transmit(command, room []byte) (int, code) {
	p := &protocolInfo{protocol: h.protocol, size: uint32(unsafe.Sizeof(protocolInfo{}))}
	n := uint32(len(room))
	c := h.lib.call("SCardTransmit", h.card, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&command[0])), uintptr(len(command)),
		0, uintptr(unsafe.Pointer(&room[0])), uintptr(unsafe.Pointer(&n)))
	if c != success {
		return 0, c
	}
	return int(n), c
}

func (h *winCard) disconnect() code { return h.lib.call("SCardDisconnect", h.card, resetOnLeaving) }
