package mrz

import (
	"slices"
	"strings"
)

// isoStates are the codes of ISO 3166-1 alpha-3, which ICAO 9303-3 §5 part A
// takes over.
const isoStates = `
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR
BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL
COM CPV CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK
FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV
HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO
LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG
MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN
PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE
SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO
TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE`

// icaoStates are the other codes of ICAO 9303-3 §5: Germany in its one letter,
// the British nationalities, Kosovo, the European Union, the United Nations,
// other issuing bodies, persons without a defined nationality, and two codes
// that ISO has withdrawn and ICAO keeps.
const icaoStates = `
D GBD GBN GBO GBP GBS RKS EUE
UNO UNA UNK
XBA XIM XCC XCE XCO XDC XEC XES XMP XOM XPO
XXA XXB XXC XXX
ANT NTZ`

// knownStates holds the codes of both lists; it never changes.
var knownStates = func() map[string]bool {
	m := map[string]bool{}
	for code := range strings.FieldsSeq(isoStates + icaoStates) {
		m[code] = true
	}
	return m
}()

// StateKnown reports whether a code, without fillers, is on the list of issuing
// states and nationalities of ICAO 9303-3 §5. UTO, the state of specimens, is
// not.
func StateKnown(code string) bool { return knownStates[code] }

// StateCodes lists, in order and without fillers, the codes that a zone may
// carry: those that StateKnown knows and those of specimens. Each is one to
// three letters.
func StateCodes() []string {
	codes := strings.Fields(isoStates + icaoStates + " " + specimenStates)
	slices.Sort(codes)
	return codes
}
