package spool

// Stats are the counts of a [Spool] since it was opened. At any time
//
//	Recovered + Appended = Records + Removed + Dropped + Expired + Quarantined + Damaged
type Stats struct {
	Recovered uint64 // records found by Open
	Appended  uint64 // records accepted

	Removed     uint64 // records taken out by Remove
	Dropped     uint64 // records that made room under DropOldest
	Expired     uint64 // records that became too old
	Quarantined uint64 // records set aside by Quarantine
	Damaged     uint64 // records that were found damaged or missing

	Refused uint64 // records that were not accepted for want of room; none of the above

	Records  int64  // in the log now
	Bytes    int64  // their size on the disk, with frames
	Segments int    // files that hold them
	First    uint64 // number of the oldest record, or of the next one if there is none
	Next     uint64 // number of the next record

	Groups       uint64 // writes of appended records; concurrent appends share one
	Syncs        uint64 // syncs of files and directories
	BytesWritten uint64 // bytes written to files
	CursorWrites uint64 // times that the cursor was written
	Failures     uint64 // failures of the disk
}

// Stats returns the counts.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Records, st.Bytes, st.Segments = s.live(), s.size(), len(s.segs)
	st.First, st.Next = s.head, s.next
	return st
}
