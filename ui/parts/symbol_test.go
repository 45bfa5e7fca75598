package parts

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/counterproof/counterproof/ui/look"
)

func TestSymbolsStayInTheirSquare(t *testing.T) {
	themed(t, 1)
	for _, code := range []string{"", "camera", "mrz_reader", "chip_reader", "barcode_reader", "printer", "document_scanner", "telepathy"} {
		s := NewSymbol(code, look.Ink, 50)
		s.Resize(s.MinSize())
		if s.MinSize() != fyne.NewSquareSize(50) || len(s.Objects) == 0 {
			t.Errorf("%q: %v with %d parts", code, s.MinSize(), len(s.Objects))
		}
		for _, o := range s.Objects {
			to := o.Position().Add(o.Size())
			if o.Position().X < 0 || o.Position().Y < 0 || to.X > 50 || to.Y > 50 || o.Size().Width <= 0 || o.Size().Height <= 0 {
				t.Errorf("%q: a part from %v of %v", code, o.Position(), o.Size())
			}
		}
	}
}

func TestTheGaugePointsWithinItsScale(t *testing.T) {
	themed(t, 1)
	for _, level := range []float64{-1, 0, 0.3, 1, 7} {
		g := NewGauge(level, 0.2, 0.8, level == 0.3)
		g.Resize(fyne.NewSize(300, g.MinSize().Height))
		needle, _ := g.Objects[2].(*canvas.Rectangle)
		if x := needle.Position().X; x < 0 || x+needle.Size().Width > 300 {
			t.Errorf("level %v: the needle stands at %v", level, x)
		}
		if good := needle.FillColor == look.Go; good != (level == 0.3) {
			t.Errorf("level %v: good is %t", level, good)
		}
	}
	g := NewGauge(0.5, 0.2, 0.8, true)
	g.Resize(fyne.NewSize(300, 34))
	if right := g.Objects[1]; right.Position().X != 60 || right.Size().Width != 180 {
		t.Errorf("the good part is at %v of %v", right.Position(), right.Size())
	}
}

func TestAsideGivesTheRestToTheText(t *testing.T) {
	themed(t, 1)
	text := NewText("a sentence that is far too long for the little room that is left beside the symbol")
	a := Aside(50, NewSymbol("camera", look.Ink, 50), text)
	a.Resize(fyne.NewSize(264, 10))
	if text.Position().X != 50+Gap || text.Size().Width != 264-50-Gap {
		t.Errorf("the text is at %v of %v", text.Position(), text.Size())
	}
	if high := heightFor(a, 264); high < 60 || high != text.HeightFor(200) {
		t.Errorf("it is %v high", high)
	}
}
