package network

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/counterproof/counterproof/sync/wire"
)

// KindPortal: a page for people came where the centre's answer was expected, as
// from a network that wants somebody to sign in first.
const KindPortal wire.Kind = "portal"

// Passing reports whether a status tells of a trouble that passes by itself.
func Passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// KindOf says in one word why a connection failed.
func KindOf(err error) wire.Kind {
	if known := wire.KindOf(err); known != wire.KindNone {
		return known
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return wire.KindClock
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || isX509(err) {
		return wire.KindCertificate
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return wire.KindUnauthorised
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return wire.KindProtocol // something that speaks no TLS
	}
	return wire.KindUnreachable
}

// isX509 reports whether err is a verdict of certificate verification.
func isX509(err error) bool {
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	return invalid || name || authority
}

// KindOfStatus says in one word what a status other than success means.
func KindOfStatus(status int) wire.Kind {
	switch status {
	case http.StatusAccepted:
		return wire.KindPending
	case http.StatusUnauthorized, http.StatusForbidden:
		return wire.KindUnauthorised
	case http.StatusUpgradeRequired:
		return wire.KindUpgrade
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return wire.KindShed
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusInternalServerError:
		return wire.KindUnreachable
	}
	return wire.KindProtocol
}
