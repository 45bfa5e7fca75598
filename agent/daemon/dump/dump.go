// Package dump keeps a process's memory, in which an open visit lies readable, out of
// files and from other processes of the same user. It keeps out nobody who is root.
//
// # The laws
//
//   - After Forbid no crash writes a core file, whatever the surroundings ask for.
//   - A system that has no such setting is no error: what it writes is set there.
package dump
