package outbox

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Spool is the part of *[spool.Spool] that the box needs. It must be for this box alone.
type Spool interface {
	Append(ctx context.Context, e spool.Entry) (seq uint64, err error)
	PeekFrom(seq uint64, n int) ([]spool.Record, error)
	Remove(upTo uint64) error
	Quarantine(seq uint64, reason string) error
	Stats() spool.Stats
}

const (
	readAhead   = 1024     // records read at a time
	window      = 4096     // records in memory that are not handed out
	windowBytes = 1 << 20  // of them
	maxReceipts = 16 << 10 // receipts of records that are not in memory
	retryDisk   = time.Second
)

// disk is what a box knows of its spool. It is guarded by the mutex of the box, which is never held while the spool
// works.
//
// Calls of Append return in any order. So that each record finds its receipt, nothing is read beyond known, up to which
// all calls have returned.
type disk struct {
	spool     Spool
	recovered uint64              // records of earlier processes
	old       uint64              // of these, not read yet
	oldEnd    uint64              // number of the last of them
	loaded    uint64              // number of the last record that was read
	known     uint64              // number up to which all calls have returned
	ahead     map[uint64]struct{} // records above known
	appending int                 // calls under way
	unread    int                 // records above loaded that have no fate yet
	receipts  map[uint64]*Receipt // of records above loaded
	readAt    int64               // not to be read before this time of the box's clock, after a failure

	poisoned []poison // to be put into the quarantine
	removed  uint64   // number up to which records were removed

	detour
}

type poison struct {
	number uint64
	reason string
}

func newDisk(s Spool) *disk {
	st := s.Stats()
	return &disk{
		spool: s, recovered: uint64(st.Records), old: uint64(st.Records), unread: int(st.Records),
		oldEnd: st.Next - 1, known: st.Next - 1, loaded: st.First - 1, removed: st.First - 1,
		ahead: make(map[uint64]struct{}), receipts: make(map[uint64]*Receipt),
	}
}

func (d *disk) depth() int { return d.unread + d.memory.live + d.between }

// store is Put with a spool.
func (b *Box) store(ctx context.Context, typ wsconn.MessageType, data []byte, r *Receipt) error {
	b.mu.Lock()
	defer b.unlock()
	if err := b.refusal(); err != nil {
		return err
	}
	d := b.disk
	if d.takesDetour() {
		if b.moveBack(ctx); d.takesDetour() {
			return b.put(ctx, typ, data, r)
		}
	}
	seq, err := b.append(ctx, spool.Entry{Payload: data, Tag: uint8(typ)})
	if b.sealed {
		defer b.settle() // which has waited for this
	}
	if err != nil {
		return b.notStored(ctx, err, typ, data, r)
	}
	b.stats.Accepted++
	e := entry{typ: typ, data: data, receipt: r}
	if b.cfg.TTL > 0 {
		e.expires = b.now() + int64(b.cfg.TTL)
	}
	b.register(seq, e)
	b.stats.HighWater = max(b.stats.HighWater, b.depth())
	b.wake()
	return nil
}

// append appends to the spool. mu is held, and given up meanwhile.
func (b *Box) append(ctx context.Context, e spool.Entry) (uint64, error) {
	life := b.life
	b.disk.appending++
	b.mu.Unlock()
	if ctx.Done() == nil {
		ctx = life
	} else {
		both, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		ctx = both
	}
	seq, err := b.disk.spool.Append(ctx, e)
	b.mu.Lock()
	b.disk.appending--
	if err != nil && life.Err() != nil && ctx.Err() != nil {
		err = context.Cause(life)
	}
	return seq, err
}

// register takes note of a record. mu is held.
func (b *Box) register(seq uint64, e entry) {
	d := b.disk
	if seq == d.known+1 {
		d.known++
	} else {
		d.ahead[seq] = struct{}{}
	}
	for len(d.ahead) > 0 {
		if _, ok := d.ahead[d.known+1]; !ok {
			break
		}
		d.known++
		delete(d.ahead, d.known)
	}
	if d.appending == 0 && len(d.ahead) > 0 { // numbers that are missing were given to nobody
		for n := range d.ahead {
			d.known = max(d.known, n)
		}
		clear(d.ahead)
	}
	if e.receipt != nil {
		e.receipt.number = seq
	}
	if b.closed {
		d.unread++
		e.receipt.resolve(Queued, b.failure)
		return
	}
	if seq != d.loaded+1 || seq > d.known || !b.windowOpen(len(e.data)) {
		d.unread++
		d.follow(seq, e.receipt)
		return
	}
	d.loaded = seq
	e.data, e.block = b.slab.copy(e.data)
	e.stored = true
	b.enter(e, seq)
	if e.expires > 0 {
		b.setAlarm(e.expires)
	}
}

// windowOpen reports whether memory has room for another record. mu is held.
func (b *Box) windowOpen(size int) bool {
	return b.wait.live < window && (b.wait.live == 0 || b.wait.bytes+int64(size) <= windowBytes)
}

// follow keeps the receipt of a record until it is read. There is a bound, lest many messages on the disk fill the
// memory.
func (d *disk) follow(seq uint64, r *Receipt) {
	switch {
	case r == nil:
	case len(d.receipts) >= maxReceipts:
		r.resolve(Unknown, nil)
	default:
		d.receipts[seq] = r
	}
}

