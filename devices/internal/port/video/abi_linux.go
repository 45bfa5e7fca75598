package video

// The structures of the kernel's video interface (linux/videodev2.h), on systems
// whose words have 64 bits. A test holds their sizes and places.

// Types of buffers, kinds of memory, capabilities and flags.
const (
	typeCapture     = 1
	memoryMapped    = 1
	canCapture      = 0x00000001
	canStream       = 0x04000000
	hasDeviceCaps   = 0x80000000
	bufferBroken    = 0x00000040
	clockMask       = 0x0000e000
	clockMonotonic  = 0x00002000
	controlDisabled = 0x00000001
	sizeDiscrete    = 1
)

// capability is struct v4l2_capability.
type capability struct {
	Driver           [16]byte
	Card, Bus        [32]byte
	Version          uint32
	Caps, DeviceCaps uint32
	_                [3]uint32
}

// formatOffer is struct v4l2_fmtdesc.
type formatOffer struct {
	Index, Type, Flags uint32
	Name               [32]byte
	Pixel, Bus         uint32
	_                  [3]uint32
}

// sizeOffer is struct v4l2_frmsizeenum.
type sizeOffer struct {
	Index, Pixel, Kind uint32
	// Width and height, or their least, most and step.
	A, B, C, D, E, F uint32
	_                [2]uint32
}

// format is struct v4l2_format, for one plane.
type format struct {
	Type            uint32
	_               uint32
	Width, Height   uint32
	Pixel, Field    uint32
	Stride, Size    uint32
	Colour, Priv    uint32
	Flags, Encoding uint32
	Quantum, Curve  uint32
	_               [152]byte
}

// rate is struct v4l2_streamparm, for capture.
type rate struct {
	Type                uint32
	Caps, Mode          uint32
	Numerator, Per      uint32 // seconds for a frame, as a fraction
	Extended, Available uint32
	_                   [176]byte
}

// request is struct v4l2_requestbuffers.
type request struct {
	Count, Type, Memory uint32
	Caps, Flags         uint32
}

// buffer is struct v4l2_buffer.
type buffer struct {
	Index, Type  uint32
	Used         uint32
	Flags, Field uint32
	_            uint32
	Sec, Usec    int64
	_            [16]byte // time code
	Seq, Memory  uint32
	Offset       uint64 // of the memory, within the node
	Length       uint32
	_            uint32
	_, _         uint32
}

// controlOffer is struct v4l2_queryctrl.
type controlOffer struct {
	ID, Type                uint32
	Name                    [32]byte
	Min, Max, Step, Default int32
	Flags                   uint32
	_                       [2]uint32
}

// controlValue is struct v4l2_control.
type controlValue struct {
	ID    uint32
	Value int32
}

// command is an ioctl's number: direction, size, 'V' and its place.
type command uintptr

// Directions of an ioctl.
const (
	writes = 1 << 30
	reads  = 2 << 30
)

// The ioctls.
const (
	askCapability = command(reads | 104<<16 | 'V'<<8)
	askFormat     = command(reads | writes | 64<<16 | 'V'<<8 | 2)
	setFormat     = command(reads | writes | 208<<16 | 'V'<<8 | 5)
	askBuffers    = command(reads | writes | 20<<16 | 'V'<<8 | 8)
	askBuffer     = command(reads | writes | 88<<16 | 'V'<<8 | 9)
	giveBuffer    = command(reads | writes | 88<<16 | 'V'<<8 | 15)
	takeBuffer    = command(reads | writes | 88<<16 | 'V'<<8 | 17)
	streamOn      = command(writes | 4<<16 | 'V'<<8 | 18)
	streamOff     = command(writes | 4<<16 | 'V'<<8 | 19)
	setRate       = command(reads | writes | 204<<16 | 'V'<<8 | 22)
	askValue      = command(reads | writes | 8<<16 | 'V'<<8 | 27)
	setValue      = command(reads | writes | 8<<16 | 'V'<<8 | 28)
	askControl    = command(reads | writes | 68<<16 | 'V'<<8 | 36)
	askSize       = command(reads | writes | 44<<16 | 'V'<<8 | 74)
)
