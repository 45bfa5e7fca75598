package face

import (
	"image"
	"math"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// head is a face of given turns, in degrees, with its eyes 60 apart, 60 above
// its mouth, the lids 6 apart and the lips closed.
func head(yaw, pitch, roll float64) located {
	var f located
	put := func(x, y, z float64, mesh ...int) {
		for _, i := range mesh {
			f.mesh[i] = vector{x, y, z}
		}
	}
	put(-40, -30, 10, leftEyeOutside)
	put(40, -30, 10, rightEyeOutside)
	put(-20, -30, 5, 133)
	put(20, -30, 5, 362)
	put(-30, -33, 5, 159, 158, 160)
	put(-30, -27, 5, 145, 153, 144)
	put(30, -33, 5, 386, 385, 387)
	put(30, -27, 5, 374, 380, 373)
	put(0, 0, -20, noseTip, noseBridge)
	put(-25, 35, 0, mouthLeft)
	put(25, 35, 0, mouthRight)
	put(0, 35, 0, upperLip, lowerLip, upperLipLeft, lowerLipLeft, upperLipRight, lowerLipRight)
	put(0, -70, 10, forehead)
	put(0, 70, 10, chin)
	rad := math.Pi / 180
	for i, v := range f.mesh {
		v = vector{v[0]*math.Cos(yaw*rad) + v[2]*math.Sin(yaw*rad), v[1], -v[0]*math.Sin(yaw*rad) + v[2]*math.Cos(yaw*rad)}
		v = vector{v[0], v[1]*math.Cos(pitch*rad) - v[2]*math.Sin(pitch*rad), v[1]*math.Sin(pitch*rad) + v[2]*math.Cos(pitch*rad)}
		v = vector{v[0]*math.Cos(roll*rad) - v[1]*math.Sin(roll*rad), v[0]*math.Sin(roll*rad) + v[1]*math.Cos(roll*rad), v[2]}
		f.mesh[i] = vector{v[0] + 200, v[1] + 150, v[2]}
	}
	return f
}

func TestPose(t *testing.T) {
	for _, c := range []struct {
		name             string
		yaw, pitch, roll float64
	}{
		{"frontal", 0, 0, 0}, {"to-a-side", 30, 0, 0}, {"to-the-other", -30, 0, 0},
		{"up", 0, 20, 0}, {"down", 0, -20, 0}, {"tilted", 0, 0, 15}, {"tilted-the-other-way", 0, 0, -15},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := head(c.yaw, c.pitch, c.roll)
			q := f.pose()
			if math.Abs(math.Abs(q.Yaw)-math.Abs(c.yaw)) > 0.5 || math.Abs(math.Abs(q.Pitch)-math.Abs(c.pitch)) > 0.5 || math.Abs(q.Roll-c.roll) > 0.5 {
				t.Errorf("got yaw %.1f, pitch %.1f, roll %.1f", q.Yaw, q.Pitch, q.Roll)
			}
			if math.Abs(q.EyeDistance-60) > 1.5 {
				t.Errorf("eye distance: got %.1f, want 60 as from the front", q.EyeDistance)
			}
		})
	}
	left, right := head(25, 0, 0), head(-25, 0, 0)
	if l, r := left.pose().Yaw, right.pose().Yaw; l*r >= 0 {
		t.Errorf("both sides have the same sign: %v and %v", l, r)
	}
}

func TestEyesAndMouth(t *testing.T) {
	f := head(0, 0, 0)
	open := f.pose()
	if math.Abs(open.EyesOpen-0.06) > 0.005 || open.MouthOpen > 1e-9 {
		t.Errorf("got eyes %.3f and mouth %.3f, want 0.060 and 0", open.EyesOpen, open.MouthOpen)
	}
	for _, lid := range []int{386, 385, 387} { // one eye closes
		f.mesh[lid][1] += 6
	}
	f.mesh[lowerLip][1] += 20
	q := f.pose()
	if q.EyesOpen > 1e-9 {
		t.Errorf("one eye closed: got %.3f, want 0", q.EyesOpen)
	}
	if math.Abs(q.MouthOpen-0.2) > 0.02 {
		t.Errorf("mouth open: got %.3f, want about 0.2", q.MouthOpen)
	}
}

