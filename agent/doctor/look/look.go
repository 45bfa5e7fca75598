// Package look gathers the facts that the doctor examines: what is plugged in, who
// may open it and who has it open, which rules are installed, which services run,
// the disk and the clock. It reads what the kernel shows and opens no device.
//
// It judges nothing and changes nothing.
//
// # The laws
//
//   - What cannot be looked at is not known, and not told as wrong.
//   - Of other programs only those are seen that the system lets this user see.
//   - No file of the counter is opened: names, sizes and times are enough.
package look

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/doctor"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/profile"
)

// PC says where a computer shows what it has. Empty fields are the usual places.
type PC struct {
	Sys, Dev, Proc, Run, Etc, Lib string
	// Data is the counter's folder, whose disk and whose files' times are looked
	// at; "" is none.
	Data string
	// Profiles is the folder with the site's own profiles; "" is none.
	Profiles string
	// Pinned are the devices that the configuration names.
	Pinned []devices.ID
	// Cards asks the smart-card service why it cannot be used; nil asks the
	// system's.
	Cards func() error
	// Readers is how many readers the smart-card service knows; nil asks it.
	Readers func() int
}

// Of is a computer with what a configuration says of it: the counter's folder, the
// site's profiles and the devices that are named.
func (pc PC) Of(cfg config.Config) PC {
	pc.Data, pc.Profiles = cmp.Or(pc.Data, cfg.Data), cmp.Or(pc.Profiles, cfg.ProfilesPath())
	for _, v := range []string{cfg.DocumentCamera, cfg.FaceCamera, cfg.Printer, cfg.ChipReader} {
		if id := config.Pinned(v); id != "" {
			pc.Pinned = append(pc.Pinned, devices.ID(id))
		}
	}
	return pc
}

// usual fills in the usual places.
func (pc PC) usual(plugs *bus.Source) PC {
	pc.Sys, pc.Dev, pc.Proc = cmp.Or(pc.Sys, "/sys"), cmp.Or(pc.Dev, "/dev"), cmp.Or(pc.Proc, "/proc")
	pc.Run, pc.Etc, pc.Lib = cmp.Or(pc.Run, "/run"), cmp.Or(pc.Etc, "/etc"), cmp.Or(pc.Lib, "/usr/lib")
	if pc.Cards == nil {
		pc.Cards = plugs.Chips().Trouble
	}
	if pc.Readers == nil {
		pc.Readers = func() int {
			names, err := bus.ChipReaderNames()
			if err != nil {
				return 0
			}
			return len(names)
		}
	}
	return pc
}

// Gather looks at a computer. What concerns the counter's own program and its
// devices is not here.
func Gather(_ context.Context, pc PC, now time.Time) doctor.Facts {
	plugs := bus.New(bus.Config{Profiles: pc.Profiles, Sys: pc.Sys, Dev: pc.Dev, Log: slog.New(slog.DiscardHandler)})
	pc = pc.usual(plugs)
	set, wrong := plugs.Profiles()
	f := doctor.Facts{
		Pinned: pc.Pinned, Rules: pc.rules(set), ModemManager: pc.runs("ModemManager"), Disk: pc.disk(), Clock: pc.clock(now), Profiles: wrong,
	}
	things, err := plugs.Things()
	if err != nil {
		return f // a computer that shows no devices has none to tell of
	}
	holders := pc.holders(nodes(things))
	for _, t := range things {
		f.Things = append(f.Things, doctor.Thing{
			Found: t.Found, ID: t.ID, Profile: t.Profile, Known: t.Known, Access: pc.access(t.Node), Holders: holders[t.Node],
			Ignored: pc.ignored(t.Node),
		})
	}
	f.Cards = pc.cards(things)
	return f
}

// nodes lists what could be open.
func nodes(things []bus.Thing) (all []string) {
	for _, t := range things {
		if strings.HasPrefix(t.Node, "/") {
			all = append(all, t.Node)
		}
	}
	return all
}

