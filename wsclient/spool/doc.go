// Package spool is a durable log for a device that loses its power: records go in at one end, in order, and are taken out
// at the other, and what [Spool.Append] accepted is there after the program was killed or the plug was pulled. It is made
// for store-and-forward queues, event logs and journals on SD cards and other flash, and knows nothing of networks.
//
//	s, err := spool.Open("/var/lib/gateway/out", nil)
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	if _, err := s.Append(ctx, spool.Entry{Payload: data}); err != nil {
//		return err // not stored
//	}
//	for rec, err := range s.Records(ctx, 0) {
//		if err != nil {
//			return err
//		}
//		if err := send(ctx, rec.Payload); err != nil {
//			return err // it comes again
//		}
//		if err := s.Remove(rec.Seq); err != nil {
//			return err
//		}
//	}
//
// A spool is a directory of segment files, a cursor that says what was removed, a file of what is quarantined, and a
// lock. Records are numbered from 1; the numbers alone make the order. Delivery is at least once: records that were
// removed shortly before a crash may come again.
//
// All methods may be called from any number of goroutines at once. Concurrent appends share one write and one sync.
// Memory is bounded: what is being written and what is being read, not what is stored.
//
// Failures of the disk are a *[SpoolError], wrong options, wrong arguments and a directory that is open already a
// *[ConfigError], a spool without room a *[QueueFullError]. Damage is no error of a call: the log goes on behind it, and
// [Options.OnReport] and [Stats] say which records were hit.
package spool
