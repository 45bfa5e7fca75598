package lds

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// Pictures that are none but for their first bytes.
var (
	asJPEG = []byte(jpegStart + "a face")
	asJP2  = []byte(jp2Start + "a face")
	asJ2K  = []byte(j2kStart + "a face")
)

// framed is DG2 around records.
func framed(said byte, records ...[]byte) []byte {
	inner := write(tagInteger, []byte{said})
	for _, r := range records {
		inner = append(inner, write(tagTemplate, write(tagHeader, write(0x81, []byte{2})), r)...)
	}
	return write(0x75, write(tagGroupTemplate, inner))
}

// faces is a facial record of several faces with feature points, each with its
// own picture.
func faces(points int, images ...[]byte) []byte {
	var blocks []byte
	for _, image := range images {
		one := buildRecord(image, 413, 531)[recordHeader:]
		binary.BigEndian.PutUint32(one, uint32(len(one)+points*pointSize))
		binary.BigEndian.PutUint16(one[4:], uint16(points))
		blocks = append(blocks, slices.Concat(one[:faceHeader], make([]byte, points*pointSize), one[faceHeader:])...)
	}
	b := binary.BigEndian.AppendUint32([]byte(recordFormat+recordVersion), uint32(recordHeader+len(blocks)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(images)))
	return write(tagPlainData, append(b, blocks...))
}

func TestFace(t *testing.T) {
	t.Parallel()
	for _, by := range []Standard{ISO19794, ISO39794} {
		for want, image := range map[Format][]byte{JPEG: asJPEG, JP2: asJP2, J2K: asJ2K} {
			got, err := Face(BuildDG2(image, 413, 531, by))
			if err != nil || got.Format != want || !bytes.Equal(got.Bytes, image) || got.Standard != by ||
				got.Width != 413 || got.Height != 531 || len(got.Oddities) > 0 {
				t.Errorf("%s, %s: got %+v, %v", by, want, got, err)
			}
		}
	}
}

func TestSeveralFaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file []byte
		want []Format
		odd  []Oddity
	}{
		"feature-points":        {framed(1, faces(19, asJP2)), []Format{JP2}, nil},
		"two-in-one-record":     {framed(1, faces(3, asJPEG, asJ2K)), []Format{JPEG, J2K}, nil},
		"two-records":           {framed(2, faces(0, asJPEG), faces(0, asJP2)), []Format{JPEG, JP2}, nil},
		"both-standards":        {framed(2, faces(0, asJPEG), write(tagNestedData, buildNested(asJP2, 1, 1))), []Format{JPEG, JP2}, nil},
		"says-two-has-one":      {framed(2, faces(0, asJPEG)), []Format{JPEG}, []Oddity{OddCount}},
		"one-of-two-is-nothing": {framed(2, faces(0, []byte("GIF89a")), faces(0, asJ2K)), []Format{J2K}, nil},
		"nested-data-of-19794":  {framed(1, slices.Concat([]byte{0x7f}, faces(0, asJPEG)[1:])), []Format{JPEG}, nil},
		"more-than-are-read":    {framed(1, faces(0, slices.Repeat([][]byte{asJPEG}, MaxFaces+3)...)), slices.Repeat([]Format{JPEG}, MaxFaces), []Oddity{OddCount}},
	} {
		all, err := Faces(c.file)
		var got []Format
		for _, p := range all {
			got = append(got, p.Format)
		}
		if err != nil || !slices.Equal(got, c.want) || !slices.Equal(all[0].Oddities, c.odd) {
			t.Errorf("%s: got %q with %q, %v; want %q with %q", name, got, all[0].Oddities, err, c.want, c.odd)
		}
	}
}

// Lengths and numbers of a facial record that lie do not lead out of it, and do
// not keep the picture from being read.
func TestRecordsThatLie(t *testing.T) {
	t.Parallel()
	const block, points, kind = recordHeader, recordHeader + 4, recordHeader + faceHeader + 1
	for name, c := range map[string]struct {
		at    int
		bytes string
		odd   []Oddity
	}{
		"record/too-long":   {8, "\xff\xff\xff\xff", []Oddity{OddRecordLength}},
		"record/zero":       {8, "\x00\x00\x00\x00", []Oddity{OddRecordLength}},
		"record/no-faces":   {12, "\x00\x00", []Oddity{OddCount}},
		"record/many-faces": {12, "\xff\xff", []Oddity{OddCount}},
		"face/too-long":     {block, "\xff\xff\xff\xff", []Oddity{OddBlockLength}},
		"face/zero":         {block, "\x00\x00\x00\x00", []Oddity{OddBlockLength}},
		"face/no-header":    {block, "\x00\x00\x00\x1f", []Oddity{OddBlockLength}},
		"points/many":       {points, "\xff\xff", []Oddity{OddPoints}},
		"points/one":        {points, "\x00\x01", []Oddity{OddPoints}},
		"type/other":        {kind, "\x01", []Oddity{OddImageType}},
		"type/unknown":      {kind, "\x09", []Oddity{OddImageType}},
	} {
		record := buildRecord(append(slices.Clone(asJPEG), make([]byte, 40)...), 413, 531)
		copy(record[c.at:], c.bytes)
		got, err := Face(framed(1, write(tagPlainData, record)))
		if err != nil || !bytes.HasPrefix(got.Bytes, asJPEG) || got.Width != 413 || !slices.Equal(got.Oddities, c.odd) {
			t.Errorf("%s: got %+v, %v, want it with %q", name, got, err, c.odd)
		}
	}
}

