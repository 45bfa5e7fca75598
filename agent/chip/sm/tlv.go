package sm

// Tag is the tag of a data object (ISO 7816-4 §5.2.2), of one or two bytes.
type Tag uint16

// maxObject bounds the length of a data object, in bytes: a portrait and its
// frame.
const maxObject = 1 << 20

// Next reads the first data object of b and gives the rest. Lengths are of one
// to four bytes (ISO 7816-4 §5.2.2.2).
func Next(b []byte) (t Tag, value, rest []byte, err error) {
	t, at, err := ParseTag(b)
	if err != nil {
		return 0, nil, nil, err
	}
	n, size, err := ParseLength(b[at:])
	if err != nil || n > len(b)-at-size {
		return 0, nil, nil, ErrProtocol
	}
	at += size
	return t, b[at : at+n], b[at+n:], nil
}

// ParseTag reads a tag and gives its size.
func ParseTag(b []byte) (t Tag, size int, err error) {
	switch {
	case len(b) == 0:
		return 0, 0, ErrProtocol
	case b[0]&0x1f != 0x1f:
		return Tag(b[0]), 1, nil
	case len(b) < 2 || b[1]&0x80 != 0: // three bytes: no file of a document has them
		return 0, 0, ErrProtocol
	}
	return Tag(b[0])<<8 | Tag(b[1]), 2, nil
}

// ParseLength reads a length and gives its size.
func ParseLength(b []byte) (n, size int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrProtocol
	}
	if b[0] < 0x80 {
		return int(b[0]), 1, nil
	}
	size = int(b[0] & 0x7f)
	if size == 0 || size > 3 || len(b) < 1+size {
		return 0, 0, ErrProtocol
	}
	for _, c := range b[1 : 1+size] {
		n = n<<8 | int(c)
	}
	if n > maxObject {
		return 0, 0, ErrBudget
	}
	return n, 1 + size, nil
}

// Find gives the value of the first object with a tag among those of b; nil
// where there is none.
func Find(b []byte, want Tag) ([]byte, error) {
	for len(b) > 0 {
		t, value, rest, err := Next(b)
		if err != nil {
			return nil, err
		}
		if t == want {
			return value, nil
		}
		b = rest
	}
	return nil, nil
}

// Object writes a data object.
func Object(t Tag, value []byte) []byte {
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
