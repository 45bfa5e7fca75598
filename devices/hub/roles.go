package hub

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/counterproof/counterproof/devices"
)

// pinned lists the roles that are pinned to a device.
func (h *Hub) pinned(id devices.ID) []devices.Role {
	roles := []devices.Role{}
	for _, role := range slices.Sorted(maps.Keys(h.cfg.Roles)) {
		if h.cfg.Roles[role] == id {
			roles = append(roles, role)
		}
	}
	return roles
}

// assign gives a listed device the roles that it serves here. free is whether
// it serves any role that nobody else has.
func (h *Hub) assign(d devices.Device) (roles []devices.Role, free bool) {
	if roles := h.pinned(d.ID); len(roles) > 0 {
		return roles, false
	}
	roles = []devices.Role{}
	for _, r := range d.Roles[:min(len(d.Roles), maxWords)] {
		if _, elsewhere := h.cfg.Roles[r]; !elsewhere && r != devices.AnyRole && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles, len(d.Roles) == 0
}

// want is what a user asks for.
type want struct {
	op   string
	can  devices.Capability
	role devices.Role
	id   devices.ID // this device and no other; "" for any
}

// find chooses the device for a want: among those that have the role, or else
// among those that came without one, the healthiest, and of equal ones the one
// whose ID comes first. A device that has the role keeps it while it is faulted:
// a slip does not come out of another printer by surprise. It is called with the
// lock held.
func (h *Hub) find(w want) *unit {
	var named, free *unit
	for _, id := range slices.Sorted(maps.Keys(h.units)) {
		u := h.units[id]
		switch {
		case u.stay == nil || !slices.Contains(u.device.Can, w.can) || w.id != "" && w.id != id:
		case w.role == devices.AnyRole || slices.Contains(u.device.Roles, w.role):
			named = healthier(named, u)
		case u.free && h.cfg.Roles[w.role] == "":
			free = healthier(free, u)
		}
	}
	if named != nil {
		return named
	}
	return free
}

// healthier gives a unless b is in a better state. Ready and Busy are alike, so
// that the choice does not depend on who is at work.
func healthier(a, b *unit) *unit {
	if a == nil || rank(b.device.State) > rank(a.device.State) {
		return b
	}
	return a
}

// rank orders states by how soon a device could serve.
func rank(s devices.State) int {
	switch s {
	case devices.Ready, devices.Busy:
		return 2
	case devices.Found, devices.Opening:
		return 1
	}
	return 0
}

// tidy bounds what a source tells of a device; names come from its maker, and
// from whoever built the plug. False refuses it.
func (h *Hub) tidy(d devices.Device) (devices.Device, bool) {
	id := string(d.ID)
	if id == "" || len(id) > maxID || strings.ContainsFunc(id, unprintable) {
		h.log.Warn("device with an unfit id left out", "bytes", len(id))
		return d, false
	}
	if d.Training && !h.cfg.Training {
		h.log.Warn("simulated device left out: this is not training", "device", id)
		return d, false
	}
	d.Name = text(d.Name)
	d.Roles = slices.Clone(d.Roles[:min(len(d.Roles), maxWords)])
	d.Can = append([]devices.Capability{}, d.Can[:min(len(d.Can), maxWords)]...)
	return d, true
}

// text keeps the printable characters of what a device calls something.
func text(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if unprintable(r) || n == maxText {
			continue
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// unprintable tells what must not reach a log or a screen: control characters,
// marks that turn the writing around, broken UTF-8.
func unprintable(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }
