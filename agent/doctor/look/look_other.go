//go:build !linux

package look

import "github.com/counterproof/counterproof/agent/doctor"

// access is not known on this system.
func (PC) access(string) doctor.Access { return "" }

// ignored is not asked on this system: it has no ModemManager.
func (PC) ignored(string) bool { return false }

// disk is not known on this system.
func (PC) disk() doctor.Disk { return doctor.Disk{} }

// kept is not known on this system.
func kept() (synced, known bool) { return false, false }
