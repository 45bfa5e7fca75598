package licence

import (
	"strings"
	"testing"
)

func BenchmarkCheckNumber(b *testing.B) {
	p := named(b, "Winterbourne", "Agnes Kate")
	p.Birth, p.Sex = day(1971, 2, 9), "F"
	for b.Loop() {
		CheckNumber("WINTE752091AK9ZZ", p)
	}
}

func BenchmarkFromLines(b *testing.B) {
	_, lines, _ := prints(b)
	for b.Loop() {
		FromLines(lines["gb"], visit)
	}
}

// BenchmarkFromLinesWorst is what hostile print can cost.
func BenchmarkFromLinesWorst(b *testing.B) {
	var lines []string
	for range maxLines {
		lines = append(lines, "4a "+strings.Repeat("4b A ", maxLine/5))
	}
	for b.Loop() {
		FromLines(lines, visit)
	}
}

func BenchmarkParseAAMVA(b *testing.B) {
	payload := compose(10, agnes(), part{"ZV", []string{"ZVA01"}})
	for b.Loop() {
		if _, err := ParseAAMVA(payload); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseAAMVAWorst is what a hostile bar code can cost.
func BenchmarkParseAAMVAWorst(b *testing.B) {
	payload := "@\n\x1e\rANSI 636000100199" + strings.Repeat("DL00010001", maxSubfiles)
	for a := 'A'; len(payload) < maxPayload-8; a++ {
		payload += "Z" + string('A'+a%26) + string('A'+(a/26)%26) + "\n"
	}
	for b.Loop() {
		if _, err := ParseAAMVA(payload); err != nil {
			b.Fatal(err)
		}
	}
}
