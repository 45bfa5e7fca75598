// Package attack holds what attackers do: requests that break rules on a real
// centre over TLS, requests drawn from the centre's own description of itself,
// and a search over everything that a stolen counter holds. The tests of this
// package are the attacks; it ships nothing.
//
// # The laws
//
//   - An attack is refused with the status that the description names, changes no
//     row of the store, and leaves nothing of what it sent in the log.
//   - A good client is served while an attack goes on.
//   - A search that finds nothing has shown first that it finds what is planted.
//
// # What whoever stole a counter's disk can read
//
// He has every file and runs our own programs with them. Every line but that of
// DPAPI is a test here that does it.
//
//	key kept in   open visit (draft)    finished records   clerks' PINs
//	file          all of it             nothing            by guessing, from 12.6 core-hours
//	Windows       nothing elsewhere     nothing            nothing elsewhere
//	TPM           nothing without it    nothing            nothing without it
//
// A finished record is sealed to keys that no counter has. An open visit lies
// under the counter's own key, because the counter must go on with it after a
// power cut: whoever has a key that lies in a file has the open visit too, until
// it ends. Six digits are 10^6 tries of 45 ms (argon2id, 19 MiB, 2 passes), for
// whoever can unwrap the key that goes into the hash. The line of Windows is what
// its data protection promises; no test here runs it.
//
// The memory of a counter at work has the open visit in clear. On Linux it writes no
// core file and lets no other process of its user look in; root can.
package attack
