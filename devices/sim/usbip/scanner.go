package usbip

// Scanner is a bar code scanner that speaks HID: usage page 0x8C of the HID Point
// of Sale Usage Tables 1.02, in reports of 64 bytes as Access-IS and Honeywell
// lay them out: number, length, three characters of the AIM identifier, 56 bytes
// of data, two of the maker, one whose lowest bit says that more follows.
type Scanner struct{ *HID }

// A report of the scanner.
const (
	scanReport = 2
	scanBytes  = 56
)

// ScannerReports is the scanner's report descriptor.
func ScannerReports() []byte {
	return []byte{
		0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, // bar code scanner
		0x09, 0x12, 0xa1, 0x02, 0x85, scanReport, // scanned data report
		0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, // bytes
		0x95, 0x01, 0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, // how many data bytes count
		0x05, 0x8c, 0x95, 0x03, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02, // AIM identifier
		0x95, scanBytes, 0x09, 0xfe, 0x82, 0x02, 0x01, // data
		0x06, 0x66, 0xff, 0x95, 0x02, 0x09, 0x04, 0x09, 0x00, 0x81, 0x02, // of the maker
		0x05, 0x8c, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, // more follows
		0x95, 0x07, 0x81, 0x03, // bits without meaning
		0xc0, 0xc0,
	}
}

// NewScanner makes a scanner that sees nothing yet.
func NewScanner(id Identity) *Scanner {
	return &Scanner{NewHID(id, ScannerReports(), nil)}
}

// Scan lets it see a symbol with its AIM identifier, such as "]Q1".
func (s *Scanner) Scan(aim string, data []byte) {
	// An empty symbol is one report, too.
	for more := true; more; {
		n := min(len(data), scanBytes)
		report := make([]byte, 64)
		report[0], report[1] = scanReport, byte(n)
		copy(report[2:5], aim)
		copy(report[5:], data[:n])
		data = data[n:]
		more = len(data) > 0
		if more {
			report[63] = 1
		}
		s.Say(report)
	}
}
