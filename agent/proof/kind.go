package proof

import "errors"

// Kind says in one word why something failed that a person at the counter must
// know of. ui/words has a sentence and a next step for every one of them, in
// every language. Add only at the end of a group.
type Kind string

// Kinds of document pictures.
const (
	KindNone           Kind = ""
	KindNoDocument     Kind = "no_document"
	KindTooSmall       Kind = "too_small"
	KindCutOff         Kind = "cut_off"
	KindTilted         Kind = "tilted"
	KindGlare          Kind = "glare"
	KindTooDark        Kind = "too_dark"
	KindBlurred        Kind = "blurred"
	KindHoldStill      Kind = "hold_still"
	KindNoMRZ          Kind = "no_mrz"
	KindChecksFailed   Kind = "mrz_checks_failed"
	KindExpired        Kind = "document_expired"
	KindDateImpossible Kind = "date_impossible"
	KindSpecimen       Kind = "document_specimen"
	KindPictureCorrupt Kind = "picture_corrupt"
	KindPictureHuge    Kind = "picture_too_large"
	KindPictureTiny    Kind = "picture_too_small"
	KindNotPicture     Kind = "not_a_picture"
	KindNoPortrait     Kind = "no_portrait"
)

// Kinds of chips.
const (
	KindNoChip        Kind = "no_chip"          // none answered
	KindChipKey       Kind = "chip_key_refused" // it does not take the key that was read, or typed
	KindChipMoved     Kind = "chip_moved"       // it left the reader's field
	KindChipUnread    Kind = "chip_unreadable"  // it answers, and not as a document does
	KindChipDowngrade Kind = "chip_downgrade"   // it denies the safer way in that it offers
	KindHoldChip      Kind = "chip_reading"     // guidance: leave it lie
)

// Kinds of faces.
const (
	KindNoFace          Kind = "no_face"
	KindManyFaces       Kind = "many_faces"
	KindFaceTooSmall    Kind = "face_too_small"
	KindFaceBlurred     Kind = "face_blurred"
	KindFaceDark        Kind = "face_too_dark"
	KindFaceTurned      Kind = "face_turned"
	KindFaceUnavailable Kind = "face_unavailable" // no matcher on this counter
)

// Kinds of devices.
const (
	KindDeviceMissing     Kind = "device_missing"
	KindDeviceGone        Kind = "device_gone"
	KindDeviceBusy        Kind = "device_busy"
	KindDevicePermission  Kind = "device_permission"
	KindDeviceTimeout     Kind = "device_timeout"
	KindDeviceProtocol    Kind = "device_protocol"
	KindDeviceUnsupported Kind = "device_unsupported"
	KindPaperOut          Kind = "paper_out"
	KindCoverOpen         Kind = "cover_open"
	KindCancelled         Kind = "cancelled"
)

// Kinds of the disk, the queue and the centre.
const (
	KindDiskFull           Kind = "disk_full"
	KindDiskFails          Kind = "disk_fails"
	KindDraftDamaged       Kind = "draft_damaged"
	KindQueueDamaged       Kind = "queue_damaged"
	KindCentreUnreachable  Kind = "centre_unreachable"
	KindCentreCertificate  Kind = "centre_certificate"
	KindClock              Kind = "clock_suspect"
	KindCentreUnauthorised Kind = "centre_unauthorised"
	KindQuarantined        Kind = "quarantined"
	KindCentreRefused      Kind = "centre_refused"
	KindCentreBusy         Kind = "centre_busy"
	KindUpgrade            Kind = "upgrade_needed"
	KindCentreProtocol     Kind = "centre_protocol"
	KindNotEnrolled        Kind = "not_enrolled"
	KindEnrolCode          Kind = "enrol_code"
	KindSignInNetwork      Kind = "network_sign_in" // the network answers in the centre's place
	KindKeyAway            Kind = "key_away"        // what holds the counter's key does not answer, or lost it
	KindEnrolPending       Kind = "enrol_pending"   // a second person at the centre has not approved the enrolment yet
	KindCentreLog          Kind = "centre_log"      // the centre's log does not hold what it promised
)

// Kinds of clerks, visits and the program itself.
const (
	KindSignIn         Kind = "sign_in_wrong"
	KindLockedOut      Kind = "locked_out"
	KindSessionEnded   Kind = "session_ended"
	KindNotAllowed     Kind = "not_allowed"
	KindWeakPIN        Kind = "weak_pin"
	KindNoClerks       Kind = "no_clerks"
	KindVisitOpen      Kind = "visit_open"
	KindNoVisit        Kind = "no_visit"
	KindAskNotOpen     Kind = "ask_not_open"
	KindNoConsent      Kind = "no_consent"
	KindSocketTaken    Kind = "socket_taken"
	KindAlreadyRunning Kind = "already_running"
	KindPeerRefused    Kind = "peer_refused"
	KindDaemonAway     Kind = "daemon_away"
	KindBadRequest     Kind = "bad_request"
	KindInternal       Kind = "internal"
)

