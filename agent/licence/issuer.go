package licence

import "strings"

// signs are the distinguishing signs that European licences print (Convention on
// Road Traffic, Vienna 1968, annex 3; Directive 2006/126/EC annex I), and the
// two-letter codes of ISO 3166, with the three-letter code that they mean.
var signs = map[string]string{
	"A": "AUT", "AT": "AUT", "B": "BEL", "BE": "BEL", "BG": "BGR", "CY": "CYP", "CZ": "CZE", "D": "DEU", "DE": "DEU",
	"DK": "DNK", "E": "ESP", "ES": "ESP", "EE": "EST", "EST": "EST", "F": "FRA", "FR": "FRA", "FI": "FIN", "FIN": "FIN",
	"FL": "LIE", "LI": "LIE", "GB": "GBR", "UK": "GBR", "GR": "GRC", "EL": "GRC", "H": "HUN", "HU": "HUN", "HR": "HRV",
	"I": "ITA", "IT": "ITA", "IE": "IRL", "IRL": "IRL", "IS": "ISL", "L": "LUX", "LU": "LUX", "LT": "LTU", "LV": "LVA",
	"M": "MLT", "MT": "MLT", "N": "NOR", "NO": "NOR", "NL": "NLD", "P": "PRT", "PT": "PRT", "PL": "POL", "RO": "ROU",
	"S": "SWE", "SE": "SWE", "SI": "SVN", "SLO": "SVN", "SK": "SVK",
}

// Issuer is the state that issued a licence, as a code of ISO 3166 where its sign
// is known: one licence is one document however its state is written. Any other
// text stays, in capitals.
func Issuer(typed string) string {
	s := strings.ToUpper(strings.TrimSpace(typed))
	if code, known := signs[s]; known {
		return code
	}
	return s
}
