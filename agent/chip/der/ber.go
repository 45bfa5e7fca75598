package der

// constructed is the bit of a tag that says that a value is made of values.
const constructed = 0x20

// Bounds of what Definite takes.
const (
	maxBER  = 1 << 20 // bytes: a document's object, not a list of all states
	maxDeep = 24      // values in values
)

// Definite rewrites a value of the Basic Encoding Rules (X.690 §8) in the form that
// this package reads: lengths that are definite and as short as they can be, strings
// of octets in one piece. Some states write the frame of a document's signature in
// the basic rules. What is written so already comes back byte for byte, so that a
// certificate inside is the one that was signed. Sets are left in their order, and
// numbers and truth values as they stand.
func Definite(b []byte) ([]byte, error) {
	if len(b) > maxBER {
		return nil, ErrEncoding
	}
	out, rest, err := definite(b, 0)
	if err != nil || len(rest) > 0 {
		return nil, ErrEncoding
	}
	return out, nil
}

// endless stands for the length of a value that an end mark ends.
const endless = -1

// definite rewrites the first value of b and gives what follows it.
func definite(b []byte, deep int) (out, rest []byte, err error) {
	n, at, err := basicLength(b)
	if err != nil || deep > maxDeep {
		return nil, nil, ErrEncoding
	}
	tag, body := Tag(b[0]), b[at:]
	if n != endless {
		body, rest = b[at:at+n], b[at+n:]
	}
	if tag&constructed == 0 {
		if n == endless {
			return nil, nil, ErrEncoding
		}
		return Write(tag, body), rest, nil
	}
	var parts [][]byte
	for n == endless || len(body) > 0 {
		if n == endless && len(body) >= 2 && body[0] == 0 && body[1] == 0 {
			rest = body[2:]
			break
		}
		var part []byte
		if part, body, err = definite(body, deep+1); err != nil {
			return nil, nil, err
		}
		parts = append(parts, part)
	}
	if tag == OctetString|constructed {
		out, err = joined(parts)
		return out, rest, err
	}
	return Write(tag, parts...), rest, nil
}

// joined makes one string of octets of several.
func joined(parts [][]byte) ([]byte, error) {
	for i, p := range parts {
		v, err := Whole(p, OctetString)
		if err != nil {
			return nil, err
		}
		parts[i] = v.Content
	}
	return Write(OctetString, parts...), nil
}

// basicLength reads tag and length of a value: how long its content is, endless
// where a mark ends it, and where it begins.
func basicLength(b []byte) (n, at int, err error) {
	if len(b) < 2 || b[0] == 0 || b[0]&0x1f == 0x1f {
		return 0, 0, ErrEncoding
	}
	n, at = int(b[1]), 2
	switch size := n - short; {
	case n < short:
	case size == 0:
		return endless, at, nil
	case size > maxSize || len(b) < at+size:
		return 0, 0, ErrEncoding
	default:
		n = 0
		for _, c := range b[at : at+size] {
			n = n<<8 | int(c)
		}
		at += size
	}
	if n > len(b)-at {
		return 0, 0, ErrEncoding
	}
	return n, at, nil
}
