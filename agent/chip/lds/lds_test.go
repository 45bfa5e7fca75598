package lds

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/counterproof/counterproof/agent/proof"
)

// The zones of the specimens of ICAO 9303-4, -5 and -6.
var (
	td3 = []string{
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
		"L898902C36UTO7408122F1204159ZE184226B<<<<<10",
	}
	td2 = []string{"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"}
	td1 = []string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}
)

// wrong is what an error says is wrong, "" for none; any other error fails.
func wrong(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	e, is := errors.AsType[*Error](err)
	if !is || !strings.HasPrefix(err.Error(), e.File.String()+": ") {
		t.Fatalf("the error %v does not name its file", err)
	}
	return e.Wrong
}

func TestGroups(t *testing.T) {
	t.Parallel()
	for g, want := range map[Group]struct {
		name string
		tag  byte
	}{0: {"EF.COM", 0x60}, 1: {"DG1", 0x61}, 2: {"DG2", 0x75}, 3: {"DG3", 0x63}, 14: {"DG14", 0x6e}, 16: {"DG16", 0x70}, 17: {"DG17", 0}, -1: {"DG-1", 0}} {
		if g.String() != want.name || g.Tag() != want.tag {
			t.Errorf("%d is %s with tag %02X, want %s, %02X", int(g), g, g.Tag(), want.name, want.tag)
		}
	}
}

func TestMRZ(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{"TD3": td3, "TD2": td2, "TD1": td1} {
		got, err := MRZ(BuildDG1(lines))
		if err != nil || !slices.Equal(got, lines) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	good := BuildDG1(td3)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":             {nil, "its length is not that of what follows"},
		"cut-off":           {good[:40], "its length is not that of what follows"},
		"followed":          {append(slices.Clone(good), 0), "more follows than its length says"},
		"another-file":      {write(0x75, good[2:]), "it begins with the tag of another file"},
		"no-zone":           {write(0x61, write(0x5f20, []byte("x"))), "it has no machine-readable zone"},
		"length-of-none":    {BuildDG1([]string{td3[0]}), "the zone has the length of no document"},
		"small-letters":     {BuildDG1([]string{strings.ToLower(td3[0]), td3[1]}), "the zone holds a sign that no zone has"},
		"line-break":        {BuildDG1([]string{td3[0][:43] + "\n", td3[1]}), "the zone holds a sign that no zone has"},
		"inner-length-lies": {write(0x61, []byte{0x5f, 0x1f, 0x58}), "the lengths inside it do not fit"},
		"indefinite-length": {write(0x61, []byte{0x5f, 0x1f, 0x80, 0, 0}), "the lengths inside it do not fit"},
		"tag-of-3-bytes":    {write(0x61, []byte{0x5f, 0x9f, 0x1f, 0x00}), "the lengths inside it do not fit"},
		"too-large":         {make([]byte, MaxFile+1), "it is larger than a file may be"},
	} {
		lines, err := MRZ(c.file)
		if got := wrong(t, err); got != c.want || lines != nil {
			t.Errorf("%s: got %q, %q; want %q", name, lines, got, c.want)
		}
	}
}

