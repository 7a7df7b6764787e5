package spool

import (
	"encoding/binary"
	"hash/crc32"
	"time"
)

// MaxPayload is the longest payload of a record, in bytes.
const MaxPayload = 8 << 20

// A frame is what a segment holds one after the other. All numbers are little-endian.
//
//	 0  4  CRC-32C of the segment's salt and all of the frame that follows
//	 4  4  length of the body
//	 8  8  sequence number
//	16  8  stamp: 52 bits of microseconds since 1970, 8 bits of tag, 4 bits of flags
//	24     body
const (
	frameHead = 24
	timeBits  = 52
	tagShift  = timeBits
)

// The flags of a frame, at the top of its stamp.
const (
	// flagSynced: all that stands before this frame had been synced when it was written. What is damaged before it
	// was not torn by a power cut.
	flagSynced = 1 << 60
	// flagMark: no record, but the statement that everything up to and with the frame's number is stored and synced.
	// The next frame takes its place.
	flagMark = 1 << 61
	// flagGap: no record, but the statement that the records from the frame's number to the one in the body are lost.
	flagGap = 1 << 62
	// flagNone is always zero.
	flagNone = 1 << 63
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is a decoded frame. The body aliases the bytes that it was decoded from.
type frame struct {
	seq   uint64
	stamp uint64
	body  []byte
}

func (f *frame) is(flag uint64) bool { return f.stamp&flag != 0 }

// last returns the number of the last record that the frame speaks of.
func (f *frame) last() uint64 {
	if f.is(flagGap) && len(f.body) >= 8 {
		return binary.LittleEndian.Uint64(f.body)
	}
	return f.seq
}

// newStamp makes the stamp of a record. Times that 52 bits cannot hold, those before 1970 and after 2112, become the
// nearest that they can.
func newStamp(at time.Time, tag uint8) uint64 {
	us := min(max(at.UnixMicro(), 0), 1<<timeBits-1)
	return uint64(us) | uint64(tag)<<tagShift
}

func stampTime(stamp uint64) time.Time { return time.UnixMicro(int64(stamp & (1<<timeBits - 1))) }

func stampTag(stamp uint64) uint8 { return uint8(stamp >> tagShift) }

// appendFrame appends the encoded frame to dst. The seed is that of the segment.
func appendFrame(dst []byte, seed uint32, f frame) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(f.body)))
	dst = binary.LittleEndian.AppendUint64(dst, f.seq)
	dst = binary.LittleEndian.AppendUint64(dst, f.stamp)
	dst = append(dst, f.body...)
	binary.LittleEndian.PutUint32(dst[start:], crc32.Update(seed, castagnoli, dst[start+4:]))
	return dst
}

// appendGap appends a gap frame from first to last. Its body has size bytes, or the 8 that the number of the last record
// takes; for a single record it may have fewer.
func appendGap(dst []byte, seed uint32, first, last uint64, size int) []byte {
	if first != last {
		size = max(size, 8)
	}
	body := make([]byte, size)
	if size >= 8 {
		binary.LittleEndian.PutUint64(body, last)
	}
	return appendFrame(dst, seed, frame{seq: first, stamp: flagGap, body: body})
}

// frameSize returns the size that the frame at the start of b claims, or 0 if its head cannot be one. b holds at least
// the head.
func frameSize(b []byte) int64 {
	n := binary.LittleEndian.Uint32(b[4:])
	if n > MaxPayload || b[23]&(flagNone>>56) != 0 {
		return 0
	}
	return frameHead + int64(n)
}

// decodeFrame decodes the frame that b holds, of the size that frameSize returned. It reports whether the checksum
// fits.
func decodeFrame(b []byte, seed uint32) (frame, bool) {
	if binary.LittleEndian.Uint32(b) != crc32.Update(seed, castagnoli, b[4:]) {
		return frame{}, false
	}
	return frame{
		seq:   binary.LittleEndian.Uint64(b[8:]),
		stamp: binary.LittleEndian.Uint64(b[16:]),
		body:  b[frameHead:],
	}, true
}
