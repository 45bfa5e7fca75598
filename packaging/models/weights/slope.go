package weights

import "errors"

// slope is a leaky activation that a model writes as five operators,
// relu(x) + k·(x − |x|), and that is one PRelu with slope 2k below zero. One
// operator is a third of the work, and doubling a number loses nothing of it.
type slope struct {
	x, k int // tensors
}

// findSlopes finds them by their last operator, the sum.
func (c *liteConverter) findSlopes() {
	c.slopes, c.inside = map[int]slope{}, map[int]bool{}
	makers, uses := map[int]int{}, map[int]int{}
	for n, o := range c.ops {
		makers[o.out[0]] = n
		for _, i := range o.in {
			uses[i]++
		}
	}
	for _, i := range c.outputs {
		uses[i]++
	}
	for n := range c.ops {
		if s, parts, ok := c.slopeAt(n, makers); ok && c.onlyWithin(parts, uses) {
			c.slopes[n] = s
			for _, p := range parts {
				c.inside[p] = true
			}
		}
	}
}

// slopeAt reports whether operator n ends a slope, with the four operators
// before it.
func (c *liteConverter) slopeAt(n int, makers map[int]int) (s slope, parts []int, ok bool) {
	made := func(o operator, side, code int) (operator, int, bool) {
		if side >= len(o.in) {
			return operator{}, 0, false
		}
		k, ok := makers[o.in[side]]
		return c.ops[k], k, ok && c.ops[k].code == code && c.ops[k].options.byte(0) == noActivation
	}
	sum := c.ops[n]
	if sum.code != liteAdd || sum.options.byte(0) != noActivation {
		return slope{}, nil, false
	}
	relu, r, isRelu := made(sum, 0, liteRelu)
	product, p, isProduct := made(sum, 1, liteMul)
	if !isRelu || !isProduct {
		return slope{}, nil, false
	}
	gap, g, isGap := made(product, 1, liteSub)
	abs, a, isAbs := made(gap, 1, liteAbs)
	if !isGap || !isAbs || relu.in[0] != gap.in[0] || abs.in[0] != gap.in[0] {
		return slope{}, nil, false
	}
	return slope{x: gap.in[0], k: product.in[0]}, []int{r, p, g, a}, true
}

// onlyWithin reports whether nothing else needs what the parts make.
func (c *liteConverter) onlyWithin(parts []int, uses map[int]int) bool {
	for _, p := range parts {
		if uses[c.ops[p].out[0]] != 1 {
			return false
		}
	}
	return true
}

// prelu writes a slope as one operator.
func (c *liteConverter) prelu(s slope, out int) error {
	x, err := c.value(s.x)
	if err != nil {
		return err
	}
	k, err := c.constant(s.k)
	if err != nil {
		return err
	}
	if len(k.shape) != 1 {
		return errors.New("a slope that is not one number a channel")
	}
	double := array{shape: k.shape, data: make([]float32, len(k.data))}
	for i, v := range k.data {
		double.data[i] = 2 * v
	}
	c.names[out] = c.g.op("PRelu", []string{x, c.g.floats(double)})
	return nil
}