func TestCOM(t *testing.T) {
	t.Parallel()
	got, err := ParseCOM(BuildCOM(1, 2, 14, 15, 99, 0))
	if err != nil || got.Version != "0107" || got.Unicode != "040000" || !slices.Equal(got.Groups, []Group{1, 2, 14, 15}) {
		t.Errorf("got %+v, %v", got, err)
	}
	odd := write(0x60, write(0x5f01, []byte("v1.7")), write(0x5c, []byte{0x75, 0x61, 0x75, 0x60, 0x00, 0xff, 0x70}))
	if got, err := ParseCOM(odd); err != nil || got.Version != "" || !slices.Equal(got.Groups, []Group{2, 1, 16}) {
		t.Errorf("with unknown tags and twice the same: %+v, %v", got, err)
	}
	if _, err := ParseCOM(write(0x60, write(0x5f01, []byte("0107")))); wrong(t, err) != "it has no list of groups" {
		t.Errorf("without a list: %v", err)
	}
	if _, err := ParseCOM(BuildDG1(td3)); wrong(t, err) != "it begins with the tag of another file" {
		t.Errorf("another file: %v", err)
	}
	many := write(0x60, bytes.Repeat(write(0x5c, []byte{0x61}), maxObjects+1))
	if _, err := ParseCOM(many); wrong(t, err) == "" {
		t.Error("any number of objects is read")
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	got, err := Signature(BuildDG7([]byte(jpegStart + "pen")))
	if err != nil || got.Format != JPEG || string(got.Bytes) != jpegStart+"pen" {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"none":         {BuildOpaque(7, nil), "it has no signature"},
		"no-picture":   {BuildDG7([]byte("GIF89a")), "the signature is no picture of a known format"},
		"another-file": {BuildDG1(td3), "it begins with the tag of another file"},
	} {
		if _, err := Signature(c.file); wrong(t, err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Content that this package does not look into comes out as it went in.
func TestOpaque(t *testing.T) {
	t.Parallel()
	content := []byte("for the state to know")
	if got, err := Optional(BuildOpaque(13, content)); err != nil || !bytes.Equal(got, content) {
		t.Errorf("DG13: %q, %v", got, err)
	}
	if _, err := Optional(BuildOpaque(12, content)); wrong(t, err) == "" {
		t.Error("DG12 is read as DG13")
	}
	key := write(0x30, []byte("key"))
	if got, err := PublicKey(BuildOpaque(15, key)); err != nil || !bytes.Equal(got, key) {
		t.Errorf("DG15: %q, %v", got, err)
	}
	for name, file := range map[string][]byte{
		"no-sequence": BuildOpaque(15, write(0x31, nil)), "followed": BuildOpaque(15, append(key, 0)),
		"empty": BuildOpaque(15, nil), "another-file": BuildOpaque(14, key),
	} {
		if got, err := PublicKey(file); wrong(t, err) == "" {
			t.Errorf("%s: %X is taken for a key", name, got)
		}
	}
}

func TestPersonal(t *testing.T) {
	t.Parallel()
	want := Personal{
		Name: Name{"ÅKESSON", "Anna Maria"}, PersonalNumber: "000-111", Birth: proof.Date{Year: 1974, Month: 8, Day: 12},
		BirthPlace: []string{"Zenith", "UTO"}, Address: []string{"1 High Street", "Zenith"},
	}
	got, err := ParsePersonal(BuildDG11(want))
	if err != nil || got.Name != want.Name || got.Birth != want.Birth || got.PersonalNumber != want.PersonalNumber ||
		!slices.Equal(got.Address, want.Address) || !slices.Equal(got.BirthPlace, want.BirthPlace) || len(got.Unread) > 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	full := write(0x6b,
		write(0xa0, write(0x02, []byte{2}), write(0x5f0f, []byte("VALE<<ROBIN")), write(0x5f0f, []byte("ROBIN"))),
		write(0x5f2b, []byte{0x19, 0x74, 0x08, 0x12}),
		write(0x5f12, []byte("+44 1")), write(0x5f13, []byte("baker")), write(0x5f14, []byte("Dr")), write(0x5f15, []byte("s")),
		write(0x5f16, []byte(j2kStart)), write(0x5f17, []byte("A1<B2")), write(0x5f18, []byte("c")))
	got, err = ParsePersonal(full)
	if err != nil || got.Birth != want.Birth || !slices.Equal(got.OtherNames, []Name{{"VALE", "ROBIN"}, {"ROBIN", ""}}) ||
		got.Telephone != "+44 1" || got.Profession != "baker" || got.Title != "Dr" || got.Summary != "s" ||
		got.Citizenship.Format != J2K || !slices.Equal(got.Documents, []string{"A1", "B2"}) || got.Custody != "c" || len(got.Unread) > 0 {
		t.Errorf("in BCD: got %+v, %v", got, err)
	}
	if _, err := ParsePersonal(full[:20]); wrong(t, err) == "" {
		t.Error("half a file is read")
	}
}

// A field that makes no sense is empty and told; the others are read.
func TestUnread(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), MaxText+1)
	got, err := ParsePersonal(write(0x6b,
		write(0x5f2b, []byte("12081974")), // no month 19
		write(0x5f2b, []byte("19740812")), // the second of its kind
		write(0x5f0e, long), write(0x5f16, []byte("not a picture")), write(0xa0, []byte{0x5f}), write(0x5f13, []byte("baker"))))
	if err != nil || got.Birth != (proof.Date{}) || got.Name != (Name{}) || len(got.Citizenship.Bytes) > 0 || got.Profession != "baker" {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := []uint16{0x5f2b, 0x5f0e, 0x5f16, 0xa0}; !slices.Equal(got.Unread, want) {
		t.Errorf("unread are %X, want %X", got.Unread, want)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"19740812": "1974-08-12", "\x19\x74\x08\x12": "1974-08-12", "19740800": "1974-08-??", "19740000": "1974-??-??",
		"00000000": "", "19741301": "", "19740231": "", "1974081": "", "1974081x": "", "\x19\x74\x0a\x12": "", "": "", "197408121": "",
	} {
		d, ok := date([]byte(in))
		if d.String() != want || ok != (want != "") {
			t.Errorf("%q is %q, %t; want %q", in, d, ok, want)
		}
	}
	if d, ok := moment([]byte("20260102030405")); !ok || d.String() != "2026-01-02" {
		t.Errorf("a moment is of %s, %t", d, ok)
	}
	if d, ok := moment([]byte("20260102")); ok {
		t.Errorf("a day is a moment of %s", d)
	}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	got, err := ParseIssue(BuildDG12(Issue{Authority: "Utopian Office", Date: proof.Date{Year: 2020, Month: 2, Day: 29}}))
	if err != nil || got.Authority != "Utopian Office" || got.Date.String() != "2020-02-29" || len(got.Unread) > 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = ParseIssue(write(0x6c, write(0xa0, write(0x5f1a, []byte("VALE<<IRIS"))), write(0x5f1b, []byte("none")), write(0x5f1c, []byte("paid")),
		write(0x5f1d, []byte(jpegStart)), write(0x5f1e, []byte(jp2Start)), write(0x5f55, []byte{0x20, 0x20, 0x02, 0x28, 0x10, 0x00, 0x00}), write(0x5f56, []byte("M7"))))
	if err != nil || !slices.Equal(got.Others, []Name{{"VALE", "IRIS"}}) || got.Observations != "none" || got.TaxOrExit != "paid" ||
		got.Front.Format != JPEG || got.Rear.Format != JP2 || got.Personalised.String() != "2020-02-28" || got.System != "M7" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := ParseIssue(BuildDG1(td3)); wrong(t, err) == "" {
		t.Error("DG1 is read as DG12")
	}
}

func TestContacts(t *testing.T) {
	t.Parallel()
	one := slices.Concat(write(0x5f50, []byte("20200101")), write(0x5f51, []byte("VALE<<IRIS")), write(0x5f52, []byte("+44 2")), write(0x5f53, []byte("2 Low Road<Zenith")))
	got, err := Contacts(write(0x70, write(0x02, []byte{2}), write(0xa1, one), write(0xa2, write(0x5f51, []byte("B")))))
	if err != nil || len(got) != 2 || got[0].Name != (Name{"VALE", "IRIS"}) || got[0].Recorded.String() != "2020-01-01" ||
		got[0].Telephone != "+44 2" || !slices.Equal(got[0].Address, []string{"2 Low Road", "Zenith"}) || got[1].Name.Surname != "B" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := Contacts(write(0x70, write(0xa1, []byte{0x5f, 0x51, 9}))); wrong(t, err) != "the lengths inside it do not fit" {
		t.Errorf("a length that lies: %v", err)
	}
	many := bytes.Repeat(write(0xa1, nil), maxPeople+5)
	if got, err := Contacts(write(0x70, many)); err != nil || len(got) != maxPeople {
		t.Errorf("%d persons, %v", len(got), err)
	}
}

// Nothing invisible and nothing that turns the writing comes out of a text.
func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Siân":               "Siân",
		"Si\xe2n":            "Siân", // Latin-1
		" two\t\n words ":    "two words",
		"a\u202eb":           "a\ufffdb",
		"a\u2066b\u2069":     "a\ufffdb\ufffd",
		"a\x00b\x1b[2Jc":     "a\ufffdb\ufffd[2Jc",
		"a\u200bb\ufe0f":     "a\ufffdb\ufffd",
		"a\u034fb\u3164c":    "a\ufffdb\ufffdc",
		"\ue000":             "\ufffd",
		"日本":                 "日本",
		"\u0627\u0644\u0641": "\u0627\u0644\u0641",
	} {
		if got, ok := text([]byte(in)); got != want || !ok {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// clean fails on text that does not show all that it holds.
func clean(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar }) {
			t.Errorf("%q is handed on", s)
		}
		if len([]rune(s)) > MaxText {
			t.Errorf("%d characters are handed on", len(s))
		}
	}
}

func FuzzMRZ(f *testing.F) {
	for _, lines := range [][]string{td1, td2, td3} {
		f.Add(BuildDG1(lines))
	}
	f.Add([]byte{0x61, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, err := MRZ(b)
		if (err == nil) != (len(lines) > 0) || len(lines) > 3 {
			t.Errorf("%d lines, %v", len(lines), err)
		}
		clean(t, lines...)
		if err == nil && len(b) > 200 {
			t.Errorf("%d bytes are a zone", len(b))
		}
	})
}

func FuzzCOM(f *testing.F) {
	f.Add(BuildCOM(1, 2, 3, 14))
	f.Add([]byte{0x60, 0x03, 0x5c, 0x81, 0x00})
	f.Add(write(0x60, write(0x5f01, []byte("000000")), write(0x5c)))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := ParseCOM(b)
		if err != nil && len(x.Groups) > 0 || len(x.Groups) > 16 || len(x.Version) > 4 {
			t.Errorf("%d groups, %v", len(x.Groups), err)
		}
		for _, g := range x.Groups {
			if g.Tag() == 0 {
				t.Errorf("there is no group %d", g)
			}
		}
	})
}

