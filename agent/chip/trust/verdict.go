// Package trust judges what a chip gave: whether the issuing state signed it
// (passive authentication, ICAO Doc 9303-11 §5.1, 9303-12 §6), whether the signer
// may sign and was not revoked, and whether the key that the chip proved is the one
// that was signed. It also reads the bundle of what to trust.
//
// It reads no chip, fetches nothing and keeps nothing; time comes in. It does not
// compare the chip with the printed page, and scores nothing: the verdict's facts
// are for a policy to score.
//
// # The laws
//
//   - Genuine is a positive answer: a state's signature over every file that was
//     read, by a signer whose authority is in the store. What could not be checked
//     is told as not possible, never as done.
//   - Only the store makes anybody trusted. Certificates from a chip are claims.
//   - A deviation excuses one thing of one named certificate; never a signature or
//     a digest, and never a whole state.
//   - A verdict holds closed words and truth values: no personal data.
package trust

// Word is the verdict in a word.
type Word string

// The verdicts.
const (
	Absent          Word = "absent"        // the document has no chip
	NotAttempted    Word = "not_attempted" // nobody read it
	Unreadable      Word = "unreadable"    // it gave nothing that can be judged
	IssuerUnknown   Word = "issuer_unknown"
	CopyNotExcluded Word = "genuine_copy_not_excluded"
	Genuine         Word = "genuine"
	Failed          Word = "failed" // evidence of fraud: stop and refer
)

// Class says what kind of failure it is; empty for other verdicts.
type Class string

// The classes.
const (
	IntegrityFailed  Class = "integrity_failed" // a file is not what was signed
	SignatureFailed  Class = "signature_failed"
	CertificateUnfit Class = "certificate_unfit" // the signer may not sign this
	Revoked          Class = "revoked"
	Clone            Class = "clone" // the data is on a chip that is not its own
)

// Reason is the rule that settled a verdict; empty where every rule held.
type Reason string

// Reasons for which nothing can be judged.
const (
	NoSecurityObject   Reason = "no_security_object"
	NoZone             Reason = "no_zone"     // EF.DG1 was not read
	NoPortrait         Reason = "no_portrait" // EF.DG2 is signed and was not read
	ObjectMalformed    Reason = "security_object_malformed"
	AlgorithmUnknown   Reason = "algorithm_unknown"
	DigestUnknown      Reason = "digest_unknown"
	CertificateStrange Reason = "certificate_unreadable"
)

// Reasons for which files are not what was signed.
const (
	FileChanged   Reason = "file_changed"
	FileNotListed Reason = "file_not_listed"
	FileTwice     Reason = "file_twice"    // under two names, with two contents
	DigestLength  Reason = "digest_length" // of another algorithm than is named
)

// Reasons for which a signature does not hold.
const (
	NoSigner             Reason = "no_signer"
	SignerNotNamed       Reason = "signer_not_named" // no certificate is the one named
	SignatureWrong       Reason = "signature_wrong"
	AttributesMissing    Reason = "signed_attributes_missing"
	AttributeType        Reason = "signed_attributes_type"
	AttributeDigest      Reason = "signed_attributes_digest"
	ContentType          Reason = "content_type"
	CertificateSignature Reason = "certificate_signature"
)

// Reasons for which the issuer is unknown.
const (
	NoCertificate  Reason = "no_certificate" // the signer's is not on the chip
	NoAuthority    Reason = "no_authority"   // of that name
	NoKey          Reason = "no_authority_key"
	KeyWeak        Reason = "key_too_short"     // a signature that others can make as well
	CountryStrange Reason = "country_not_known" // nothing ties the document's state to the authority
)

