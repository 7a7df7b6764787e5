// Package diskstore keeps everything of a device in one directory that survives power cuts, the end of the program at any
// moment, a full disk, and flash that forgets bits.
//
//	version            the version of the directory
//	lock               locked while the store is open
//	trend, permanent   values that the hub does not have yet
//	events             events, as a table
//	logs               log records
//	writes             the audit of sensor writes
//	journal            orders accepted and done, as a table
//	state              what only this device knows, as a table
//	keyed.db           what the hub can send again
//	blobs              contents of BAOBs, one file each
//
// The logs are spools of package wsclient/spool, keyed.db is of package boltstore. What is damaged is set aside as
// *.corrupt-<time> or in a log's quarantine, and reported by [Options.OnReport]; everything else goes on.
package diskstore
