package trust

import (
	"slices"
	"strings"
)

// codes are the codes of states of ISO 3166-1: the three letters that a zone has,
// and the two that a certificate has.
const codes = "ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT " +
	"AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO " +
	"BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG " +
	"COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO " +
	"DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB " +
	"GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY " +
	"HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT " +
	"JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY " +
	"LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH " +
	"MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA " +
	"NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE " +
	"PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA " +
	"SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR " +
	"SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO " +
	"TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG " +
	"VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW"

// special are the states that 9303-3 §5 writes otherwise than ISO 3166, and those
// whose documents another state's authority signs.
const special = "D..DE CHNHK CHNMO HKGCN MACCN GBDGB GBNGB GBOGB GBPGB GBSGB AIAGB BMUGB CYMGB FLKGB GGYGB GIBGB IMNGB JEYGB " +
	"MSRGB PCNGB SHNGB TCAGB VGBGB RKSKS RKSXK UNOUN UNAUN EUEEU UTOUT"

// letters is the length of a pair of codes.
const letters = 5

// sameState compares the issuing state of a zone with an authority's country. Where
// no table has the zone's code, the authority's certificate may have it as a zone
// does (9303-12 §7.1.1.2); where one has, what an authority says of itself does not
// make it another state's. known is false where nothing has the code.
func sameState(zone, country string, codesOfAuthority []string) (same, known bool) {
	if zone == "" {
		return false, false
	}
	if zone == country {
		return true, true
	}
	padded := (zone + "..")[:max(len(zone), letters-2)]
	for _, table := range [...]string{codes, special} {
		for pair := range strings.SplitSeq(table, " ") {
			if pair[:letters-2] != padded {
				continue
			}
			known = true
			if pair[letters-2:] == country {
				return true, true
			}
		}
	}
	if !known && slices.Contains(codesOfAuthority, zone) {
		return true, true
	}
	return false, known
}
