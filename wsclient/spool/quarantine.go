package spool

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// Poison is what was set aside: a record that its owner could not deal with, or the bytes of a damaged place.
type Poison struct {
	First, Last uint64 // the numbers of the records concerned
	At          time.Time
	Record      bool // a whole record; otherwise damaged bytes
	Tag         uint8
	Reason      string
	Payload     []byte // the record's, or the first 64 KiB of the damage; nil if it did not fit in the quarantine
}

// The quarantine file has the header and the frames of a segment with the number 1, with numbers of its own. A body is
//
//	0  8  number of the first record concerned
//	8  8  number of the last one
//	16 1  1 for a record, 0 for damaged bytes
//	17 1  tag
//	18 2  length of the reason
//	20    reason, payload
const (
	wardName   = "quarantine"
	wardBase   = 1
	poisonHead = 20
	maxReason  = 1 << 10
	maxDamage  = 64 << 10 // bytes kept of a damaged place
)

// ward is the quarantine file. It is used under out.
type ward struct {
	name string
	seed uint32
	next uint64
	end  int64 // 0 if there is no file yet
}

func (p Poison) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, p.First)
	b = binary.LittleEndian.AppendUint64(b, p.Last)
	b = append(b, 0, p.Tag)
	if p.Record {
		b[16] = 1
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(p.Reason)))
	return append(append(b, p.Reason...), p.Payload...)
}

func decodePoison(f frame) (Poison, bool) {
	b := f.body
	if len(b) < poisonHead {
		return Poison{}, false
	}
	n := int(binary.LittleEndian.Uint16(b[18:]))
	p := Poison{
		First: binary.LittleEndian.Uint64(b), Last: binary.LittleEndian.Uint64(b[8:]), At: stampTime(f.stamp),
		Record: b[16] != 0, Tag: b[17],
	}
	if len(b) < poisonHead+n || p.Last < p.First || p.First == 0 {
		return Poison{}, false
	}
	p.Reason = string(b[poisonHead : poisonHead+n])
	if len(b) > poisonHead+n {
		p.Payload = b[poisonHead+n:]
	}
	return p, true
}

// Quarantine takes the record with number seq out of the log, wherever in it, and keeps it in the quarantine with the
// reason, of which 1 KiB is kept. It is for a record that can never be sent and would block those behind it. A number
// that is no record is a *[ConfigError].
func (s *Spool) Quarantine(seq uint64, reason string) error {
	defer s.deliver()
	s.out.Lock()
	defer s.out.Unlock()
	if s.isClosed() {
		return wserr.SpoolClosed("spool.quarantine")
	}
	rec, err := s.read(seq, 1)
	if err != nil {
		return err
	}
	if len(rec) == 0 || rec[0].Seq != seq || seq == 0 {
		return wserr.Config("spool.quarantine", "seq", "no such record")
	}
	p := Poison{First: seq, Last: seq, Record: true, Tag: rec[0].Tag, Reason: reason, Payload: rec[0].Payload}
	if err := s.commitPoison(p); err != nil {
		return err
	}
	s.mu.Lock()
	s.gone = s.gone.add(span{seq, seq})
	s.stats.Quarantined++
	s.recount()
	atHead := seq == s.head
	s.reports = append(s.reports, Report{Kind: Quarantined, First: seq, Last: seq, Records: 1, Reason: reason})
	s.mu.Unlock()
	if !atHead {
		return nil
	}
	to, off := s.locate(seq + 1)
	s.mu.Lock()
	s.advance(to, off)
	s.mu.Unlock()
	return s.settle()
}

// Quarantined returns what is in the quarantine, oldest first.
func (s *Spool) Quarantined() ([]Poison, error) {
	s.out.Lock()
	defer s.out.Unlock()
	if s.isClosed() {
		return nil, wserr.SpoolClosed("spool.quarantine")
	}
	list, _, err := s.ward.load(s.fs)
	if err != nil {
		return nil, s.failure("spool.read", s.ward.name, err)
	}
	return list, nil
}

// noteLost counts, reports and sets aside a damaged place of seg. What is known already, or before the head, is not
// told again. out is held.
func (s *Spool) noteLost(seg *segment, it item) {
	s.mu.Lock()
	first := max(it.first, s.head)
	if it.last < first {
		s.mu.Unlock()
		return // no record is hit
	}
	n := span{first, it.last}.count() - s.gone.count(first, it.last)
	s.mu.Unlock()
	if n == 0 {
		return
	}
	s.noteGone(first, it.last, false)
	s.mu.Lock()
	s.stats.Damaged += n
	s.reports = append(s.reports, Report{
		Kind: Damaged, First: first, Last: it.last, Records: n, File: seg.file(), Offset: it.off, Bytes: it.end - it.off,
	})
	s.mu.Unlock()
	s.setAside(seg, it, first)
}

// setAside keeps the bytes of a damaged place. The log does not depend on it.
func (s *Spool) setAside(seg *segment, it item, first uint64) {
	p := Poison{First: first, Last: it.last, Reason: "damaged"}
	if s.readerOf == seg && it.end > it.off {
		b := make([]byte, min(it.end-it.off, maxDamage))
		if n, _ := s.reader.ReadAt(b, it.off); n > 0 {
			p.Payload = b[:n]
		}
	}
	if err := s.commitPoison(p); err != nil {
		s.report(Report{Kind: Failed, Err: err})
	}
}

