package entry

import (
	"encoding/json"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
)

// Lengths of a practice's codes, in characters. Their form is not published;
// these bounds hold the published examples with room.
const (
	minAccount, maxAccount = 4, 20
	minKey, maxKey         = 6, 40
)

// Practice is the codes of a practice's letter, as NHS login takes them: the
// organisation's code, the account id and the linkage key, whose case matters.
func Practice(in api.Practice) (proof.Fact, proof.Kind) {
	code, known := organisation(in.ODS)
	f := proof.PracticeDetailsGiven{Source: proof.FromKeys, ODS: code, Account: strings.TrimSpace(in.Account), Key: strings.TrimSpace(in.Key)}
	switch {
	case f.ODS == "" || f.Account == "" || f.Key == "":
		return nil, proof.KindDetailsMissing
	case !known, !plain(f.Account, minAccount, maxAccount), !plain(f.Key, minKey, maxKey):
		return nil, proof.KindPracticeCodes
	}
	return f, proof.KindNone
}

// maxSymbol bounds the text of a symbol, in bytes; a QR code holds 4,296
// characters at most (ISO/IEC 18004).
const maxSymbol = 4300

// PracticeCode reads the symbol of a practice's letter. Its form is not
// published, so three are read: an object of JSON, values by name (Practice ID:
// or ods=, one a line or parted by ; , & | or ?), and the three values alone in
// the letter's order. What has other names is passed over. False where a value
// is missing, told twice in two ways, or in no form of a practice's code.
func PracticeCode(symbol string) (api.Practice, bool) {
	if len(symbol) > maxSymbol {
		return api.Practice{}, false
	}
	var read letter
	if strings.HasPrefix(strings.TrimSpace(symbol), "{") && json.Valid([]byte(symbol)) {
		read.object(symbol)
	} else {
		read.parts(strings.FieldsFunc(symbol, func(r rune) bool { return strings.ContainsRune("\r\n;,&|?", r) }))
	}
	_, kind := Practice(read.Practice)
	return read.Practice, kind == proof.KindNone && !read.twice
}

// letter is what the symbol of a practice's letter told so far.
type letter struct {
	api.Practice
	twice bool // in two ways
}

// object reads an object of JSON that is valid. A number is read as it is written, and a name
// that comes twice is told twice.
func (l *letter) object(symbol string) {
	d := json.NewDecoder(strings.NewReader(symbol))
	d.UseNumber()
	d.Token() // the brace before the first name
	for d.More() {
		name, _ := d.Token()
		var value any
		if d.Decode(&value) != nil {
			return
		}
		key, _ := name.(string)
		switch value := value.(type) {
		case string:
			l.tell(key, value)
		case json.Number:
			l.tell(key, value.String())
		}
	}
}

// parts reads values by name, or three values alone.
func (l *letter) parts(parts []string) {
	named := false
	for _, part := range parts {
		if at := strings.IndexAny(part, "=:"); at >= 0 {
			named = true
			l.tell(part[:at], part[at+1:])
		}
	}
	if !named && len(parts) == 3 {
		l.Practice = api.Practice{ODS: strings.TrimSpace(parts[0]), Account: strings.TrimSpace(parts[1]), Key: strings.TrimSpace(parts[2])}
	}
}

// tell keeps a value whose name is known. What stands in brackets explains a name.
func (l *letter) tell(name, value string) {
	var field *string
	name, _, _ = strings.Cut(name, "(")
	switch strings.ToLower(strings.Map(onlyPlain, name)) {
	case "ods", "odscode", "practiceid", "practicecode", "practiceods", "practiceodscode":
		field = &l.ODS
	case "account", "accountid", "patientaccountid":
		field = &l.Account
	case "key", "linkage", "linkagekey", "accountlinkagekey", "passphrase":
		field = &l.Key
	default:
		return
	}
	value = strings.TrimSpace(value)
	l.twice = l.twice || *field != "" && *field != value
	*field = value
}
