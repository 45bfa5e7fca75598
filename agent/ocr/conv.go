package ocr

// volume is rows of places of channels of numbers; the channel runs fastest.
type volume struct {
	height, width, channels int
	data                    []float32
}

// term is one number of the input and where the weights begin that it meets.
type term struct {
	at int32
	x  float32
}

// run convolves. Behind a rectifier more than half of the numbers are 0, so for
// every place the others are listed once, with the weights they meet, and that
// list is worked through for eight output channels at a time, whose sums stay in
// registers.
func (l *layer) run(x volume, terms []term, room []float32) (volume, []term) {
	y := volume{
		height: (x.height+2*l.padY-l.height)/l.strideY + 1, width: (x.width+2*l.padX-l.width)/l.strideX + 1,
		channels: l.out,
	}
	y.data = sized(room, y.height*y.width*y.channels)
	taps := l.height * l.width * l.in * block
	for row := range y.height {
		for p := range y.width {
			terms = l.gather(x, row*l.strideY-l.padY, p*l.strideX-l.padX, terms[:0])
			out := y.data[(row*y.width+p)*y.channels:][:y.channels]
			for o := 0; o < l.out; o += block {
				sums := [block]float32(l.bias[o:])
				add(l.packed[o/block*taps:][:taps], terms, &sums)
				l.rectify(sums[:])
				copy(out[o:], sums[:])
			}
		}
	}
	return y, terms
}

// gather lists the terms of the place whose kernel begins at a row and column,
// which may lie in the padding.
func (l *layer) gather(x volume, top, left int, terms []term) []term {
	for ky := max(0, -top); ky < min(l.height, x.height-top); ky++ {
		for kx := max(0, -left); kx < min(l.width, x.width-left); kx++ {
			at := int32((ky*l.width + kx) * l.in * block)
			for _, v := range x.data[((top+ky)*x.width+left+kx)*x.channels:][:x.channels] {
				if v != 0 {
					terms = append(terms, term{at, v})
				}
				at += block
			}
		}
	}
	return terms
}

// add adds every term times its weights to the sums.
func add(weights []float32, terms []term, sums *[block]float32) {
	a, b, c, d := sums[0], sums[1], sums[2], sums[3]
	e, f, g, h := sums[4], sums[5], sums[6], sums[7]
	for _, t := range terms {
		w := weights[t.at:][:block:block]
		a += w[0] * t.x
		b += w[1] * t.x
		c += w[2] * t.x
		d += w[3] * t.x
		e += w[4] * t.x
		f += w[5] * t.x
		g += w[6] * t.x
		h += w[7] * t.x
	}
	*sums = [block]float32{a, b, c, d, e, f, g, h}
}

// rectify is the layer's non-linearity; the last layer has none.
func (l *layer) rectify(values []float32) {
	if l.last {
		return
	}
	for i, v := range values {
		values[i] = max(v, 0)
	}
}
