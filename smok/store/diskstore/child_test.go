package diskstore_test

func runChild() bool { return false }
