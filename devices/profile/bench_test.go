package profile

import "testing"

// BenchmarkEmbedded reads every profile of the program.
func BenchmarkEmbedded(b *testing.B) {
	for b.Loop() {
		if len(Embedded().Problems()) > 0 {
			b.Fatal("problems")
		}
	}
}

// BenchmarkMatch asks for a thing that no profile fits, the longest way.
func BenchmarkMatch(b *testing.B) {
	set := siteSet(b)
	f := Found{Bus: BusUSB, Vendor: 0x04b8, Class: "07/01/02", DeviceID: "MFG:EPSON;CMD:ESCPL2,BDC;MDL:XP-2100;"}
	for b.Loop() {
		if _, ok := set.Match(f); ok {
			b.Fatal("matched")
		}
	}
}
