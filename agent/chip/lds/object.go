package lds

import "slices"

// tag is the tag of a data object, of one or two bytes (ISO/IEC 7816-4 §5.2.2).
type tag uint16

// object is a data object. Its value is a part of the file, not a copy.
type object struct {
	tag   tag
	value []byte
}

// next reads the first object of b and gives the rest. Lengths are definite, of
// one to five bytes, and need not be the shortest: chips are signed as they are.
func next(b []byte) (t tag, value, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	t, b = tag(b[0]), b[1:]
	if t&0x1f == 0x1f {
		if b[0]&0x80 != 0 { // three bytes: no file of a document has them
			return 0, nil, nil, false
		}
		t, b = t<<8|tag(b[0]), b[1:]
	}
	n, b, ok := length(b)
	if !ok || n > len(b) {
		return 0, nil, nil, false
	}
	return t, b[:n:n], b[n:], true
}

// length reads a length and gives the rest.
func length(b []byte) (n int, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	first, b := b[0], b[1:]
	if first < 0x80 {
		return int(first), b, true
	}
	size := int(first & 0x7f)
	if size == 0 || size > 4 || size > len(b) {
		return 0, nil, false
	}
	for _, c := range b[:size] {
		n = n<<8 | int(c)
	}
	return n, b[size:], n <= MaxFile
}

// list reads all objects of a template. Zeros behind the last one are filling.
func list(b []byte) ([]object, bool) {
	var all []object
	for len(b) > 0 {
		if b[0] == 0 && !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			return all, true
		}
		t, value, rest, ok := next(b)
		if !ok || len(all) == maxObjects {
			return nil, false
		}
		all, b = append(all, object{t, value}), rest
	}
	return all, true
}

// find gives the value of the first object with a tag.
func find(all []object, t tag) (value []byte, ok bool) {
	i := slices.IndexFunc(all, func(o object) bool { return o.tag == t })
	if i < 0 {
		return nil, false
	}
	return all[i].value, true
}

// descend follows tags down through templates; each is the first of its kind.
func descend(b []byte, path ...tag) (value []byte, ok bool) {
	for _, t := range path {
		all, ok := list(b)
		if !ok {
			return nil, false
		}
		if b, ok = find(all, t); !ok {
			return nil, false
		}
	}
	return b, true
}

// number reads a whole number of at most four bytes, without a sign.
func number(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 4 {
		return 0, false
	}
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n, true
}

// write lays out an object of parts, its length in as few bytes as it takes
// (DER), up to the three that a file needs.
func write(t tag, parts ...[]byte) []byte {
	value := slices.Concat(parts...)
	var b []byte
	if t > 0xff {
		b = append(b, byte(t>>8))
	}
	b = append(b, byte(t))
	switch n := len(value); {
	case n < 0x80:
		b = append(b, byte(n))
	case n <= 0xff:
		b = append(b, 0x81, byte(n))
	case n <= 0xffff:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, value...)
}