// Kinds of what is typed.
const (
	KindOddLetters     Kind = "odd_letters"     // letters that only look Latin, or marks that turn the writing
	KindDetailsMissing Kind = "details_missing" // a field that is needed is empty
	KindNumberWrong    Kind = "number_wrong"    // a number does not fit its form or its other fields
	KindDateWrong      Kind = "date_wrong"      // a date that cannot be
	KindRefWrong       Kind = "ref_wrong"       // a reference with a slip of the pen
	KindTokenWrong     Kind = "token_wrong"     // a claim token with a slip of the pen, or too old
	KindContactWrong   Kind = "contact_wrong"   // an e-mail address or a mobile number that cannot be
	KindPracticeCodes  Kind = "practice_codes"  // codes of a practice's letter in no known form
	KindNoSymbol       Kind = "no_symbol"       // no bar code or readable print in the picture
	KindSameOperator   Kind = "same_operator"   // the second person must be another one
)

// Kinds of the clerks' accounts.
const (
	KindAccountOff    Kind = "account_off"    // a supervisor switched the account off
	KindOwnAccount    Kind = "own_account"    // nobody does this to the own account
	KindPINCode       Kind = "pin_code"       // a one-time code that is wrong, too old or used
	KindPINKeyLost    Kind = "pin_key_lost"   // the key behind all clerks' secrets is gone
	KindShiftOver     Kind = "shift_over"     // the session came to its longest time
	KindSessionClosed Kind = "session_closed" // by a supervisor, or by signing in again elsewhere
	KindLogDamaged    Kind = "log_damaged"    // the record of who did what lacks lines or was changed
)

// Kinds lists every Kind but KindNone, in the order of this file, for the tests
// that count their sentences.
func Kinds() []Kind {
	return []Kind{
		KindNoDocument, KindTooSmall, KindCutOff, KindTilted, KindGlare, KindTooDark, KindBlurred, KindHoldStill,
		KindNoMRZ, KindChecksFailed, KindExpired, KindDateImpossible, KindSpecimen, KindPictureCorrupt,
		KindPictureHuge, KindPictureTiny, KindNotPicture, KindNoPortrait,
		KindNoChip, KindChipKey, KindChipMoved, KindChipUnread, KindChipDowngrade, KindHoldChip,
		KindNoFace, KindManyFaces, KindFaceTooSmall, KindFaceBlurred, KindFaceDark, KindFaceTurned, KindFaceUnavailable,
		KindDeviceMissing, KindDeviceGone, KindDeviceBusy, KindDevicePermission, KindDeviceTimeout,
		KindDeviceProtocol, KindDeviceUnsupported, KindPaperOut, KindCoverOpen, KindCancelled,
		KindDiskFull, KindDiskFails, KindDraftDamaged, KindQueueDamaged, KindCentreUnreachable, KindCentreCertificate,
		KindClock, KindCentreUnauthorised, KindQuarantined, KindCentreRefused, KindCentreBusy, KindUpgrade,
		KindCentreProtocol, KindNotEnrolled, KindEnrolCode, KindSignInNetwork, KindKeyAway, KindEnrolPending, KindCentreLog,
		KindSignIn, KindLockedOut, KindSessionEnded, KindNotAllowed, KindWeakPIN, KindNoClerks, KindVisitOpen,
		KindNoVisit, KindAskNotOpen, KindNoConsent, KindSocketTaken, KindAlreadyRunning, KindPeerRefused,
		KindDaemonAway, KindBadRequest, KindInternal,
		KindOddLetters, KindDetailsMissing, KindNumberWrong, KindDateWrong, KindRefWrong, KindTokenWrong, KindContactWrong,
		KindPracticeCodes, KindNoSymbol, KindSameOperator,
		KindAccountOff, KindOwnAccount, KindPINCode, KindPINKeyLost, KindShiftOver, KindSessionClosed, KindLogDamaged,
	}
}

// Error is a failure with the Kind that a person is shown. Its text goes to
// logs, so it never holds what was read from a document or typed by a person.
type Error struct {
	Op   string
	Kind Kind
	Err  error
}

// Error writes the failure for a log.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Op + ": " + string(e.Kind)
	}
	return e.Op + ": " + string(e.Kind) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf finds the Kind of an error: KindNone for nil, KindInternal for an error
// that names none.
func KindOf(err error) Kind {
	if err == nil {
		return KindNone
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}
