package pcsc

import "time"

// library is what this package asks of PC/SC. Tests put one of their own in its
// place.
type library interface {
	// establish begins a session with the service.
	establish() (session, code)
}

// session is one context of the service. Its calls are made one at a time, but
// for cancel.
type session interface {
	list() ([]string, code)
	// await waits until a reader's state is not the known one, for d at most,
	// which is then timedOut. The answer may have changedState set.
	await(known sight, d time.Duration) (state, code)
	// cancel ends an await that is under way with the code cancelled. It may be
	// called from any goroutine until release.
	cancel()
	// connect takes the card in a reader exclusively, or with direct the reader,
	// whose card a reset then takes.
	connect(reader string, direct bool) (card, code)
	release()
}

// card is a card that was taken.
type card interface {
	// reset begins anew.
	reset() code
	// transmit writes the response into room and gives its length.
	transmit(command, room []byte) (int, code)
	// disconnect resets the card and lets it go.
	disconnect() code
}

// state is the state of a reader: bits, and above them a count of insertions and
// removals, or of readers for plugs.
type state uint32

// The bits of a state.
const (
	changedState     state = 0x0002
	unknownState     state = 0x0004
	unavailableState state = 0x0008
	presentState     state = 0x0020
	muteState        state = 0x0200
	// contactState is this package's own, and never sent: what lies there is read
	// by contacts.
	contactState state = 0x8000
)

// eventCount is how far the count of events is shifted in a state, in bits.
const eventCount = 16

// byContacts reports whether an answer to reset is that of a card with contacts.
// One without has the answer that PC/SC part 3 §3.1.3.2.3 makes up for it. What has
// contacts is no travel document; it may be the card by which the staff are signed
// in, and taking it would sign them out.
func byContacts(atr []byte) bool {
	return len(atr) > 0 && (len(atr) < 4 || atr[0] != 0x3b || atr[1]&0xf0 != 0x80 || atr[2] != 0x80 || atr[3] != 0x01)
}

// code is a result of a call.
type code uint32

// The codes that are told apart.
const (
	success           code = 0
	cancelled         code = 0x80100002
	invalidHandle     code = 0x80100003
	unknownReader     code = 0x80100009
	timedOut          code = 0x8010000a
	sharing           code = 0x8010000b
	noCard            code = 0x8010000c
	notReady          code = 0x80100010
	systemCancelled   code = 0x80100012
	commError         code = 0x80100013
	unknownError      code = 0x80100014
	notTransacted     code = 0x80100016
	readerUnavailable code = 0x80100017
	noService         code = 0x8010001d
	serviceStopped    code = 0x8010001e
	noAccess          code = 0x80100027
	noReaders         code = 0x8010002e
	commDataLost      code = 0x8010002f
	unresponsive      code = 0x80100066
	unpowered         code = 0x80100067
	resetCard         code = 0x80100068
	removedCard       code = 0x80100069
	securityViolation code = 0x8010006a

	// The service's own calls give no such codes.
	noLibrary code = 0xffff0001 // its library is not on this system
	notBuilt  code = 0xffff0002 // this program was built without it
)

// Numbers that the bindings send.
const (
	scopeSystem    = 2
	shareExclusive = 1
	shareDirect    = 3
	protocolAny    = 3 // T=0 or T=1
	resetOnLeaving = 1
	namesRoom      = 16 << 10 // bytes, or characters, of all names
)

// split takes the service's list apart: each name ends with a zero, and so does the
// list.
func split(list string) (names []string) {
	for len(list) > 0 {
		end := 0
		for end < len(list) && list[end] != 0 {
			end++
		}
		if end == 0 {
			return names
		}
		names = append(names, list[:end])
		list = list[min(end+1, len(list)):]
	}
	return names
}
