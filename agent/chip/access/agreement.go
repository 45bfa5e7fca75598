package access

import (
	"bytes"
	"io"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// element is a member of a group: a point of a curve, or a number.
type element struct {
	point curve.Point
	y     *big.Int
}

// domain are the parameters of an agreement (§9.6): of Diffie and Hellman, or of
// the same on a curve. Curves have the cofactor 1: they have no small subgroups.
type domain curve.Domain

// named are standardised domain parameters.
func named(id int) (domain, bool) {
	d, ok := curve.Standard(id)
	return domain(d), ok
}

// generator is what is raised.
func (d domain) generator() element {
	if d.Curve != nil {
		return element{point: d.Curve.G}
	}
	return element{y: d.Group.G}
}

// power is e, k times.
func (d domain) power(e element, k *big.Int) element {
	if d.Curve != nil {
		return element{point: d.Curve.Multiply(k, e.point)}
	}
	return element{y: d.Group.Power(e.y, k)}
}

// public is the generator, k times.
func (d domain) public(k *big.Int) element {
	if d.Curve != nil {
		return element{point: d.Curve.Base(k)}
	}
	return d.power(d.generator(), k)
}

// combine is a, k times, and b, l times, together.
func (d domain) combine(k *big.Int, a element, l *big.Int, b element) element {
	if d.Curve != nil {
		return element{point: d.Curve.Combine(k, a.point, l, b.point)}
	}
	y := new(big.Int).Mul(d.Group.Power(a.y, k), d.Group.Power(b.y, l))
	return element{y: y.Mod(y, d.Group.P)}
}

// neutral reports the element that leaves others as they are.
func (d domain) neutral(e element) bool {
	if d.Curve != nil {
		return e.point.Infinite()
	}
	return e.y.Cmp(big.NewInt(1)) <= 0
}

// secret draws a private key.
func (d domain) secret(random io.Reader) (*big.Int, error) {
	if d.Curve != nil {
		return d.Curve.Secret(random)
	}
	return d.Group.Secret(random)
}

// marshal writes a public key (§9.4.5).
func (d domain) marshal(e element) []byte {
	if d.Curve != nil {
		return d.Curve.Marshal(e.point)
	}
	return e.y.Bytes()
}

// unmarshal reads a public key and checks that it is one (RFC 2631 §2.1.5, BSI
// TR-03111 §3.2.2.1).
func (d domain) unmarshal(b []byte) (element, error) {
	if d.Curve != nil {
		p, err := d.Curve.Unmarshal(b)
		return element{point: p}, err
	}
	if y := new(big.Int).SetBytes(b); len(b) <= d.Group.Bytes()+1 && d.Group.Has(y) {
		return element{y: y}, nil
	}
	return element{}, curve.ErrPoint
}

// agree comes to a secret with somebody's public key, as bytes of the parameters'
// length: the first coordinate of a point, or the number.
func (d domain) agree(k *big.Int, theirs element) ([]byte, error) {
	if d.Curve != nil {
		x := d.Curve.Abscissa(k, theirs.point)
		if x == nil {
			return nil, sm.ErrProtocol
		}
		return x.FillBytes(make([]byte, d.Curve.Bytes())), nil
	}
	e := d.power(theirs, k)
	if d.neutral(e) {
		return nil, sm.ErrProtocol
	}
	return e.y.FillBytes(make([]byte, d.Group.Bytes())), nil
}

// same reports whether two sets of parameters are one.
func (d domain) same(o domain) bool {
	if d.Curve != nil && o.Curve != nil {
		return d.Curve.Equal(o.Curve)
	}
	if d.Group != nil && o.Group != nil {
		return d.Group.P.Cmp(o.Group.P) == 0 && d.Group.G.Cmp(o.Group.G) == 0
	}
	return false
}

// equal reports whether two elements are one.
func (d domain) equal(a, b element) bool { return bytes.Equal(d.marshal(a), d.marshal(b)) }
