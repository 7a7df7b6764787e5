// Package ngtttest is a hub for tests: it speaks NGTT with devices as the SMOK hub does, keeps their orders, and breaks
// on demand.
//
// A [Hub] listens on 127.0.0.1, or on any net.Listener, with a throw-away authority that also issues the certificates of
// devices:
//
//	hub := ngtttest.New(nil)
//	if err := hub.Start(); err != nil {
//		return err
//	}
//	defer hub.Close()
//	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
//	// connect to hub.Addr(), trusting hub.RootCAs()
//	hub.Enqueue("pump-1", body)
//	err = hub.Wait(ctx, "pump-1", func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
//
// # Orders
//
// Orders of a device wait in a queue. Once the device has sent FETCH_ORDERS, up to [Options.Prefetch] of them are on their
// way at a time. Those that were not confirmed when the connection ends go back to the front of the queue, and go out
// again, under new transaction ids, on the next one. How the real hub treats a refused order is not known: it is dropped
// here, or put back with [Options.RequeueRejected].
//
// # Faults
//
// [Hub.SetFaults] breaks all connections at once: withheld and late pongs, bytes that trickle, silence in one
// direction, confirmations lost before or after they were read, a cut after so many bytes, refused certificates.
// [Hub.WaitConn] leads to a single [Conn], on which a test sends what no hub would: unknown types, frames that only
// devices send, lengths beyond reason, garbage.
//
// # Time
//
// All waiting goes through package time, so a hub whose listener is in memory runs inside a testing/synctest bubble.
// The certificates are good for both clocks.
package ngtttest
