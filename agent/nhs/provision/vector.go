package provision

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// vectors are the vectors of trust that NHS login lists (Vectors of trust, 3
// February 2026): how a person was proofed (P) and how they sign in (C: p
// password, d registered device, k key shared with the device, m asymmetric key).
// The parts of one are all meant together.
var vectors = []string{"P0.Cp", "P5.Cp.Cd", "P5.Cp.Ck", "P9.Cp.Cd", "P9.Cp.Ck", "P9.Cm"}

// Vectors lists the vectors of trust that may be asked for.
func Vectors() []string { return slices.Clone(vectors) }

// DefaultVectors is what NHS login takes as asked for when nothing is: any way
// of signing in, at level P9.
func DefaultVectors() []string {
	return slices.DeleteFunc(Vectors(), func(v string) bool { return !strings.HasPrefix(v, "P9.") })
}

// VectorLevel is the proofing level in a vector of trust that came back. P5.Cm
// is not on the list of NHS login but in its examples, so it is read. Any other
// vector says nothing.
func VectorLevel(vector string) (level proof.NHSLevel, known bool) {
	if !slices.Contains(vectors, vector) && vector != "P5.Cm" {
		return proof.NHSNone, false
	}
	first, _, _ := strings.Cut(vector, ".")
	return proof.NHSLevel(first), true
}

// scopes are the scopes that each level is the first to have (Scopes and claims,
// 24 January 2024).
var scopes = []struct {
	level proof.NHSLevel
	names []string
}{
	{proof.P0, []string{"client_metadata", "email", "landline", "openid", "phone"}},
	{proof.P5, []string{"basic_demographics", "gp_registration_details", "profile", "profile_extended"}},
	{proof.P9, []string{"gp_integration_credentials"}},
}

// Scopes lists the scopes that a person of a level can give, sorted; none for
// other levels. basic_demographics and profile exclude each other in one request,
// and client_metadata and gp_integration_credentials need an agreement.
func Scopes(level proof.NHSLevel) []string {
	var names []string
	for _, s := range scopes {
		names = append(names, s.names...)
		if s.level == level {
			slices.Sort(names)
			return names
		}
	}
	return nil
}
