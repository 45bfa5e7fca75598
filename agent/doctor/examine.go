package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
)

// service tells of the counter's own program and of its records.
func service(f Facts) []api.Finding {
	return slices.Concat(
		one(f.Service == ServiceAway, api.ServiceStopped), one(f.Service == ServiceShut, api.ServiceRefuses),
		one(f.Service == ServiceUnenrolled, api.NotEnrolled),
		one(f.Queue.Alarms > 0, api.RecordsAlarm, "value", fmt.Sprint(f.Queue.Alarms)),
	)
}

// disk tells of the room for records.
func disk(f Facts) []api.Finding {
	if f.Disk.Total == 0 {
		return nil
	}
	free := fmt.Sprintf("%d MB", f.Disk.Free>>20)
	full := f.Disk.Free < diskFull
	return slices.Concat(one(full, api.DiskFull, "free", free), one(!full && f.Disk.Free < diskLow, api.DiskLow, "free", free))
}

// clock tells of the clock, by which training, documents and records are judged.
func clock(f Facts) []api.Finding {
	off := f.Clock.Old || f.Clock.Behind > clockSlip
	return slices.Concat(one(off, api.ClockOff), one(!off && f.Clock.Known && !f.Clock.Synced, api.ClockLoose))
}

// profiles tells of what is wrong with the site's own profiles.
func profiles(f Facts) (all []api.Finding) {
	for _, p := range f.Profiles {
		all = append(all, finding(api.ProfileWrong, "", Plain(p, 24), "value", p))
	}
	return all
}

// plugs tells of everything that is plugged in and is not, or cannot be, used.
// One box may show several things, so each finding stands once for a plug.
func plugs(f Facts) []api.Finding {
	type told struct {
		code api.FindingCode
		port string
	}
	var all []api.Finding
	seen := map[told]bool{}
	for _, t := range f.Things {
		for _, found := range f.plug(t) {
			if once := (told{found.Code, t.PortPath}); !seen[once] {
				seen[once] = true
				all = append(all, found)
			}
		}
	}
	return all
}

// plug tells of one thing.
func (f Facts) plug(t Thing) []api.Finding {
	code := t.unopened(f.named(t))
	if t.Known && t.Profile.Opens() && t.Profile.Transport != profile.OverPCSC { // else the smart-card service opens it
		code = f.node(t)
	}
	if code == "" {
		return nil
	}
	return []api.Finding{finding(code, t.ID, t.called(), "node", t.Node, "place", t.PortPath, "profile", t.Profile.ID,
		"rule", cmp.Or(t.Profile.Rule(), profile.RulesFile), "holder", t.holder(), "value", fmt.Sprintf("%04x:%04x", t.Vendor, t.Product))}
}

// unopened says why a thing is not opened at all, "" where that is nobody's
// business or the site has chosen it.
func (t Thing) unopened(named bool) api.FindingCode {
	switch {
	case !t.Known:
		return t.looksLike()
	case t.Profile.Opens() || named && t.Profile.Hint == string(api.ChooseDevice):
		return ""
	}
	return api.FindingCode(cmp.Or(t.Profile.Hint, string(api.MakersKit)))
}

// node says what keeps a thing's node from being used, "" where nothing does.
func (f Facts) node(t Thing) api.FindingCode {
	switch {
	case slices.ContainsFunc(t.Holders, isModem):
		return api.ModemManager
	case t.Access == MayNotOpen || f.kind(t.ID) == devices.Permission:
		return f.rule(t)
	case len(t.Holders) > 0:
		return api.Held
	case f.kind(t.ID) == devices.InUse:
		return api.HeldUnseen
	case t.Bus == profile.BusSerial && t.Vendor != 0 && f.ModemManager && !t.Ignored:
		return api.ModemManager
	}
	return ""
}

// called is what a thing is called.
func (t Thing) called() string {
	return cmp.Or(Plain(t.Name, maxWord), t.Profile.Name, Plain(t.PortPath, maxWord), string(t.Bus))
}

// holder names who has a thing open.
func (t Thing) holder() string { return Plain(strings.Join(t.Holders, ", "), maxWord) }

// isModem tells ModemManager by its name, which the kernel cuts.
func isModem(program string) bool { return strings.HasPrefix(program, "ModemManager") }

// kind is the fault of a device as the counter has it.
func (f Facts) kind(id devices.ID) devices.Kind {
	for _, d := range f.Devices {
		if d.ID == id {
			return d.Kind
		}
	}
	return devices.KindNone
}

// named tells that the site has chosen a thing by a profile or in the
// configuration.
func (f Facts) named(t Thing) bool { return t.Profile.Site || slices.Contains(f.Pinned, t.ID) }

// rule says what is the matter where a thing must not be opened.
func (f Facts) rule(t Thing) api.FindingCode {
	switch {
	case f.Rules == RulesMissing:
		return api.NoRule
	case f.Rules == RulesOld:
		return api.OldRule
	}
	return api.RuleUnused
}

// makers are who makes readers for counters, by USB vendor (usb.ids): Honeywell,
// Symbol and Zebra, Datalogic, Access-IS, Metrologic, Opticon, Epson's and
// Star's printers are told by their class.
var makers = []uint16{0x0c2e, 0x05e0, 0x05f9, 0x0db5, 0x0536, 0x065a}

// The usage page of barcode scanners (HID Point of Sale Usage Tables 1.02).
const pageBarcode = 0x8c

