package house_test

import (
	"os"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/packaging/house"
)

func TestHouse(t *testing.T) {
	h, err := house.Open(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range h.Breaches() {
		t.Error(b)
	}
	for _, f := range h.Figures() {
		if f.Verdict() == "FAIL" {
			t.Errorf("%s: %v is beyond %v:\n\t%s", f.Name, f.Value, f.Max, strings.Join(f.Where, "\n\t"))
		}
	}
	var report strings.Builder
	if err := h.Report(&report); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + report.String())
}
