package inspect

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/counterproof/counterproof/devices/framing"
	"github.com/spf13/cobra"
)

// framesInput is what went to a device and what its port gave, as hex.
type framesInput struct {
	Protocol   *string  `json:"protocol"`
	Sent       string   `json:"sent"`
	Reads      []string `json:"reads"`
	Descriptor string   `json:"descriptor"` // HID report descriptor; its layout goes before the protocol's own
}

// event is one frame under the keys of the shell.
type event map[string]any

// framesReading is what the reads come to.
type framesReading struct {
	Events []event `json:"events"`
}

// framesAnswer decodes the reads of one port, or says what would be sent where
// there are none. A read of nothing is the deadline between bytes, and so is
// the end; HID reports know no such deadline here.
func framesAnswer(in json.RawMessage) (any, error) {
	var q framesInput
	if err := decode(in, &q); err != nil {
		return nil, err
	}
	if q.Protocol == nil {
		return nil, errors.New(`"protocol" is missing`)
	}
	if !slices.Contains(framing.Names(), *q.Protocol) {
		return nil, fmt.Errorf(`"protocol" is none of %s`, strings.Join(framing.Names(), ", "))
	}
	sent, err := hex.DecodeString(q.Sent)
	if err != nil {
		return nil, errors.New(`"sent" is not hex`)
	}
	if len(q.Reads) == 0 {
		return encoded(*q.Protocol, sent)
	}
	reads := make([][]byte, len(q.Reads))
	for i, text := range q.Reads {
		if reads[i], err = hex.DecodeString(text); err != nil {
			return nil, fmt.Errorf("read %d is not hex", i+1)
		}
	}
	d, err := q.decoder(sent)
	if err != nil {
		return nil, err
	}
	return replay(d, reads, framing.ByReport(*q.Protocol)), nil
}

// encoded is what goes over the wire for a message.
func encoded(protocol string, sent []byte) (any, error) {
	if len(sent) == 0 {
		return nil, errors.New(`"reads" and "sent" are missing: one of them is needed`)
	}
	wire, err := framing.Encode(protocol, sent)
	if err != nil {
		return nil, err
	}
	return framesReading{[]event{{"kind": "encode", "bytes": hex.EncodeToString(wire)}}}, nil
}

// decoder makes the protocol's decoder.
func (in framesInput) decoder(sent []byte) (framing.Decoder, error) {
	s := framing.Settings{Sent: sent}
	if in.Descriptor != "" {
		raw, err := hex.DecodeString(in.Descriptor)
		if err != nil {
			return nil, errors.New(`"descriptor" is not hex`)
		}
		layout, err := framing.ParseReportDescriptor(raw)
		if err != nil {
			return nil, err
		}
		s.Layout = &layout
	}
	return framing.New(*in.Protocol, s)
}

// replay gives a decoder the reads.
func replay(d framing.Decoder, reads [][]byte, byReport bool) framesReading {
	a := framesReading{Events: []event{}}
	tell := func(frames []framing.Frame) {
		for _, f := range frames {
			a.Events = append(a.Events, eventOf(f))
		}
	}
	for _, r := range reads {
		tell(d.Feed(r))
		if len(r) == 0 && !byReport {
			tell(d.Expire())
		}
	}
	if !byReport {
		tell(d.Expire())
	}
	return a
}

// eventOf is a frame under the keys of the shell.
func eventOf(f framing.Frame) event {
	switch f := f.(type) {
	case framing.MRZ:
		return event{"kind": "mrz", "lines": f.Lines}.skipped(f.Skipped)
	case framing.Barcode:
		return barcodeEvent(f)
	case framing.Ack:
		return event{"kind": "ack", "command": f.Command, "value": f.Value}.skipped(f.Skipped)
	case framing.Setting:
		return event{"kind": "setting", "tag": f.Tag, "subtag": f.Subtag, "value": f.Value, "status": f.Status}
	case framing.PrinterStatus:
		return event{"kind": "printer", "online": f.Online, "drawer_pin3_high": f.DrawerPin3High}
	case framing.OfflineStatus:
		return event{"kind": "offline", "cover_open": f.CoverOpen, "stopped_by_paper_end": f.StoppedByPaperEnd}
	case framing.FailureStatus:
		return event{"kind": "failure", "cutter": f.Cutter, "unrecoverable": f.Unrecoverable, "recoverable": f.Recoverable}
	case framing.PaperStatus:
		return event{"kind": "paper", "near_end": f.NearEnd, "end": f.End}
	case framing.Error:
		e := event{"kind": "error", "error": f.Code}
		for _, n := range f.Numbers() {
			e[n.Name] = n.Value
		}
		return e
	}
	return event{"kind": "unknown"}
}

// skipped adds how many bytes before the frame belonged to none.
func (e event) skipped(n int) event {
	if n > 0 {
		e["skipped"] = n
	}
	return e
}

// barcodeEvent is a barcode as text, and as bytes where text cannot hold them.
func barcodeEvent(b framing.Barcode) event {
	e := event{"kind": "barcode", "text": string(b.Bytes)}
	if b.AIM != "" {
		e["aim"] = b.AIM
	}
	if !utf8.Valid(b.Bytes) {
		e["bytes_hex"] = hex.EncodeToString(b.Bytes)
	}
	return e
}

// framesCommand is "inspect frames".
func framesCommand() *cobra.Command {
	return question{
		use: "frames", short: "Decode what a reader, scanner or printer sent",
		long: fmt.Sprintf(`Decodes the bytes that a device's port gave, as the drivers do. "reads" are hex,
one read each: "" says that nothing came, so that the deadline between bytes
passed, and so does the end. HID reports have no such deadline: there "" is
nothing. "sent" is what went to the device before; a printer's status needs it.
Without "reads" it tells what would go over the wire for "sent". "descriptor" is
a HID report descriptor that says how reports are laid out.

Protocols: %s.

The answer holds what was read, in the clear.`, strings.Join(framing.Names(), ", ")),
		example: `  echo '{"protocol":"honeywell-menu","reads":["434252454e4131","062e"]}' | counterproofd inspect frames
  echo '{"protocol":"escpos-status","sent":"100401","reads":["12"]}' | counterproofd inspect frames
  echo '{"protocol":"honeywell-hid-command","sent":"16540d"}' | counterproofd inspect frames`,
		answer: func() (answerer, error) { return framesAnswer, nil },
	}.command()
}
