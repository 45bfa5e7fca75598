//go:build !(linux && amd64)

package main

// runtime is empty where no runtime is pinned: the networks are fetched, and a
// runtime of the platform's own can be put beside them.
func runtime() []pack { return nil }