// looksLike says what an unknown thing looks like, "" for what is not ours: a
// mouse, a loudspeaker, a serial port of the board.
func (t Thing) looksLike() api.FindingCode {
	switch {
	case t.Bus == profile.BusHID && t.UsagePage == pageBarcode:
		return api.UnknownReader
	case t.Bus == profile.BusSerial && t.Vendor != 0:
		return api.UnknownLine
	case t.Bus == profile.BusUSB && strings.HasPrefix(string(t.Class), "07/"):
		return api.UnknownPrinter
	case slices.Contains(makers, t.Vendor):
		return api.UnknownReader
	}
	return ""
}

// cards tells of the smart-card service, where a chip reader is plugged in or the
// configuration names one.
func cards(f Facts) []api.Finding {
	i := slices.IndexFunc(f.Things, func(t Thing) bool {
		return t.Known && t.Profile.Transport == profile.OverPCSC && t.Bus == profile.BusUSB
	})
	pinned := slices.IndexFunc(f.Pinned, func(id devices.ID) bool { return strings.HasPrefix(string(id), "pcsc:") })
	if i < 0 && pinned < 0 {
		return nil
	}
	code := map[Cards]api.FindingCode{
		CardsMissing: api.CardsMissing, CardsStopped: api.CardsStopped, CardsRefuse: api.CardsRefuse, CardsEmpty: api.CardReaderQuiet,
	}[f.Cards]
	if code == "" || code == api.CardReaderQuiet && i < 0 {
		return nil
	}
	if i < 0 {
		return []api.Finding{finding(code, f.Pinned[pinned], strings.TrimPrefix(string(f.Pinned[pinned]), "pcsc:"))}
	}
	return []api.Finding{finding(code, f.Things[i].ID, f.Things[i].called())}
}

// faults is what a device's own fault means. What the plugs tell better is not
// here.
var faults = map[devices.Kind]api.FindingCode{
	devices.Timeout: api.Silent, devices.Protocol: api.Garbled, devices.Gone: api.Unplugged, devices.PaperOut: api.PaperOut,
	devices.CoverOpen: api.CoverOpen, devices.Unsupported: api.CannotServe,
}

// states tells of devices that are not well by themselves.
func states(f Facts) (all []api.Finding) {
	reads := false
	for _, d := range f.Devices {
		here := d.State != devices.Absent
		reads = reads || here && (slices.Contains(d.Can, devices.CanFilm) || slices.Contains(d.Can, devices.CanReadMRZ))
		code := faults[d.Kind]
		switch {
		case !here && slices.Contains(f.Pinned, d.ID):
			code = api.PinnedAway
		case !here:
			code = api.Unplugged
		case code == api.CannotServe && f.refused(d.ID):
			continue // by its profile, which says why
		case (d.Kind == devices.Permission || d.Kind == devices.InUse) && !f.plugged(d.ID):
			code = map[devices.Kind]api.FindingCode{devices.Permission: api.CannotServe, devices.InUse: api.HeldUnseen}[d.Kind]
		}
		if code != "" {
			all = append(all, finding(code, d.ID, cmp.Or(d.Name, string(d.ID)), "role", role(d), "holder", "", "place", place(d.ID)))
		}
	}
	return append(all, one(f.Complete && !reads, api.NothingReads)...)
}

// plugged tells that a device is one of the things that are plugged in.
func (f Facts) plugged(id devices.ID) bool {
	return slices.ContainsFunc(f.Things, func(t Thing) bool { return t.ID == id })
}

// refused tells that a thing's profile says why it is not opened.
func (f Facts) refused(id devices.ID) bool {
	return slices.ContainsFunc(f.Things, func(t Thing) bool { return t.ID == id && !t.Profile.Opens() })
}

// place is where a device is plugged in, by its name.
func place(id devices.ID) string {
	_, at, _ := strings.Cut(string(id), ":")
	at, _, _ = strings.Cut(at, "/")
	return at
}

// role is what a device is used for, the first of several.
func role(d devices.Device) string {
	if len(d.Roles) == 0 {
		return ""
	}
	return string(d.Roles[0])
}

// twins tells of two equal cameras or printers of which nobody has said which is
// which: one camera films the document, the other the face. Of equal readers
// either serves.
func twins(f Facts) (all []api.Finding) {
	for i, a := range f.Devices {
		for _, b := range f.Devices[i+1:] {
			if equal(a, b) && !slices.Contains(f.Pinned, a.ID) && !slices.Contains(f.Pinned, b.ID) {
				all = append(all, finding(api.Twins, a.ID, a.Name, "value", string(b.ID)))
			}
		}
	}
	return all
}

// equal tells two devices that are there and that only their place tells apart.
func equal(a, b devices.Device) bool {
	either := slices.Contains(a.Can, devices.CanFilm) || slices.Contains(a.Can, devices.CanPrint)
	return either && !a.Training && a.State != devices.Absent && b.State != devices.Absent &&
		a.Name == b.Name && slices.Equal(a.Can, b.Can) && model(a.ID) == model(b.ID) && model(a.ID) != ""
}

// model is the vendor and product in a device's name.
func model(id devices.ID) string {
	_, rest, _ := strings.Cut(string(id), "/")
	m, _, _ := strings.Cut(rest, "/")
	m, _, _ = strings.Cut(m, "#")
	return m
}

// lights tells of camera places that are not fit.
func lights(f Facts) (all []api.Finding) {
	for _, l := range f.Lights {
		if l.Finding != "" {
			all = append(all, finding(l.Finding, "", "", "role", l.Role, "value", fmt.Sprintf("%.0f", l.Mean)))
		}
	}
	return all
}