// noteGone remembers that the numbers from first to last are no records. Those that were lost in an earlier life of the
// log were counted by Open in error.
func (s *Spool) noteGone(first, last uint64, earlier bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = max(first, s.head)
	if last < first {
		return
	}
	before := s.live()
	s.gone = s.gone.add(span{first, last})
	s.recount()
	if earlier {
		s.stats.Recovered -= uint64(before - s.live())
	}
}

func (s *Spool) isGone(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, gone := s.gone.has(seq)
	return gone
}

// commitPoison writes p to the quarantine file; it lasts when commitPoison returns. out is held.
func (s *Spool) commitPoison(p Poison) error {
	p.At = time.Now()
	p.Reason = p.Reason[:min(len(p.Reason), maxReason)]
	if frameHead+int64(poisonHead+len(p.Reason)+len(p.Payload)) > s.opts.QuarantineBytes {
		p.Payload = nil
	}
	body := p.encode()
	if s.ward.end == 0 || s.ward.end+frameHead+int64(len(body)) > dataStart+max(s.opts.QuarantineBytes, 0) {
		return s.rebuildWard(p)
	}
	f, err := s.fs.Edit(s.ward.name)
	if err != nil {
		return s.failure("spool.quarantine", s.ward.name, err)
	}
	defer f.Close()
	b := appendFrame(nil, s.ward.seed, frame{seq: s.ward.next, stamp: newStamp(p.At, 0), body: body})
	if err := s.write(s.ward.name, f, b, s.ward.end); err != nil {
		return err
	}
	if err := s.sync(s.ward.name, f); err != nil {
		s.ward.end = 0 // in doubt: the next one writes a new file
		return err
	}
	s.ward.next++
	s.ward.end += int64(len(b))
	return nil
}

// rebuildWard writes the quarantine file anew with p and as many of the newest as fit in half of it. Those that still
// stand in the log are kept at least by their numbers, so that they do not come back.
func (s *Spool) rebuildWard(p Poison) error {
	list, _, err := s.ward.load(s.fs)
	if err != nil {
		return s.failure("spool.read", s.ward.name, err)
	}
	s.mu.Lock()
	head := s.head
	s.mu.Unlock()
	list = thin(append(list, p), head, s.opts.QuarantineBytes/2)
	return s.writeWard(list)
}

// writeWard replaces the quarantine file by one with the entries of list.
func (s *Spool) writeWard(list []Poison) error {
	w := ward{name: s.ward.name, next: wardBase}
	b := newHeader(wardBase, s.salt())
	w.seed, _ = parseHeader(b, wardBase)
	for _, p := range list {
		b = appendFrame(b, w.seed, frame{seq: w.next, stamp: newStamp(p.At, 0), body: p.encode()})
		w.next++
	}
	w.end = int64(len(b))
	if err := s.replace(w.name, b); err != nil {
		return err
	}
	if err := s.syncDir(); err != nil {
		return err
	}
	*s.ward = w
	return nil
}

// thin keeps of list, oldest first, the last one, the newest that fit in limit bytes, and without their contents those
// whose numbers are not below head.
func thin(list []Poison, head uint64, limit int64) []Poison {
	var kept []Poison
	for i := len(list) - 1; i >= 0; i-- {
		p := list[i]
		limit -= frameHead + int64(poisonHead+len(p.Reason)+len(p.Payload))
		if limit < 0 && i < len(list)-1 {
			if p.Last < head {
				continue
			}
			p.Payload, p.Reason = nil, ""
		}
		kept = append(kept, p)
	}
	for i, j := 0, len(kept)-1; i < j; i, j = i+1, j-1 {
		kept[i], kept[j] = kept[j], kept[i]
	}
	return kept
}

// load reads the quarantine file and finds its end. Damage in it takes the entries that are hit; flaws says what is wrong
// with the file. No file is no entries.
func (w *ward) load(fsys vfs.FS) (list []Poison, flaws []Report, err error) {
	f, err := fsys.Open(w.name)
	if isMissing(err) {
		w.end = 0
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, nil, err
	}
	header := make([]byte, dataStart)
	n, err := f.ReadAt(header, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	seed, state := parseHeader(header[:n], wardBase)
	w.seed, w.next, w.end = seed, wardBase, dataStart
	if state != headerGood {
		flaws = append(flaws, Report{Kind: Damaged, File: wardName, Bytes: int64(n)})
	}
	if state == headerBad {
		w.end = 0
		return nil, flaws, nil
	}
	walk := walker{src: f, seed: seed, off: dataStart, limit: size, next: wardBase, keep: true, bridge: true}
	for {
		it, _ := walk.step() // a walker that bridges does not fail
		switch it.kind {
		case itemEnd:
			w.next = walk.next
			return list, flaws, nil
		case itemRecord:
			w.end = it.end
			if p, ok := decodePoison(it.frame); ok {
				list = append(list, p)
			}
		case itemLost:
			r := Report{Kind: Damaged, File: wardName, Offset: it.off, Bytes: it.end - it.off}
			if it.last == 0 {
				r.Kind = Torn
			}
			flaws = append(flaws, r)
		case itemGap, itemMark:
		}
	}
}