// chip is a luminance for every pixel of an aligned face.
func chip(at func(x, y int) float64) []float64 {
	y := make([]float64, chipSize*chipSize)
	for i := range y {
		y[i] = at(i%chipSize, i/chipSize)
	}
	return y
}

func TestLight(t *testing.T) {
	var dark, bright, even, onesided, fine, coarse Quality
	dark.light(chip(func(int, int) float64 { return 20 }))
	bright.light(chip(func(int, int) float64 { return 250 }))
	even.light(chip(func(x, y int) float64 { return float64((x + y) % 256) }))
	onesided.light(chip(func(x, _ int) float64 { return 50 + 150*float64(x/(chipSize/2)) }))
	fine.light(chip(func(x, _ int) float64 { return 100 + 50*float64(x%2) }))
	coarse.light(chip(func(x, _ int) float64 { return 100 + 50*math.Sin(float64(x)/15) }))
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"dark-share", math.Abs(dark.Dark-1) < 1e-6 && dark.Bright == 0},
		{"bright-share", math.Abs(bright.Bright-1) < 1e-6 && bright.Dark == 0},
		{"mean", math.Abs(dark.Luminance-20) < 1e-6 && math.Abs(bright.Luminance-250) < 1e-6},
		{"one-colour-has-no-detail", math.Abs(dark.Detail) < 1e-6},
		{"many-colours-have", even.Detail > 7},
		{"one-colour-is-evenly-lit", dark.Evenness > 0.999},
		{"light-from-a-side", math.Abs(onesided.Evenness-0.25) < 0.01},
		{"lines-are-sharper-than-waves", fine.Sharpness > 100*coarse.Sharpness},
		{"one-colour-is-not-sharp", dark.Sharpness == 0},
	} {
		if !c.ok {
			t.Errorf("%s: dark %+v, bright %+v, even %+v, onesided %+v, fine %+v, coarse %+v", c.name, dark, bright, even, onesided, fine, coarse)
		}
	}
}

func TestLuminance(t *testing.T) {
	got := luminance([]float32{255, 255, 255, 0, 255, 0})
	if math.Abs(got[0]-255) > 1e-9 || math.Abs(got[1]-0.7152*255) > 1e-9 {
		t.Errorf("got %v", got)
	}
}

func TestGuidance(t *testing.T) {
	l := builtInProfile(t).Capture
	good := Quality{EyeDistance: 90, Luminance: 130, Sharpness: 200}
	with := func(change func(*Quality)) []Face {
		q := good
		change(&q)
		return []Face{{Quality: q}}
	}
	for _, c := range []struct {
		name  string
		faces []Face
		want  proof.Kind
	}{
		{"good", with(func(*Quality) {}), proof.KindNone},
		{"nobody", nil, proof.KindNoFace},
		{"two-people", append(with(func(*Quality) {}), with(func(*Quality) {})...), proof.KindManyFaces},
		{"too-far-away", with(func(q *Quality) { q.EyeDistance = 39 }), proof.KindFaceTooSmall},
		{"to-the-left", with(func(q *Quality) { q.Yaw = -40 }), proof.KindFaceTurned},
		{"downward", with(func(q *Quality) { q.Pitch = 40 }), proof.KindFaceTurned},
		{"tilted", with(func(q *Quality) { q.Roll = -40 }), proof.KindFaceTurned},
		{"dark", with(func(q *Quality) { q.Luminance = 30 }), proof.KindFaceDark},
		{"blurred", with(func(q *Quality) { q.Sharpness = 3 }), proof.KindFaceBlurred},
		{"far-dark-and-blurred", with(func(q *Quality) { *q = Quality{} }), proof.KindFaceTooSmall},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := l.kind(c.faces); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeNeedsNoNetwork(t *testing.T) {
	e := &Engine{profile: builtInProfile(t), nets: &networks{scratch: make([]float32, 3*chipSize*chipSize)}}
	p := worked(t, ramp(400, 300))
	f := head(0, 0, 0)
	f.box = box{200, 150, 100, 140}
	got := e.judge(p, f)
	if got.Box != image.Rect(150, 80, 250, 220) {
		t.Errorf("box: got %v", got.Box)
	}
	if got.Quality.Luminance < 50 || got.Quality.EyeDistance < 55 {
		t.Errorf("quality: got %+v", got.Quality)
	}
	for _, v := range e.nets.scratch {
		if v != 0 {
			t.Fatal("the aligned face is still in memory")
		}
	}
}
