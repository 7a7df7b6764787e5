// Package store says what a device keeps, and where: logs of what still has to reach the hub, tables of what must outlive
// the program, state under keys, and blobs.
//
// A [Store] is handed to a device. [Memory] makes one that lasts as long as the program. The durable one is made by package
// diskstore. A store of one's own implements [Log], [Keyed] and [Blobs] and passes the tests of package storetest.
//
// Each part may be used by several goroutines. What a call accepted is there until it is removed, or its loss is reported.
//
// Errors match the Err of package smok: a disk that fails or is full and damaged data are a *smok.StoreError, a key that
// nothing is stored under is a *smok.NotFoundError, wrong arguments are a *smok.InvalidArgumentError, a log or table
// without room is a *smok.QueueFullError, and a part that was closed is smok.ErrClosed.
package store