// cancel takes back a message that is not in a ring of the box. mu is held.
func (d *disk) cancel(b *Box, r *Receipt) bool {
	if d.receipts[r.number] == r {
		r.resolve(Dropped, b.errCanceled()) // the record is passed over when it is read
		b.stats.Canceled++
		d.unread--
		d.discard(r.number)
		b.settle()
		return true
	}
	done := false
	d.memory.each(func(e *entry) {
		if e.receipt == r {
			b.finish(&d.memory, e, &b.stats.Canceled, Dropped, b.errCanceled())
			done = true
		}
	})
	b.settle()
	return done
}

// tend does what is due on the disk: it removes what is done and reads what comes next. mu is not held.
func (b *Box) tend() {
	if b.disk == nil {
		return
	}
	b.mu.Lock()
	defer b.unlock()
	b.remove()
	b.load()
}

// remove takes out of the spool what is done. mu is held, and given up meanwhile.
func (b *Box) remove() {
	d := b.disk
	poisoned, upTo := d.poisoned, b.doneUpTo()
	d.poisoned = nil
	if len(poisoned) == 0 && upTo <= d.removed {
		return
	}
	from := d.removed
	d.removed = max(d.removed, upTo)
	b.mu.Unlock()
	fails := uint64(0)
	for _, p := range poisoned {
		if d.spool.Quarantine(p.number, p.reason) != nil {
			fails++
		}
	}
	// After an error the spool tries again with the next removal.
	if upTo > from && d.spool.Remove(upTo) != nil {
		fails++
	}
	b.mu.Lock()
	b.stats.DiskFails += fails
}

// doneUpTo returns the number up to which all records have their fate. mu is held.
func (b *Box) doneUpTo() uint64 {
	for _, q := range []*ring{&b.flight, &b.wait} {
		for pos := q.head; pos != q.tail; pos++ {
			if e := q.at(pos); e.stored && !e.gone {
				return e.number - 1
			}
		}
	}
	return b.disk.loaded
}

// mayLoad reports whether there is something to read, and room for it. mu is held.
func (b *Box) mayLoad() bool {
	d := b.disk
	return d != nil && d.loaded < d.known && b.wait.live <= readAhead/2 && b.wait.bytes <= windowBytes/2 &&
		(d.readAt == 0 || b.now() >= d.readAt)
}

// load reads the next records, if there is room for them. mu is held, and given up meanwhile.
func (b *Box) load() {
	if !b.mayLoad() {
		return
	}
	d := b.disk
	from, limit := d.loaded+1, d.known
	b.mu.Unlock()
	recs, err := d.spool.PeekFrom(from, readAhead)
	b.mu.Lock()
	if err != nil {
		b.stats.DiskFails++
		d.readAt = b.now() + int64(retryDisk)
		b.setAlarm(d.readAt)
		return
	}
	d.readAt = 0
	for _, rec := range recs {
		if rec.Seq > limit {
			break
		}
		b.vanish(rec.Seq - 1)
		b.arrive(rec)
	}
	if len(recs) == 0 || recs[0].Seq > limit {
		b.vanish(limit)
	}
	b.settle()
}

// arrive takes a record that was read. mu is held.
func (b *Box) arrive(rec spool.Record) {
	d := b.disk
	d.loaded = rec.Seq
	if rec.Seq <= d.oldEnd {
		d.old--
	}
	r := d.receipts[rec.Seq]
	delete(d.receipts, rec.Seq)
	if r != nil && r.final {
		return // taken back
	}
	d.unread--
	e := entry{typ: wsconn.MessageType(rec.Tag), data: rec.Payload, receipt: r, stored: true}
	if b.cfg.TTL > 0 {
		e.expires = max(1, b.now()+int64(b.cfg.TTL-age(rec.Time)))
		b.setAlarm(e.expires)
	}
	b.enter(e, rec.Seq)
}

// clockSet is the time before which a clock is taken as not set.
var clockSet = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// age returns how old a record is. The clock may have been set meanwhile.
func age(t time.Time) time.Duration {
	if t.Before(clockSet) {
		return 0
	}
	return max(0, time.Since(t))
}

// vanish accounts for the records up to and with number last that were to come next and are not in the spool any more.
// mu is held.
func (b *Box) vanish(last uint64) {
	d := b.disk
	if last <= d.loaded {
		return
	}
	missing := uint64(0)
	if last >= d.oldEnd {
		missing += d.old // those that were missing before this process were not counted then
		d.old = 0
	}
	if first := max(d.loaded, d.oldEnd); last > first {
		missing += last - first
	}
	for seq, r := range d.receipts {
		if seq > last {
			continue
		}
		if r.final {
			missing-- // taken back
		}
		r.resolve(Dropped, wserr.ErrSpool.Wrap(opSend, "", fact("the record is not there any more")))
		delete(d.receipts, seq)
	}
	d.loaded = last
	d.unread -= int(missing)
	b.stats.Vanished += missing
}

// poison has a record put into the quarantine. mu is held.
func (d *disk) poison(number uint64, err error) {
	reason := "cannot be sent"
	if err != nil {
		reason = err.Error()
	}
	d.poisoned = append(d.poisoned, poison{number, reason})
}

// discard has a record taken out that is not the oldest one, for which the quarantine is the way. mu is held.
func (d *disk) discard(number uint64) {
	d.poisoned = append(d.poisoned, poison{number, "canceled"})
}
