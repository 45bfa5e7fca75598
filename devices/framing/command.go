package framing

import (
	"bytes"
	"fmt"
)

// Commands that the drivers of this wing send.
const (
	Inquire     = "inquire"      // Elyctis: the zone of the document that lies there
	InquireLine = "inquire_line" // the same on one line
	Arm         = "arm"          // Elyctis: tell the next zone; it holds for one
	Disarm      = "disarm"
	Trigger     = "trigger" // Honeywell: read until a symbol was read
	Untrigger   = "untrigger"
	Menu        = "menu"  // Honeywell: data is a menu command such as "CBRENA?."
	Query       = "query" // ESC/POS: data are the numbers of DLE EOT
)

// maxHIDCommand is the room for a command in a HID report, in bytes.
const maxHIDCommand = sizeHID - 2

// Command is what is sent for a command, with its data where it has some. It
// fails where the framing has no such command.
func Command(name, command string, data ...byte) ([]byte, error) {
	var sent []byte
	switch name {
	case Elyctis:
		sent = map[string][]byte{
			Inquire: {'I', 0, 0}, InquireLine: {'L', 0, 0}, Arm: {'C', 0, 1, 1}, Disarm: {'C', 0, 1, 0},
		}[command]
	case Honeywell, HoneywellOCR, HoneywellHID:
		sent = map[string][]byte{Trigger: {syn, 'T', '\r'}, Untrigger: {syn, 'U', '\r'}}[command]
		if command == Menu && len(data) > 0 {
			sent = append([]byte(menuStart), data...)
		}
	case Status:
		for _, n := range data {
			if command == Query && n >= 1 && n <= 4 {
				sent = append(append(sent, dleEOT...), n)
			}
		}
	}
	if sent == nil {
		return nil, fmt.Errorf("framing %s: there is no command %q", name, command)
	}
	return Encode(name, sent)
}

// Encode is how a message goes over the wire: as it is, but for commands in HID
// reports. Those begin with 0xFD and a byte that was seen as the length of
// short commands and as 0x0F before a menu command; its meaning is not public.
func Encode(name string, message []byte) ([]byte, error) {
	if name != HoneywellHID {
		return bytes.Clone(message), nil
	}
	if len(message) == 0 || len(message) > maxHIDCommand {
		return nil, fmt.Errorf("framing %s: a command has 1 to %d bytes, not %d", name, maxHIDCommand, len(message))
	}
	second := byte(len(message))
	if bytes.HasPrefix(message, []byte(menuStart)) {
		second = 0x0f
	}
	return append([]byte{0xfd, second}, message...), nil
}