func TestNoFace(t *testing.T) {
	t.Parallel()
	record := buildRecord(asJPEG, 413, 531)
	version := slices.Clone(record)
	copy(version[4:], "030\x00")
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":             {write(0x75), "it has no biometric data"},
		"no-record":         {framed(0), "it has no face"},
		"no-data":           {framed(1, write(0x5f20, asJPEG)), "a record holds no readable data"},
		"encrypted":         {framed(1, write(0x7d, asJPEG)), "a record holds no readable data"},
		"lengths":           {framed(1, []byte{0x5f, 0x2e, 0x7f}), "the lengths of a record do not fit"},
		"too-short":         {framed(1, write(tagPlainData, record[:recordHeader+10])), "the facial record is too short"},
		"another-version":   {framed(1, write(tagPlainData, version)), "the facial record is of an unknown version"},
		"no-picture":        {framed(1, faces(0, []byte("GIF89a"))), "the facial record holds no picture of a known format"},
		"another-standard":  {framed(1, write(tagPlainData, []byte("FIR\x00010\x00"))), "a record is of an unknown standard"},
		"nested/no-picture": {framed(1, write(tagNestedData, buildNested([]byte("GIF89a"), 1, 1))), "a record holds no picture of a known format"},
		"nested/empty":      {framed(1, write(tagNestedData, write(tagFaceData))), "a record is of an unknown standard"},
		"another-file":      {BuildDG1(td3), "it begins with the tag of another file"},
	} {
		got, err := Face(c.file)
		if wrong(t, err) != c.want || got.Bytes != nil {
			t.Errorf("%s: got %+v, %v; want %q", name, got, err, c.want)
		}
	}
}

// A face of ISO/IEC 39794-5 is read with ICAO's wrapper and without, and with no
// word of its size.
func TestNested(t *testing.T) {
	t.Parallel()
	bare := write(tagRepresentations, write(tagSequence, write(tagRepresentation, write(tagBase, write(tagFlat, write(tagImage, asJ2K))))))
	for name, data := range map[string][]byte{
		"wrapped": write(tagWrapper, write(tagFaceData, bare)), "unwrapped": write(tagFaceData, bare), "content-only": write(tagWrapper, write(0xa0), bare),
	} {
		got, err := Face(framed(1, write(tagNestedData, data)))
		if err != nil || got.Format != J2K || got.Standard != ISO39794 || got.Width != 0 || len(got.Oddities) > 0 {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct {
		code byte
		odd  bool
	}{"JPEG": {2, true}, "lossy": {3, false}, "lossless": {4, false}, "unknown": {0, true}} {
		flat := write(tagFlat, write(tagImage, asJP2), write(tagInformation, write(tagImageFormat, write(tagFirst, []byte{c.code}))))
		data := write(tagFaceData, write(tagRepresentations, write(tagSequence, write(tagRepresentation, write(tagBase, flat)))))
		got, err := Face(framed(1, write(tagNestedData, data)))
		if err != nil || slices.Contains(got.Oddities, OddImageType) != c.odd {
			t.Errorf("%s: got %q, %v", name, got.Oddities, err)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Format{
		jpegStart: JPEG, jp2Start: JP2, j2kStart: J2K, "": Unknown, "\xff\xd8": Unknown, "GIF89a": Unknown, "x" + jpegStart: Unknown, "\xff\x4f": Unknown,
	} {
		if got := FormatOf([]byte(in)); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzFaces(f *testing.F) {
	f.Add(BuildDG2(asJPEG, 413, 531, ISO19794))
	f.Add(BuildDG2(asJP2, 413, 531, ISO39794))
	f.Add(framed(1, faces(2, asJ2K, asJPEG)))
	f.Add(framed(9, faces(65535>>8, asJPEG)))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := Faces(b)
		if (err == nil) != (len(all) > 0) || len(all) > MaxFaces {
			t.Fatalf("%d faces, %v", len(all), err)
		}
		for _, p := range all {
			if p.Format == Unknown || p.Format != FormatOf(p.Bytes) || len(p.Bytes) >= len(b) || max(p.Width, p.Height) > 0xffff {
				t.Errorf("%s of %d bytes out of %d, %d × %d", p.Format, len(p.Bytes), len(b), p.Width, p.Height)
			}
		}
	})
}

// BenchmarkFace reads a portrait of a usual size.
func BenchmarkFace(b *testing.B) {
	file := BuildDG2(append(slices.Clone(asJPEG), make([]byte, 16_000)...), 413, 531, ISO19794)
	for b.Loop() {
		if _, err := Face(file); err != nil {
			b.Fatal(err)
		}
	}
}