func FuzzDetails(f *testing.F) {
	f.Add(BuildDG11(Personal{Name: Name{"VALE", "ROBIN"}, Birth: proof.Date{Year: 1980, Month: 1, Day: 2}, Address: []string{"1 High Street"}}))
	f.Add(BuildDG12(Issue{Authority: "Office", Date: proof.Date{Year: 2020, Month: 1, Day: 2}}))
	f.Add(write(0x70, write(0xa1, write(0x5f51, []byte("VALE<<IRIS")))))
	f.Add(write(0x6b, write(0xa0, write(0x5f0f, []byte("\u202eVALE<<\xff")))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParsePersonal(b); err == nil {
			clean(t, p.Name.Surname, p.Name.Given, p.PersonalNumber, p.Telephone, p.Profession, p.Title, p.Summary, p.Custody)
			clean(t, slices.Concat(p.BirthPlace, p.Address, p.Documents)...)
			if p.Birth != (proof.Date{}) && !p.Birth.Valid() {
				t.Errorf("born %v", p.Birth)
			}
		}
		if i, err := ParseIssue(b); err == nil {
			clean(t, i.Authority, i.Observations, i.TaxOrExit, i.System)
			for _, n := range i.Others {
				clean(t, n.Surname, n.Given)
			}
		}
		all, _ := Contacts(b)
		for _, c := range all {
			clean(t, append(c.Address, c.Name.Surname, c.Name.Given, c.Telephone)...)
		}
		_, _ = Signature(b)
		_, _ = Optional(b)
		_, _ = PublicKey(b)
	})
}
