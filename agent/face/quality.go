package face

import (
	"math"

	"github.com/counterproof/counterproof/agent/proof"
)

// Quality is how well a face can be seen. The measures follow those of OFIQ
// (ISO/IEC 29794-5) where landmarks and pixels tell them; no conformity is
// claimed, and for the matcher none of them has been shown to gain accuracy:
// they guide the capture.
type Quality struct {
	EyeDistance float64 // pixels between the eyes' middles, as if seen from the front
	Yaw         float64 // degrees; turned to a side
	Pitch       float64 // degrees; up or down
	Roll        float64 // degrees; tilted to a shoulder
	EyesOpen    float64 // gap of the less open eye by the distance from the eyes to the chin
	MouthOpen   float64 // gap of the lips by the same
	Luminance   float64 // mean of the aligned face, 0–255
	Dark        float64 // share of its pixels at 25 or less
	Bright      float64 // share of its pixels at 247 or more
	Detail      float64 // entropy of its luminance in bits, 0–8
	Sharpness   float64 // variance of its Laplacian; a stand-in for a trained measure
	Evenness    float64 // light on the darker half of the face by the lighter one, 0–1
}

// Limits are what a live picture should keep to.
type Limits struct {
	EyeDistance float64 `json:"eye_distance"` // pixels, at least
	Turn        float64 `json:"turn"`         // degrees of yaw or pitch, at most
	Tilt        float64 `json:"tilt"`         // degrees of roll, at most
	Luminance   float64 `json:"luminance"`    // at least
	Sharpness   float64 `json:"sharpness"`    // at least
}

// kind says the one thing to change about a picture with these faces.
func (l Limits) kind(faces []Face) proof.Kind {
	switch len(faces) {
	case 0:
		return proof.KindNoFace
	case 1:
		return l.judge(faces[0].Quality)
	}
	return proof.KindManyFaces
}

// judge says the one thing to change about a face: first what a step or a turn
// of the head mends, then what the place or the camera does.
func (l Limits) judge(q Quality) proof.Kind {
	switch {
	case q.EyeDistance < l.EyeDistance:
		return proof.KindFaceTooSmall
	case max(math.Abs(q.Yaw), math.Abs(q.Pitch)) > l.Turn || math.Abs(q.Roll) > l.Tilt:
		return proof.KindFaceTurned
	case q.Luminance < l.Luminance:
		return proof.KindFaceDark
	case q.Sharpness < l.Sharpness:
		return proof.KindFaceBlurred
	}
	return proof.KindNone
}

// Landmarks of the mesh by what they stand for.
const (
	forehead, chin                     = 10, 152
	leftEyeOutside, rightEyeOutside    = 33, 263 // as seen in the picture
	noseTip, noseBridge                = 1, 4
	mouthLeft, mouthRight              = 61, 291
	upperLip, lowerLip                 = 13, 14
	upperLipLeft, lowerLipLeft         = 82, 87
	upperLipRight, lowerLipRight       = 312, 317
	chipSize                           = 112 // side of the aligned face that is measured
	chipEyeLeft, chipEyeRight, eyeLine = 38.2946, 73.5318, 51.6
	chipNoseX, chipNoseY               = 56.0252, 71.7366
	chipMouthLeft, chipMouthRight      = 41.5493, 70.7299
	mouthLine                          = 92.3
)

// lids are pairs of landmarks on the upper and lower lid of either eye.
func lids() [2][3][2]int {
	return [2][3][2]int{{{159, 145}, {158, 153}, {160, 144}}, {{386, 374}, {385, 380}, {387, 373}}}
}

// eyes are the middles of both eyes, each of eight landmarks around it.
func (f *located) eyesMiddle() (left, right point) {
	return f.mean(33, 133, 159, 145, 158, 153, 160, 144), f.mean(263, 362, 386, 374, 385, 380, 387, 373)
}

