package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// NoticeKind says in one word what has become of a visit. The list is closed;
// no word tells who was proved or why something was refused. A kind that a
// newer opener sends and this program does not know is kept and shown as news
// that the helpdesk explains. Add only at the end.
type NoticeKind string

// The kinds.
const (
	// The GPG 45 level after the opener's sources were asked, against the one
	// that the counter gave.
	NoticeFinalRaised  NoticeKind = "final_raised"
	NoticeFinalKept    NoticeKind = "final_kept"
	NoticeFinalLowered NoticeKind = "final_lowered"
	// The final NHS level. None means that no one record could be matched,
	// whatever the cause: a restricted record must look like no record.
	NoticeNHSP9   NoticeKind = "nhs_p9"
	NoticeNHSP5   NoticeKind = "nhs_p5"
	NoticeNHSP0   NoticeKind = "nhs_p0"
	NoticeNHSNone NoticeKind = "nhs_none"
	// The details that the practice issued: its system has not answered yet,
	// took them, or did not.
	NoticeDetailsPending  NoticeKind = "details_pending"
	NoticeDetailsAccepted NoticeKind = "details_accepted"
	NoticeDetailsRefused  NoticeKind = "details_refused"
	// People look at the visit before anything is decided, and what they said.
	NoticeReviewOpen   NoticeKind = "review_open"
	NoticeReviewPassed NoticeKind = "review_passed"
	NoticeReviewFailed NoticeKind = "review_failed"
	// A request to act for somebody, on its way through the practice. Suspended
	// is for an age or an end date that asks for a new look.
	NoticeProxySubmitted NoticeKind = "proxy_submitted"
	NoticeProxyGranted   NoticeKind = "proxy_granted"
	NoticeProxyRefused   NoticeKind = "proxy_refused"
	NoticeProxyWithdrawn NoticeKind = "proxy_withdrawn"
	NoticeProxySuspended NoticeKind = "proxy_suspended"
	NoticeProxyEnded     NoticeKind = "proxy_ended"
	// A letter with the outcome was written to a patient without phone or e-mail.
	NoticeLetterSent NoticeKind = "letter_sent"
	// Another visit is needed, with what the plan of the visit asked for.
	NoticeMoreNeeded NoticeKind = "more_needed"
	// The voucher took the vouch back; what rested on it was scored again.
	NoticeVouchWithdrawn NoticeKind = "vouch_withdrawn"
	// A later visit that continues this one was joined to it, or could not be.
	NoticeJoined    NoticeKind = "joined"
	NoticeNotJoined NoticeKind = "not_joined"
	// The printed token with which a patient takes over the account: it may be
	// used, it was used, or a try with it was refused.
	NoticeClaimReady   NoticeKind = "claim_ready"
	NoticeClaimUsed    NoticeKind = "claim_used"
	NoticeClaimRefused NoticeKind = "claim_refused"
	// NHS login has the account, will never make it, or asks for another e-mail
	// address or phone number.
	NoticeAccountReady   NoticeKind = "account_ready"
	NoticeAccountRefused NoticeKind = "account_refused"
	NoticeContactNeeded  NoticeKind = "contact_needed"
	// The patient's wishes about letters, language or pharmacy were passed on,
	// or could not be at this level.
	NoticeWishesApplied NoticeKind = "wishes_applied"
	NoticeWishesRefused NoticeKind = "wishes_refused"
	// The record cannot be opened or read: the patient must be asked back.
	NoticeRecall NoticeKind = "recall"
)

// NoticeUnreadable stands in a counter's own list for news that came and does
// not verify: something was said, and it is not known what about. No opener
// sends it.
const NoticeUnreadable NoticeKind = "unreadable"

// noticeKinds is the closed list in its order.
var noticeKinds = [...]NoticeKind{
	NoticeFinalRaised, NoticeFinalKept, NoticeFinalLowered,
	NoticeNHSP9, NoticeNHSP5, NoticeNHSP0, NoticeNHSNone,
	NoticeDetailsPending, NoticeDetailsAccepted, NoticeDetailsRefused,
	NoticeReviewOpen, NoticeReviewPassed, NoticeReviewFailed,
	NoticeProxySubmitted, NoticeProxyGranted, NoticeProxyRefused,
	NoticeProxyWithdrawn, NoticeProxySuspended, NoticeProxyEnded,
	NoticeLetterSent, NoticeMoreNeeded, NoticeVouchWithdrawn, NoticeJoined, NoticeNotJoined,
	NoticeClaimReady, NoticeClaimUsed, NoticeClaimRefused,
	NoticeAccountReady, NoticeAccountRefused, NoticeContactNeeded,
	NoticeWishesApplied, NoticeWishesRefused, NoticeRecall,
}

// NoticeKinds lists every kind that an opener of this version sends.
func NoticeKinds() []NoticeKind { return slices.Clone(noticeKinds[:]) }

// Known reports whether this version has a meaning for the kind.
func (k NoticeKind) Known() bool { return slices.Contains(noticeKinds[:], k) }

