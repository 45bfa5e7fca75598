//go:build linux || windows

package serial

import (
	"github.com/tarm/serial"
)

// parities are the library's words.
var parities = map[string]serial.Parity{
	"none": serial.ParityNone, "odd": serial.ParityOdd, "even": serial.ParityEven,
}

// openLibrary opens a line with the library, which sets it raw.
func openLibrary(path string, s Settings) (*serial.Port, error) {
	return serial.OpenPort(&serial.Config{
		Name: path, Baud: s.Baud, ReadTimeout: silence,
		Size: byte(s.DataBits), Parity: parities[s.Parity], StopBits: serial.StopBits(s.StopBits),
	})
}