// Reasons for which a certificate is unfit.
const (
	KeyUnsound        Reason = "key_unsound"
	SignerVersion     Reason = "signer_version"
	SignerIsAuthority Reason = "signer_is_authority"
	SignerUsage       Reason = "signer_usage"
	SignerExtended    Reason = "signer_extended_usage"
	SignerCritical    Reason = "signer_critical_extension"
	SignerDocuments   Reason = "signer_document_kind" // it may sign other kinds only
	SignerTime        Reason = "signer_not_valid_when_signed"
	SignedLater       Reason = "signed_after_reading"
	SignerCountry     Reason = "signer_country"
	NotAuthority      Reason = "authority_not_ca"
	AuthorityUsage    Reason = "authority_usage"
	AuthorityCritical Reason = "authority_critical_extension"
	AuthorityTime     Reason = "authority_not_valid_when_signed"
	DocumentCountry   Reason = "document_country"
)

// Reasons of revocation and of copies.
const (
	SignerRevoked    Reason = "signer_revoked"
	AuthorityRevoked Reason = "authority_revoked"
	KeyNotProved     Reason = "chip_key_not_proved"   // it failed to
	KeyNotSigned     Reason = "chip_key_not_signed"   // it proved another
	KeyNotCovered    Reason = "chip_key_not_covered"  // the file with the key was not read
	KeyUnbound       Reason = "chip_key_not_bound"    // to this document, only to its state
	KeyCompromised   Reason = "chip_key_compromised"  // the state says so
	ProtectionUnused Reason = "protection_not_proved" // the document has a key, nobody asked
)

// State is how a check ended.
type State string

// The states.
const (
	Done        State = "done"
	Broken      State = "failed"
	NotPossible State = "not_possible"
)

// Topic is what a check is of.
type Topic string

// The checks, in the order of a verdict's list.
const (
	CheckObject     Topic = "security_object"
	CheckFiles      Topic = "files"
	CheckSignature  Topic = "signature"
	CheckPath       Topic = "path"
	CheckSigner     Topic = "signer"
	CheckAuthority  Topic = "authority"
	CheckRevocation Topic = "revocation"
	CheckCountry    Topic = "country"
	CheckAccess     Topic = "access" // EF.CardAccess is what was signed
	CheckKey        Topic = "chip_key"
	CheckStore      Topic = "trust_data" // the store is in date
)

// topics are all checks.
var topics = [...]Topic{
	CheckObject, CheckFiles, CheckSignature, CheckPath, CheckSigner, CheckAuthority, CheckRevocation, CheckCountry, CheckAccess, CheckKey, CheckStore,
}

// Check is one check and how it ended.
type Check struct {
	Topic Topic
	State State
}

// Revocation is what is known of a signer's revocation when the chip was read.
type Revocation string

// The states of revocation.
const (
	NotRevoked    Revocation = "good"
	WasRevoked    Revocation = "revoked"
	StaleList     Revocation = "stale"    // not revoked, by a list that is out of date
	IgnoredList   Revocation = "unsigned" // there is a list, and nobody vouches for it
	NoList        Revocation = "none"
	NonePublished Revocation = "none_published" // the store says that the state has no list
)

// Facts are what a policy scores.
type Facts struct {
	// Chained: every file that was read is signed, by a signer of an authority in
	// the store, and nothing else failed.
	Chained bool
	// CloneExcluded: the chip proved a key that is signed.
	CloneExcluded bool
	// CloneProtected: the state lists EF.DG14 or EF.DG15, so the document can prove
	// that it is no copy.
	CloneProtected bool
	// RevocationChecked: a good list, or a stale one while the store is in date, or
	// a store in date that says that the state publishes none.
	RevocationChecked bool
	Revocation        Revocation
	// InDate: the store is less than 180 days old; Aging: it is more than 90.
	InDate, Aging bool
	// Downgraded: EF.CardAccess offers other ways to open the chip than were signed.
	Downgraded bool
	// WeakDigest: SHA-1 is in the chain.
	WeakDigest bool
	// Deviating: something was excused by a deviation list.
	Deviating bool
}

// Verdict is what is to be thought of a chip.
type Verdict struct {
	Word   Word
	Class  Class
	Reason Reason
	Checks []Check // all of them, in their order
	Facts  Facts
}
