package ledger

// syncFolder does nothing: the file system journals names.
func syncFolder(string) error { return nil }

// checkSecret trusts the folder's access list, which the file inherits.
func checkSecret(string) error { return nil }