// rules compares the rules that are installed with what the profiles say.
func (pc PC) rules(set profile.Set) doctor.Rules {
	seen := doctor.RulesMissing
	for _, dir := range []string{filepath.Join(pc.Etc, "udev/rules.d"), filepath.Join(pc.Lib, "udev/rules.d"), filepath.Join(pc.Run, "udev/rules.d")} {
		b, err := os.ReadFile(filepath.Join(dir, profile.RulesFile))
		if err != nil {
			continue
		}
		if bytes.Equal(bytes.TrimSpace(b), bytes.TrimSpace(set.Udev())) {
			return doctor.RulesThere
		}
		seen = doctor.RulesOld
	}
	return seen
}

// cards tells how the smart-card service stands, where a reader for it is plugged
// in or named.
func (pc PC) cards(things []bus.Thing) doctor.Cards {
	wanted := slices.ContainsFunc(things, func(t bus.Thing) bool { return t.Known && t.Profile.Transport == profile.OverPCSC }) ||
		slices.ContainsFunc(pc.Pinned, func(id devices.ID) bool { return strings.HasPrefix(string(id), "pcsc:") })
	if !wanted {
		return ""
	}
	switch err := pc.Cards(); {
	case devices.KindOf(err) == devices.Permission:
		return doctor.CardsRefuse
	case err != nil && pc.installed():
		return doctor.CardsStopped
	case err != nil:
		return doctor.CardsMissing
	case pc.Readers() == 0:
		return doctor.CardsEmpty
	}
	return doctor.CardsThere
}

// installed tells that the smart-card service is installed: its program is there,
// or its socket, which the system starts it by.
func (pc PC) installed() bool {
	for _, path := range []string{filepath.Join(pc.Run, "pcscd/pcscd.comm"), filepath.Join(filepath.Dir(pc.Lib), "sbin/pcscd")} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

// runs tells that a program runs, by the name that the kernel has for it.
func (pc PC) runs(program string) bool {
	for pid := range pc.processes() {
		if pc.called(pid) == program {
			return true
		}
	}
	return false
}

// processes yields the numbers of the processes that run.
func (pc PC) processes() func(yield func(pid string) bool) {
	return func(yield func(string) bool) {
		entries, _ := os.ReadDir(pc.Proc) // as many as could be read
		for _, e := range entries {
			if name := e.Name(); name[0] >= '0' && name[0] <= '9' && !yield(name) {
				return
			}
		}
	}
}

// called is the name of a process; it chose it itself.
func (pc PC) called(pid string) string {
	b, err := os.ReadFile(filepath.Join(pc.Proc, pid, "comm"))
	if err != nil {
		return ""
	}
	return doctor.Plain(string(b), 32)
}

// holders names the programs that have one of these nodes open, without this
// program itself.
func (pc PC) holders(nodes []string) map[string][]string {
	out := map[string][]string{}
	if len(nodes) == 0 {
		return out
	}
	self := pc.called("self")
	for pid := range pc.processes() {
		folder := filepath.Join(pc.Proc, pid, "fd")
		files, _ := os.ReadDir(folder) // none of a process that is not ours to see
		for _, file := range files {
			target, err := os.Readlink(filepath.Join(folder, file.Name()))
			if err != nil || !slices.Contains(nodes, target) {
				continue
			}
			name := pc.called(pid)
			if name != "" && name != self && !slices.Contains(out[target], name) {
				out[target] = append(out[target], name)
			}
		}
	}
	return out
}

// ahead is by how much the newest file at the top of the counter's folder is from
// the future.
func (pc PC) ahead(now time.Time) (most time.Duration) {
	entries, err := os.ReadDir(pc.Data)
	if pc.Data == "" || err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			most = max(most, info.ModTime().Sub(now))
		}
	}
	return most
}

// made is a day before which no copy of this program was made.
func made() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// clock tells how far the clock can be believed.
func (pc PC) clock(now time.Time) doctor.Clock {
	synced, known := kept()
	return doctor.Clock{Known: known, Synced: synced, Behind: pc.ahead(now), Old: now.Before(made())}
}
