package entry_test

import (
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
)

func TestPractice(t *testing.T) {
	t.Parallel()
	good := api.Practice{ODS: "b85036", Account: "9422353604", Key: "YCRPyPSEUARw5"}
	fact, kind := entry.Practice(good)
	if got, ok := fact.(proof.PracticeDetailsGiven); kind != proof.KindNone || !ok || got.ODS != "B85036" || got.Key != good.Key {
		t.Errorf("%q: %+v", kind, fact)
	}
	for rule, in := range map[string]api.Practice{
		"no code of an organisation": {ODS: "B8", Account: good.Account, Key: good.Key},
		"a key with a hyphen":        {ODS: "B85036", Account: good.Account, Key: "YCRP-PSEU"},
		"an account id of one digit": {ODS: "B85036", Account: "9", Key: good.Key},
		"a key without end":          {ODS: "B85036", Account: good.Account, Key: strings.Repeat("K", 41)},
		"a short key":                {ODS: "B85036", Account: good.Account, Key: "YCRPy"},
		"a dotless i":                {ODS: "\u013185036", Account: good.Account, Key: good.Key},
		"a key in other letters":     {ODS: "B85036", Account: good.Account, Key: "YСRPyPSEUARw5"},
		"digits in other letters":    {ODS: "B85036", Account: "９４２２３５３６０４", Key: good.Key},
		"an endless organisation":    {ODS: strings.Repeat("B", 11), Account: good.Account, Key: good.Key},
	} {
		if _, kind := entry.Practice(in); kind != proof.KindPracticeCodes {
			t.Errorf("%s: %q", rule, kind)
		}
	}
	if _, kind := entry.Practice(api.Practice{ODS: "B85036"}); kind != proof.KindDetailsMissing {
		t.Errorf("two codes missing: %q", kind)
	}
	for _, symbol := range []string{
		`{"ods":"B85036","account_id":9422353604,"linkage_key":"YCRPyPSEUARw5","name":"x","more":{"key":"other"},"list":[1]}`,
		"https://practice.example/letter?odsCode=B85036&accountId=9422353604&passphrase=YCRPyPSEUARw5",
		"Afon Surgery\nPractice ID (ODS code): B85036\nAccount ID: 9422353604\nLinkage key (passphrase): YCRPyPSEUARw5\nAsk us: 01632 960001",
		"ods=B85036;ods=B85036;account=9422353604;key=YCRPyPSEUARw5",
		"B85036\n9422353604\nYCRPyPSEUARw5", "ods=B85036;account=9422353604;key=YCRPyPSEUARw5",
		"Practice ID: B85036\r\nAccount ID: 9422353604\r\nLinkage key: YCRPyPSEUARw5",
	} {
		if got, ok := entry.PracticeCode(symbol); !ok || got.Account != good.Account || got.Key != good.Key {
			t.Errorf("%q reads as %+v, %t", symbol, got, ok)
		}
	}
	for rule, symbol := range map[string]string{
		"nothing": "", "one value": "B85036", "other names": "a=b;c=d;e=f", "other values": "x\ny\nz", "no values": "ods;=;",
		"the order of nobody":  "YCRPyPSEUARw5\n9422353604\nB85036",
		"four values":          "B85036\n9422353604\nYCRPyPSEUARw5\nYCRPyPSEUARw6",
		"two keys":             "ods=B85036;account=9422353604;key=YCRPyPSEUARw5;passphrase=YCRPyPSEUARw6",
		"two keys of one name": `{"ods":"B85036","account":"9422353604","key":"YCRPyPSEUARw5","key":"YCRPyPSEUARw6"}`,
		"a broken object":      `{"ods":"B85036","account":"9422353604","key":"YCRPyPSEUARw5"`,
		"a key in pieces":      `{"ods":"B85036","account":"9422353604","key":["YCRPyPSEUARw5"]}`,
		"a list":               `["B85036","9422353604","YCRPyPSEUARw5"]`,
		"an account in E":      `{"ods":"B85036","account":9.4e9,"key":"YCRPyPSEUARw5"}`,
		"an endless symbol":    "ods=B85036;account=9422353604;key=YCRPyPSEUARw5" + strings.Repeat(";", 5000),
	} {
		if got, ok := entry.PracticeCode(symbol); ok {
			t.Errorf("%s: taken for a practice's letter: %+v", rule, got)
		}
	}
}

// FuzzPracticeCode scans whatever comes: what is taken is in the form of a
// practice's codes, and is taken alike when it is typed.
func FuzzPracticeCode(f *testing.F) {
	for _, seed := range []string{
		"B85036\n9422353604\nYCRPyPSEUARw5", "ods=B85036;account=9422353604;key=YCRPyPSEUARw5",
		`{"ods":"B85036","accountId":9422353605,"linkageKey":"YCRPyPSEUARu6"}`, `{"ods":{"ods":[`, "\u202eods:\x00",
		"Practice ID: B85036\r\nAccount ID: 9422353604\r\nLinkage key: YCRPyPSEUARw5",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, symbol string) {
		p, ok := entry.PracticeCode(symbol)
		fact, kind := entry.Practice(p)
		if !ok {
			return
		}
		got, taken := fact.(proof.PracticeDetailsGiven)
		if kind != proof.KindNone || !taken || len(got.ODS) > 10 || len(got.Account) > 20 || len(got.Key) > 40 || !shows(got.ODS+got.Account+got.Key) {
			t.Errorf("%q: %q %+v", symbol, kind, fact)
		}
	})
}
