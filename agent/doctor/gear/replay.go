package gear

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/devices/framing"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/record"
)

func replayCommand() *cobra.Command {
	var p place
	var kind string
	var show bool
	cmd := command(&cobra.Command{
		Use: "replay FILE", Short: "Show what the program makes of a recording", Args: cobra.ExactArgs(1),
		Long: `Show what the program makes of a recording: what passed and when, and the frames that
the decoder of its profile finds. A recording without documents has nothing to decode,
so only what passed is shown. What a frame holds is shown with --show alone.`,
		Example: "  counterproofd devices replay reader.jsonl\n  counterproofd devices replay reader.jsonl --profile desko-cute",
	}, func(cmd *cobra.Command, args []string) error {
		_, plugs, err := p.open()
		if err != nil {
			return err
		}
		f, err := os.Open(args[0])
		if err != nil {
			return fmt.Errorf("reading the recording: %w", err)
		}
		defer f.Close()
		r, err := record.Parse(f)
		if err != nil {
			return err
		}
		if kind == "" {
			kind = r.Header.Profile
		}
		set, _ := plugs.Profiles()
		found, known := set.Find(kind)
		if !known {
			return fmt.Errorf("there is no profile %.48q; name one with --profile", kind)
		}
		return replay(r, found, show, cmd.OutOrStdout())
	})
	p.flags(cmd)
	cmd.Flags().StringVar(&kind, "profile", "", "decode as this kind of device instead of the recording's")
	cmd.Flags().BoolVar(&show, "show", false, "print what frames hold, which may be of a document")
	return cmd
}

// settings is what a profile says about its framing.
func settings(p profile.Profile) framing.Settings {
	f := p.Framing
	s := framing.Settings{
		MaxBytes: p.Limits.MaxBytes, Start: f.Start, End: f.End, Content: framing.Content(f.Content), AIMPrefix: f.AIMPrefix,
		Length: framing.Span(f.Length), Check: framing.Span(f.Check), Letters: f.Letters,
	}
	if l := f.Layout; l != nil {
		s.Layout = &framing.HIDLayout{
			ReportID: byte(l.ReportID), Size: l.Size, Length: l.Length, Symbology: l.Symbology, Data: l.Data, Max: l.Max, More: l.More,
			MoreMask: byte(l.MoreMask),
		}
	}
	if f.Name == framing.Status {
		s.Sent = []byte{0x10, 0x04, 1}
	}
	return s
}

// player decodes a recording.
type player struct {
	out     io.Writer
	decoder framing.Decoder
	between time.Duration // deadline between two bytes of a frame; 0 for reports
	show    bool
	last    time.Duration // when something came in
	frames  int
}

// replay prints what a recording comes to.
func replay(r record.Recording, p profile.Profile, show bool, out io.Writer) error {
	with := settings(p)
	if p.Framing.Name == framing.HIDPOS && with.Layout == nil {
		p.Framing.Name = framing.HIDPOSAIM5 // the device's own layout is not in a recording
	}
	d, err := framing.New(p.Framing.Name, with)
	if err != nil {
		return fmt.Errorf("decoding as %s: %w", p.ID, err)
	}
	pl := &player{out: out, decoder: d, between: p.Limits.InterByte, show: show}
	if framing.ByReport(p.Framing.Name) {
		pl.between = 0
	}
	fmt.Fprintf(out, "%s, decoded as %s (%s)\n", r.Header.Device, p.ID, p.Framing.Name)
	hidden := false
	for _, e := range r.Events {
		pl.event(e)
		hidden = hidden || !e.Out && e.Bytes == nil && e.Len > 0
	}
	pl.tell(d.Expire())
	if hidden {
		_, err = fmt.Fprintln(out, "What was read was not kept, so there is nothing to decode.")
		return err
	}
	_, err = fmt.Fprintf(out, "%d frames.\n", pl.frames)
	return err
}

// event prints a piece and gives it to the decoder.
func (p *player) event(e record.Event) {
	if p.between > 0 && p.decoder.Pending() && e.At-p.last > p.between {
		p.tell(p.decoder.Expire())
	}
	way := "in "
	if e.Out {
		way = "out"
	}
	said := fmt.Sprintf("%d bytes", e.Len)
	switch {
	case e.Fault != "":
		said = "failed: " + string(e.Fault)
	case e.Bytes == nil:
		said += ", not kept"
	case e.Out || p.show:
		said += " " + hex.EncodeToString(e.Bytes)
	}
	fmt.Fprintf(p.out, "%9.3f s  %s  %s\n", e.At.Seconds(), way, said)
	if !e.Out && e.Bytes != nil {
		p.last = e.At
		p.tell(p.decoder.Feed(e.Bytes))
	}
}

// tell prints frames.
func (p *player) tell(all []framing.Frame) {
	for _, f := range all {
		p.frames++
		fmt.Fprintf(p.out, "             =>  %s\n", p.say(f))
	}
}

// say tells a frame; what it holds only where that is wished.
func (p *player) say(f framing.Frame) string {
	switch f := f.(type) {
	case framing.MRZ:
		var lengths []string
		for _, l := range f.Lines {
			lengths = append(lengths, fmt.Sprint(len(l)))
		}
		said := fmt.Sprintf("zone of %d lines (%s characters)", len(f.Lines), strings.Join(lengths, ", "))
		if p.show {
			said += " " + strings.Join(f.Lines, " | ")
		}
		return said
	case framing.Barcode:
		said := fmt.Sprintf("barcode %s of %d bytes", f.AIM, len(f.Bytes))
		if p.show {
			said += " " + fmt.Sprintf("%q", f.Bytes)
		}
		return said
	case framing.Ack:
		return fmt.Sprintf("answer to command %q", f.Command)
	case framing.Setting:
		return fmt.Sprintf("setting %s%s: %s", f.Tag, f.Subtag, f.Status)
	case framing.Error:
		return "no frame: " + f.Error()
	}
	return fmt.Sprintf("state %+v", f)
}
