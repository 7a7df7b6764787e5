package outbox

// Stats are the counts of a box. Those that are not said to be something else count messages since the beginning.
type Stats struct {
	Recovered uint64 // found in the spool
	Accepted  uint64

	Delivered   uint64 // acknowledged or, without acknowledgements, written
	Dropped     uint64 // by the policy
	Expired     uint64
	Canceled    uint64 // taken back by receipts
	Refused     uint64 // by the peer, which said so
	Quarantined uint64 // because the peer closes at them, or they cannot be written
	Drained     uint64 // taken back by Drain
	Vanished    uint64 // the spool had them and has them no more: dropped, expired or damaged there

	Turned    uint64 // not accepted for want of room
	Resent    uint64 // written again, each time
	MaybeLost uint64 // delivered, without a sign that they reached the peer before the connection was lost
	Strays    uint64 // acknowledgements of nothing that waits for one
	DiskFails uint64 // failures of the spool
	Untold    uint64 // losses that OnLoss was too slow to be told of; they are counted above as well

	Depth     int   // accepted and without a fate, now
	Unacked   int   // of these, written on this connection
	Bytes     int64 // of data in memory, now
	HighWater int   // the largest depth
}

// Stats returns the counts.
func (b *Box) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Depth, s.Bytes = b.depth(), b.flight.bytes+b.wait.bytes
	s.Unacked = b.flight.live
	if b.disk != nil {
		s.Bytes += b.disk.memory.bytes
	}
	return s
}
