package issue

import "github.com/counterproof/counterproof/agent/chip/cert"

// Fault is one thing that is wrong.
type Fault string

// None is no fault.
const None Fault = ""

// Faults of an authority's certificate (Config.Fault).
const (
	NotAuthority      Fault = "authority_not_ca"
	AuthorityUsage    Fault = "authority_usage"
	AuthorityCritical Fault = "authority_critical_extension"
	LinkForged        Fault = "link_forged" // a stranger signed the link
)

// Faults of the certificate of a document's signer (Order.Fault).
const (
	Lookalike      Fault = "lookalike_authority"   // the authority's name and key identifier, another key
	UnknownKey     Fault = "unknown_authority_key" // the authority's name, a key that it never had
	Foreign        Fault = "foreign_authority"     // an authority that nobody knows
	ExpiredSigner  Fault = "signer_expired_when_signed"
	EarlySigner    Fault = "signer_not_yet_valid_when_signed"
	SignerUsage    Fault = "signer_usage"
	NoUsage        Fault = "signer_without_usage"
	SignerCA       Fault = "signer_is_authority"
	SignerExtended Fault = "signer_extended_usage"
	SignerCritical Fault = "signer_critical_extension"
	SignerCountry  Fault = "signer_country"
	SignerVersion  Fault = "signer_version"
)

// Faults of what is signed (Order.Fault).
const (
	TamperedFile    Fault = "file_tampered" // EF.DG2, or else EF.DG1
	UnlistedFile    Fault = "file_not_listed"
	WrongDigestID   Fault = "digest_identifier"
	UnknownDigest   Fault = "digest_unknown"
	SignerSerial    Fault = "signer_serial"
	SignerIssuer    Fault = "signer_issuer"
	NoCertificate   Fault = "certificate_missing"
	NoSigner        Fault = "signature_missing"
	SignatureWrong  Fault = "signature_wrong"
	NoAttributes    Fault = "signed_attributes_missing"
	AttributeDigest Fault = "signed_attributes_digest"
	AttributeType   Fault = "signed_attributes_type"
	AttributeTwice  Fault = "signed_attributes_twice"
	ContentType     Fault = "content_type"
	SecondWrong     Fault = "second_signature_wrong" // beside one that holds
	Malformed       Fault = "security_object_malformed"
)

// signerFault makes a signer's certificate wrong.
func signerFault(f *form, fault Fault) {
	switch fault {
	case ExpiredSigner:
		f.to = f.from.AddDate(0, 0, 1)
	case EarlySigner:
		f.from = f.to.AddDate(0, 0, -1)
	case SignerUsage:
		f.usage = cert.CRLSign
	case NoUsage:
		f.usage = 0
	case SignerCA:
		f.ca = true
	case SignerExtended:
		f.extended = cert.MasterListSigner
	case SignerCritical:
		f.critical = "2.999.1"
	case SignerCountry:
		f.subject.country = "XX"
	case SignerVersion:
		f.version = 2
	}
}

// ofSigner are the faults for which a signer of its own is made.
func (f Fault) ofSigner() bool {
	switch f {
	case Lookalike, UnknownKey, Foreign, ExpiredSigner, EarlySigner, SignerUsage, NoUsage, SignerCA, SignerExtended, SignerCritical, SignerCountry, SignerVersion:
		return true
	}
	return false
}
