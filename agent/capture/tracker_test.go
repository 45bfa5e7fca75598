package capture

import (
	"fmt"
	"image"
	"slices"
	"testing"
)

// seen is a good verdict with the document at a place.
func seen(x, y int) Verdict {
	return Verdict{
		Guidance: OK, Found: true, Size: image.Pt(1000, 750),
		Outline: [4]image.Point{{x, y}, {x + 600, y}, {x + 600, y + 400}, {x, y + 400}},
	}
}

func TestTrackerHoldsStillOverTwoFrames(t *testing.T) {
	t.Parallel()
	dark := seen(100, 100)
	dark.Guidance = TooDark
	other := seen(103, 100)
	other.Size = image.Pt(640, 480)
	tests := []struct {
		name   string
		frames []Verdict
		want   Guidance
	}{
		{"first frame", []Verdict{seen(100, 100)}, HoldStill},
		{"two alike", []Verdict{seen(100, 100), seen(103, 98)}, OK},
		{"moved", []Verdict{seen(100, 100), seen(140, 100)}, HoldStill},
		{"moved and came to rest", []Verdict{seen(100, 100), seen(140, 100), seen(141, 100)}, OK},
		{"one corner turned", []Verdict{seen(100, 100), bent()}, HoldStill},
		{"away in between", []Verdict{seen(100, 100), {Guidance: NoDocument, Size: image.Pt(1000, 750)}, seen(100, 100)}, HoldStill},
		{"another fault goes first", []Verdict{seen(100, 100), dark}, TooDark},
		{"a fault that was in the same place", []Verdict{dark, seen(100, 100)}, OK},
		{"another camera", []Verdict{seen(100, 100), other}, HoldStill},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var tr Tracker
			var got Verdict
			for _, v := range test.frames {
				tr, got = tr.See(v)
			}
			if got.Guidance != test.want {
				t.Errorf("got %s, want %s", got.Guidance, test.want)
			}
		})
	}
}

// bent is a verdict in which one corner is elsewhere.
func bent() Verdict {
	v := seen(100, 100)
	v.Outline[2].X += 50
	return v
}

func TestTrackerAgreesOnTwoReadings(t *testing.T) {
	t.Parallel()
	a, b := []string{"P<UTOSPECIMEN<<ANNA", "L1"}, []string{"P<UTOSPECIMEN<<QNNA", "L1"}
	var tr Tracker
	if tr.Agreed() != nil || tr.Best() != nil {
		t.Error("the zero Tracker has lines")
	}
	tr = tr.Read(a, -0.2).Read(b, -0.1)
	if tr.Agreed() != nil {
		t.Errorf("two readings that differ agree on %q", tr.Agreed())
	}
	if !slices.Equal(tr.Best(), b) {
		t.Errorf("best is %q, want the one with the better score", tr.Best())
	}
	tr = tr.Read(a, -0.25)
	if !slices.Equal(tr.Agreed(), a) {
		t.Errorf("agreed on %q, want %q", tr.Agreed(), a)
	}
}

func TestTrackerIsAValue(t *testing.T) {
	t.Parallel()
	lines := []string{"ABC"}
	base := Tracker{}.Read(lines, -0.1)
	left, right := base.Read([]string{"L"}, -0.1), base.Read([]string{"R"}, -0.1)
	if left.Read([]string{"L"}, 0).Agreed() == nil || right.Read([]string{"L"}, 0).Agreed() != nil {
		t.Error("two continuations of a Tracker share their readings")
	}
	lines[0] = "changed"
	if base.Read([]string{"ABC"}, 0).Agreed() == nil {
		t.Error("a Tracker kept the caller's slice")
	}
	base.Best()[0] = "changed"
	if base.Best()[0] != "ABC" {
		t.Error("a Tracker gave its own slice away")
	}
	if base.Read(nil, 0).Best() == nil {
		t.Error("a reading without lines changed what was read")
	}
}

func TestTrackerForgetsOldReadings(t *testing.T) {
	t.Parallel()
	tr := Tracker{}.Read([]string{"first"}, 0)
	for i := range keptReadings {
		tr = tr.Read([]string{fmt.Sprint(i)}, -1)
	}
	if len(tr.readings) != keptReadings {
		t.Errorf("%d readings are kept, want %d", len(tr.readings), keptReadings)
	}
	if tr.Read([]string{"first"}, 0).Agreed() != nil {
		t.Error("a reading agreed with one long gone")
	}
}
