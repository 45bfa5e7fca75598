//go:build cgo && !nopcsc

package pcsc

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

// The types of pcsc-lite's headers, which are not needed to build: a LONG has the
// size of a pointer here.
typedef long result;
typedef unsigned long word;

typedef struct {
	const char *reader;
	void *user;
	word known, now, atr_size;
	unsigned char atr[33];
} reader_state;

typedef struct { word protocol, size; } protocol_info;

typedef struct {
	result (*establish)(word scope, const void *, const void *, long *context);
	result (*release)(long context);
	result (*list)(long context, const char *groups, char *names, word *size);
	result (*await)(long context, word millis, reader_state *, word count);
	result (*cancel)(long context);
	result (*connect)(long context, const char *reader, word share, word protocols, long *card, word *protocol);
	result (*reconnect)(long card, word share, word protocols, word how, word *protocol);
	result (*transmit)(long card, const protocol_info *, const unsigned char *, word, protocol_info *, unsigned char *, word *);
	result (*disconnect)(long card, word how);
} api;

// load finds the library, which stays for as long as the program.
static int load(api *a) {
	void *lib = dlopen("libpcsclite.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return 0;
	*(void **)&a->establish = dlsym(lib, "SCardEstablishContext");
	*(void **)&a->release = dlsym(lib, "SCardReleaseContext");
	*(void **)&a->list = dlsym(lib, "SCardListReaders");
	*(void **)&a->await = dlsym(lib, "SCardGetStatusChange");
	*(void **)&a->cancel = dlsym(lib, "SCardCancel");
	*(void **)&a->connect = dlsym(lib, "SCardConnect");
	*(void **)&a->reconnect = dlsym(lib, "SCardReconnect");
	*(void **)&a->transmit = dlsym(lib, "SCardTransmit");
	*(void **)&a->disconnect = dlsym(lib, "SCardDisconnect");
	return a->establish && a->release && a->list && a->await && a->cancel && a->connect && a->reconnect &&
		a->transmit && a->disconnect;
}

static result establish(const api *a, word scope, long *context) { return a->establish(scope, 0, 0, context); }
static result release(const api *a, long context) { return a->release(context); }
static result list(const api *a, long context, char *names, word *size) { return a->list(context, 0, names, size); }
static result cancel(const api *a, long context) { return a->cancel(context); }
static result connect(const api *a, long context, const char *reader, word share, word protocols, long *card, word *protocol) {
	return a->connect(context, reader, share, protocols, card, protocol);
}
static result reconnect(const api *a, long card, word share, word protocols, word how, word *protocol) {
	return a->reconnect(card, share, protocols, how, protocol);
}
static result disconnect(const api *a, long card, word how) { return a->disconnect(card, how); }

static result await(const api *a, long context, word millis, reader_state *s) {
	return a->await(context, millis, s, 1);
}

static result transmit(const api *a, long card, word protocol, const unsigned char *command, word n, unsigned char *room, word *size) {
	protocol_info p = {protocol, sizeof p};
	return a->transmit(card, &p, command, n, 0, room, size);
}
*/
import "C"

import (
	"time"
	"unsafe"
)

// lite is pcsc-lite's client library.
type lite struct{ api *C.api }

// newLibrary loads the library, if it is there.
func newLibrary() library {
	l := lite{new(C.api)}
	if C.load(l.api) == 0 {
		l.api = nil
	}
	return l
}

func (l lite) establish() (session, code) {
	if l.api == nil {
		return nil, noLibrary
	}
	s := liteSession{api: l.api}
	c := code(C.establish(l.api, scopeSystem, &s.context))
	return s, c
}

type liteSession struct {
	api     *C.api
	context C.long
}

func (s liteSession) release() { C.release(s.api, s.context) }

func (s liteSession) cancel() { C.cancel(s.api, s.context) }

func (s liteSession) list() ([]string, code) {
	b := make([]byte, namesRoom)
	n := C.word(len(b))
	c := code(C.list(s.api, s.context, (*C.char)(unsafe.Pointer(&b[0])), &n))
	if c != success {
		return nil, c
	}
	return split(string(b[:min(int(n), len(b))])), c
}

func (s liteSession) await(known sight, d time.Duration) (state, code) {
	name := C.CString(known.reader)
	defer C.free(unsafe.Pointer(name))
	rs := (*C.reader_state)(C.calloc(1, C.sizeof_reader_state)) // a pointer of C's stands in it
	defer C.free(unsafe.Pointer(rs))
	rs.reader, rs.known = name, C.word(known.state&^contactState)
	c := code(C.await(s.api, s.context, C.word(d.Milliseconds()), rs))
	now := state(rs.now)
	if atr := C.GoBytes(unsafe.Pointer(&rs.atr[0]), C.int(min(rs.atr_size, C.word(len(rs.atr))))); byContacts(atr) {
		now |= contactState
	}
	return now, c
}

func (s liteSession) connect(reader string, direct bool) (card, code) {
	name := C.CString(reader)
	defer C.free(unsafe.Pointer(name))
	held := &liteCard{api: s.api}
	share, protocols := C.word(shareExclusive), C.word(protocolAny)
	if direct {
		share, protocols = shareDirect, 0
	}
	c := code(C.connect(s.api, s.context, name, share, protocols, &held.card, &held.protocol))
	return held, c
}

type liteCard struct {
	api      *C.api
	card     C.long
	protocol C.word
}

func (h *liteCard) reset() code {
	return code(C.reconnect(h.api, h.card, shareExclusive, protocolAny, resetOnLeaving, &h.protocol))
}

func (h *liteCard) transmit(command, room []byte) (int, code) {
	n := C.word(len(room))
	c := code(C.transmit(h.api, h.card, h.protocol, (*C.uchar)(&command[0]), C.word(len(command)), (*C.uchar)(&room[0]), &n))
	if c != success {
		return 0, c
	}
	return int(n), c
}

func (h *liteCard) disconnect() code { return code(C.disconnect(h.api, h.card, resetOnLeaving)) }