// judge measures a face that was found.
func (e *Engine) judge(p *picture, f located) Face {
	q := f.pose()
	left, right := f.eyesMiddle()
	aligned, ok := fit(
		[]point{{chipEyeLeft, eyeLine}, {chipEyeRight, eyeLine}, {chipNoseX, chipNoseY}, {chipMouthLeft, mouthLine}, {chipMouthRight, mouthLine}},
		[]point{left, right, f.mean(noseTip, noseBridge), f.mean(mouthLeft), f.mean(mouthRight)})
	if ok {
		chip := e.nets.scratch[:3*chipSize*chipSize]
		p.warp(aligned, chipSize, chip)
		q.light(luminance(chip))
		clear(chip)
	}
	q.EyeDistance *= float64(p.shrunk)
	return Face{Box: p.rectangle(f.box), Score: f.score, Quality: q}
}

// pose tells what the landmarks do.
func (f *located) pose() Quality {
	across := f.mesh[rightEyeOutside].minus(f.mesh[leftEyeOutside]).unit()
	down := f.mesh[chin].minus(f.mesh[forehead]).unit()
	ahead := across.cross(down).unit()
	yaw := math.Atan2(ahead[0], ahead[2])
	left, right := f.eyesMiddle()
	middle := point{(left.x + right.x) / 2, (left.y + right.y) / 2}
	height := max(1e-6, middle.distance(f.mean(chin)))
	q := Quality{
		Yaw:         degrees(yaw),
		Pitch:       degrees(math.Asin(max(-1, min(1, ahead[1])))),
		Roll:        degrees(math.Atan2(across[1], across[0])),
		EyeDistance: left.distance(right) / max(0.3, math.Cos(yaw)),
		EyesOpen:    math.Inf(1),
	}
	for _, eye := range lids() {
		q.EyesOpen = min(q.EyesOpen, f.gap(eye)/height)
	}
	q.MouthOpen = f.gap([3][2]int{{upperLip, lowerLip}, {upperLipLeft, lowerLipLeft}, {upperLipRight, lowerLipRight}}) / height
	return q
}

// gap is the widest distance of three pairs of landmarks.
func (f *located) gap(pairs [3][2]int) float64 {
	widest := 0.0
	for _, p := range pairs {
		widest = max(widest, f.mean(p[0]).distance(f.mean(p[1])))
	}
	return widest
}

// luminance weighs red, green and blue (ITU-R BT.709).
func luminance(rgb []float32) []float64 {
	y := make([]float64, len(rgb)/3)
	for i := range y {
		y[i] = 0.2126*float64(rgb[3*i]) + 0.7152*float64(rgb[3*i+1]) + 0.0722*float64(rgb[3*i+2])
	}
	return y
}

// light measures the luminance of an aligned face, chipSize × chipSize.
func (q *Quality) light(y []float64) {
	var counts [256]float64
	for _, v := range y {
		q.Luminance += v / float64(len(y))
		counts[max(0, min(255, int(v)))] += 1 / float64(len(y))
	}
	for v, part := range counts {
		switch {
		case v <= 25:
			q.Dark += part
		case v >= 247:
			q.Bright += part
		}
		if part > 0 {
			q.Detail -= part * math.Log2(part)
		}
	}
	q.Sharpness = laplacian(y)
	q.Evenness = evenness(y)
}

// laplacian is the mean square of how much each pixel differs from its four
// neighbours together.
func laplacian(y []float64) float64 {
	sum := 0.0
	for row := 1; row < chipSize-1; row++ {
		for i := row*chipSize + 1; i < (row+1)*chipSize-1; i++ {
			d := 4*y[i] - y[i-1] - y[i+1] - y[i-chipSize] - y[i+chipSize]
			sum += d * d
		}
	}
	return sum / ((chipSize - 2) * (chipSize - 2))
}

// evenness compares the light on the two halves of the face, hair and neck left
// out.
func evenness(y []float64) float64 {
	left, right := 1e-6, 1e-6
	for row := 40; row < 100; row++ {
		for x := 20; x < chipSize/2; x++ {
			left += y[row*chipSize+x]
			right += y[row*chipSize+chipSize-1-x]
		}
	}
	return min(left, right) / max(left, right)
}