// Notice is an opener's signed news for one counter about one visit. It holds
// nothing of a person: the counter finds the visit, and the patient the counter,
// by the slip's reference.
//
// The signature covers the counter and the notice's number among all that this
// opener ever told that counter. So nobody in between, the centre included, can
// show it to another counter, leave one out unseen, or change the order.
type Notice struct {
	Agent  AgentID    `json:"agent"`  // the counter that it is for
	Number uint64     `json:"number"` // of this opener for that counter, from 1 without a hole
	Ref    Ref        `json:"ref"`    // the reference on the patient's slip
	Kind   NoticeKind `json:"kind"`
	At     time.Time  `json:"at"`  // when the opener decided it, whole milliseconds, UTC
	Key    KeyID      `json:"key"` // the opener's key, named by its PKIX encoding
	Sig    []byte     `json:"sig"` // ECDSA P-256 over SHA-256 of SignedBytes, ASN.1 (SEC 1 §C.8)
}

// SignedBytes are the bytes under the notice's signature: a fixed text with
// every field on its own line, so that no other signed thing can be mistaken
// for a notice. Only a notice that passes Check has bytes of its own.
func (n Notice) SignedBytes() []byte {
	return fmt.Appendf(nil, "counterproof notice v1\n%s\n%d\n%s\n%s\n%d\n%s\n",
		n.Agent, n.Number, n.Ref, n.Kind, n.At.UnixMilli(), n.Key)
}

// Hash names the notice by its content. Two signatures under the same content
// give one name, because an ECDSA signature is drawn anew each time.
func (n Notice) Hash() Hash { return HashOf(n.SignedBytes()) }

// Limits of notices.
const (
	// MaxNotices bounds a page of a list (a count).
	MaxNotices = 1000
	// MaxPosted bounds what an opener posts at once (a count).
	MaxPosted = 100
	// maxNumber bounds what is counted, so that JSON and SQL hold it exactly.
	maxNumber = 1 << 53
	// maxNoticeKind bounds a kind's word, in bytes.
	maxNoticeKind = 32
)

// Check reports whether the fields are what they should be; any well-formed
// kind is. It does not check the signature, which needs the opener's key.
func (n Notice) Check() error {
	ref, err := ParseRef(string(n.Ref))
	switch {
	case err != nil || ref != n.Ref:
		return errors.New("the notice's reference is none")
	case n.Number < 1 || n.Number > maxNumber:
		return fmt.Errorf("the notice has the number %d", n.Number)
	case !n.Kind.wellFormed() || n.Kind == NoticeUnreadable:
		return errors.New("the notice's kind is no word of a list")
	case !n.At.Equal(n.At.Truncate(time.Millisecond)) || n.At.UnixMilli() < 1 || n.At.Year() > 9999:
		return errors.New("the notice's time is none")
	case len(n.Sig) > MaxSignature:
		return fmt.Errorf("the notice's signature has %d bytes", len(n.Sig))
	}
	return errors.Join(checkName(string(n.Agent)), checkName(string(n.Key)))
}

// wellFormed reports whether the kind is lower-case letters, digits and
// underscores, a letter first: what a later version may add.
func (k NoticeKind) wellFormed() bool {
	for i, c := range k {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return k != "" && len(k) <= maxNoticeKind
}

// Placed is a notice with its place in a list. There are two kinds of list: all
// that one opener ever said, numbered by the opener, by which it and the centre
// keep the same; and all that is for one counter, numbered by the centre, by
// which the counter fetches. Both begin at 1 and have no holes.
type Placed struct {
	N      uint64 `json:"n"`
	Notice Notice `json:"notice"`
}

// Check reports whether place and notice are what they should be.
func (p Placed) Check() error {
	if p.N < 1 || p.N > maxNumber {
		return fmt.Errorf("the notice stands at place %d", p.N)
	}
	return p.Notice.Check()
}

// NoticePage is a run of a list.
type NoticePage struct {
	Notices []Placed `json:"notices"`
	Last    uint64   `json:"last"`  // place of the list's newest notice, 0 for none
	Acked   uint64   `json:"acked"` // up to which place the counter has them for good
}

// DecodeNotices reads a page that follows the place after. The bytes are
// hostile: the places must follow one another without a hole. The notices
// themselves are not looked at, so that one that is damaged hides no other.
func DecodeNotices(b []byte, after uint64) (NoticePage, error) {
	var p NoticePage
	if err := json.Unmarshal(b, &p); err != nil {
		return NoticePage{}, fmt.Errorf("reading notices: %w", err)
	}
	if len(p.Notices) > MaxNotices || p.Last > maxNumber || p.Acked > p.Last {
		return NoticePage{}, fmt.Errorf("reading notices: %d of %d in one page, %d acknowledged", len(p.Notices), p.Last, p.Acked)
	}
	for i, n := range p.Notices {
		if n.N != after+uint64(i)+1 || n.N > p.Last {
			return NoticePage{}, fmt.Errorf("reading notices: place %d stands where %d was to come", n.N, after+uint64(i)+1)
		}
	}
	return p, nil
}

// NoticeAck tells the centre up to which place a counter has its notices on its
// own disk.
type NoticeAck struct {
	N uint64 `json:"n"`
}
