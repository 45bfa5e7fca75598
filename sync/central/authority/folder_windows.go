package authority

// syncDir does nothing: on Windows a folder cannot be synced, and NTFS keeps
// its names in a journal.
func syncDir(string) error { return nil }
