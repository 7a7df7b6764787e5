package outbox_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

var full = flag.Bool("full", false, "run the long versions of tests")

// model is what an observer knows of a box: which messages it accepted and what became of each.
type model struct {
	t   *testing.T
	rng *rand.Rand
	cfg outbox.Config
	dir string
	box *outbox.Box
	log *spool.Spool

	count    int            // messages offered so far
	fate     map[int]string // of accepted messages; "" as long as there is none
	receipts map[int]*outbox.Receipt
	numbers  map[int]uint64 // of messages that the peer got
	unacked  []int          // messages that the peer got on this connection and did not acknowledge
	gen      uint64
	up       bool
	highest  int // of the messages that the peer got
	lastConn int // of those on this connection
	resent   bool
}

// Random sequences of everything that can happen: at every moment each accepted message is delivered, waits, or was
// reported as lost, the counts say so, and the peer gets messages in the order in which they were accepted.
func TestAccountsAddUp(t *testing.T) {
	t.Parallel()
	seeds := 15
	if *full {
		seeds = 1000
	}
	ack := &outbox.Ack{Window: 5}
	cumulative := &outbox.Ack{Window: 7, Cumulative: true, Timeout: 3 * time.Second}
	id := &outbox.Ack{Window: 3, Timeout: time.Second, ID: func(m outbox.Message) string { return string(m.Data) }}
	for _, tc := range []struct {
		name  string
		cfg   outbox.Config
		spool *spool.Options
	}{
		{"fail", outbox.Config{MaxMessages: 10}, nil},
		{"bytes", outbox.Config{MaxBytes: 20}, nil},
		{"drop oldest", outbox.Config{MaxMessages: 10, Policy: outbox.DropOldest}, nil},
		{"drop newest", outbox.Config{MaxMessages: 10, Policy: outbox.DropNewest}, nil},
		{"expiry", outbox.Config{TTL: 2 * time.Second}, nil},
		{"ack", outbox.Config{MaxMessages: 10, Ack: ack}, nil},
		{"ack and drop oldest", outbox.Config{MaxMessages: 10, Policy: outbox.DropOldest, Ack: ack}, nil},
		{"ack and expiry", outbox.Config{TTL: 4 * time.Second, Ack: id}, nil},
		{"cumulative", outbox.Config{MaxMessages: 40, Ack: cumulative}, nil},
		{"spool", outbox.Config{}, &spool.Options{Sync: spool.SyncNone}},
		{"small spool", outbox.Config{}, &spool.Options{Sync: spool.SyncNone, MaxRecords: 10}},
		{"spool that drops", outbox.Config{}, &spool.Options{Sync: spool.SyncNone, MaxRecords: 10, Policy: spool.DropOldest}},
		{"spool and expiry", outbox.Config{TTL: 4 * time.Second}, &spool.Options{Sync: spool.SyncNone}},
		{"spool and ack", outbox.Config{Ack: cumulative}, &spool.Options{Sync: spool.SyncNone}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds) {
				synctest.Test(t, func(t *testing.T) {
					m := &model{
						t: t, rng: rand.New(rand.NewPCG(seed, 7)), cfg: tc.cfg,
						fate: make(map[int]string), receipts: make(map[int]*outbox.Receipt), numbers: make(map[int]uint64),
					}
					m.run(tc.spool)
				})
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

func (m *model) run(opts *spool.Options) {
	m.cfg.OnLoss = m.lost
	if m.cfg.Ack != nil && m.cfg.Ack.ID == nil {
		m.cfg.Wrap = func(dst []byte, msg outbox.Message) []byte {
			return append(fmt.Appendf(dst, "%d|", msg.Number), msg.Data...)
		}
	}
	m.highest, m.lastConn = -1, -1
	if opts != nil {
		m.dir = m.t.TempDir()
	}
	m.open(opts)
	ops := []func(){
		m.put, m.put, m.put, m.put, m.put, m.cancel, m.connect, m.connect, m.write, m.write, m.write, m.ack, m.ack, m.ack,
		m.strayAck, m.cut, m.ping, m.pause, m.drain, func() { m.restart(opts) },
	}
	for range 250 {
		ops[m.rng.IntN(len(ops))]()
		m.check()
		if m.t.Failed() {
			break
		}
	}
	m.shut()
	m.checkReceipts()
}

func (m *model) open(opts *spool.Options) {
	if opts != nil {
		log, err := spool.Open(m.dir, opts)
		if err != nil {
			m.t.Fatal(err)
		}
		m.log, m.cfg.Spool = log, log
	}
	m.box = outbox.New(m.cfg)
}

func (m *model) shut() {
	if m.up {
		m.down(0)
	}
	m.box.Close(errEnd)
	m.check()
	if m.log != nil {
		if err := m.log.Close(); err != nil {
			m.t.Error(err)
		}
	}
}

// restart ends the process, so to speak, and begins another one with what is in the spool.
func (m *model) restart(opts *spool.Options) {
	if opts == nil || m.rng.IntN(5) > 0 {
		return
	}
	m.shut()
	m.checkReceipts()
	m.receipts = make(map[int]*outbox.Receipt)
	stored := make(map[int]bool)
	for rec, err := range spool.Dump(m.t.Context(), m.dir) {
		i, _ := strconv.Atoi(string(rec.Payload))
		stored[i] = true
		// Only a prefix is removed: what was done out of order comes again.
		if fate := m.fate[i]; err != nil || fate == "canceled" || (fate != "" && m.cfg.Ack == nil) {
			m.t.Errorf("message %d is %s, but in the spool: %v", i, fate, err)
		}
	}
	for i, fate := range m.fate {
		if fate == "" && !stored[i] && opts.Policy != spool.DropOldest {
			m.t.Errorf("message %d waits and is not in the spool", i)
		}
	}
	clear(m.fate)
	for i := range stored {
		m.fate[i] = ""
	}
	m.highest, m.lastConn = -1, -1
	m.open(opts)
}

var errEnd = errors.New("the end")

func (m *model) put() {
	m.count++
	i := m.count
	m.fate[i] = "" // before the call, which may report its loss
	var r *outbox.Receipt
	if m.rng.IntN(3) > 0 {
		r = new(outbox.Receipt)
	}
	data := []byte(strconv.Itoa(i))
	err := m.box.Put(m.t.Context(), wsconn.Text, data, r)
	clear(data) // it is the caller's
	switch {
	case err != nil && m.fate[i] == "":
		delete(m.fate, i)
		if !errors.Is(err, spool.ErrQueueFull) {
			m.t.Errorf("put: %v", err)
		}
	case r != nil:
		m.receipts[i] = r
	}
}

func (m *model) end(i int, fate string) {
	if old, ok := m.fate[i]; !ok || old != "" {
		m.t.Errorf("message %d is %s, but was %q, %v", i, fate, old, ok)
	}
	m.fate[i] = fate
}

func (m *model) lost(l outbox.Loss) {
	i, err := strconv.Atoi(string(l.Data))
	if err != nil || l.Err == nil {
		m.t.Errorf("loss %+v", l)
	}
	m.end(i, "lost")
}

func (m *model) cancel() {
	for i, r := range m.receipts {
		if m.fate[i] != "" {
			continue
		}
		if r.Cancel() {
			m.end(i, "canceled")
		} else if r.State() == outbox.Queued && m.numbers[i] == 0 {
			m.t.Errorf("message %d cannot be canceled", i)
		}
		return
	}
}

func (m *model) connect() {
	if !m.up {
		m.gen++
		m.up, m.lastConn, m.resent = true, -1, false
		m.box.Up(m.gen)
	}
}

// write takes a batch and writes all of it, or is cut in between.
func (m *model) write() {
	var msgs []wsconn.Message
	var err error
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		msgs, err = m.box.Next(stop)
	}()
	synctest.Wait()
	select {
	case <-done:
	default:
		close(stop)
		<-done
	}
	if err != nil {
		m.t.Errorf("next: %v", err)
	}
	if len(msgs) == 0 {
		return
	}
	if !m.up {
		m.t.Error("there is no connection, but something to write")
		return
	}
	n := len(msgs)
	cut := m.rng.IntN(6) == 0
	if cut {
		n = m.rng.IntN(n)
	}
	for _, msg := range msgs[:n] {
		m.arrive(msg.Data)
	}
	m.box.Sent(n)
	if cut {
		m.down([]int{0, 1001, 1009}[m.rng.IntN(3)])
	}
}

// arrive is the peer.
func (m *model) arrive(data []byte) {
	number := uint64(1)
	if head, tail, found := bytes.Cut(data, []byte("|")); found {
		number, _ = strconv.ParseUint(string(head), 10, 64)
		data = tail
	}
	i, err := strconv.Atoi(string(data))
	if err != nil {
		m.t.Errorf("the peer got %q", data)
	}
	if old := m.numbers[i]; old != 0 && old != number {
		m.t.Errorf("message %d has the numbers %d and %d", i, old, number)
	}
	again := m.numbers[i] != 0
	m.numbers[i] = number
	if again && m.cfg.Ack == nil && m.log == nil {
		m.t.Errorf("message %d was written twice", i)
	}
	if !again && i < m.highest {
		m.t.Errorf("message %d came behind %d", i, m.highest)
	}
	if timeouts := m.cfg.Ack != nil && m.cfg.Ack.Timeout > 0; i <= m.lastConn && !timeouts {
		m.t.Errorf("message %d came behind %d on one connection", i, m.lastConn)
	}
	m.highest, m.lastConn = max(m.highest, i), max(m.lastConn, i)
	if m.cfg.Ack == nil {
		m.end(i, "written")
		return
	}
	if !slices.Contains(m.unacked, i) {
		m.unacked = append(m.unacked, i)
	}
	slices.Sort(m.unacked)
}

func (m *model) id(i int) string {
	if m.cfg.Wrap == nil {
		return strconv.Itoa(i)
	}
	return strconv.FormatUint(m.numbers[i], 10)
}

func (m *model) ack() {
	if m.cfg.Ack == nil || !m.up || len(m.unacked) == 0 {
		return
	}
	k := m.rng.IntN(len(m.unacked))
	i := m.unacked[k]
	nack := m.rng.IntN(10) == 0
	switch {
	case nack:
		m.unacked = slices.Delete(m.unacked, k, k+1)
		m.box.Acknowledge(m.gen, []string{m.id(i)}, true) // reports the loss
		return
	case m.cfg.Ack.Cumulative:
		for _, j := range m.unacked[:k+1] {
			m.end(j, "acked")
		}
		m.unacked = slices.Delete(m.unacked, 0, k+1)
	default:
		m.end(i, "acked")
		m.unacked = slices.Delete(m.unacked, k, k+1)
	}
	m.box.Acknowledge(m.gen, []string{m.id(i)}, false)
}

func (m *model) strayAck() {
	m.box.Acknowledge(m.gen, []string{"nonsense", "18446744073709551615"}, m.rng.IntN(2) == 0)
	if len(m.unacked) > 0 {
		m.box.Acknowledge(m.gen-1, []string{m.id(m.unacked[0])}, false)
	}
}

func (m *model) cut() {
	if m.up && m.rng.IntN(3) == 0 {
		m.down([]int{0, 1001, 1009}[m.rng.IntN(3)])
	}
}

func (m *model) down(code int) {
	m.up, m.unacked = false, nil
	m.box.Down(code, errEnd)
}

func (m *model) ping() {
	m.box.Mark()
	m.box.Proved()
}

func (m *model) pause() {
	before := m.box.Stats()
	time.Sleep(time.Duration(m.rng.IntN(1500)) * time.Millisecond)
	synctest.Wait()
	if after := m.box.Stats(); after.Accepted != before.Accepted {
		m.t.Errorf("%+v became %+v", before, after)
	}
	m.unacked = slices.DeleteFunc(m.unacked, func(i int) bool { return m.fate[i] != "" })
}

func (m *model) drain() {
	if m.rng.IntN(8) > 0 {
		return
	}
	for _, msg := range m.box.Drain() {
		i, _ := strconv.Atoi(string(msg.Data))
		m.end(i, "drained")
	}
}

// check compares the counts with what was seen.
func (m *model) check() {
	identity(m.t, m.box)
	s := m.box.Stats()
	waiting := 0
	for _, fate := range m.fate {
		if fate == "" {
			waiting++
		}
	}
	if int(s.Vanished)+s.Depth != waiting {
		m.t.Errorf("%d messages wait, %d vanished, but %d have no fate: %+v", s.Depth, s.Vanished, waiting, s)
	}
}

func (m *model) checkReceipts() {
	for i, r := range m.receipts {
		select {
		case <-r.Done():
		default:
			m.t.Errorf("the receipt of message %d is open", i)
		}
		want := map[string][]outbox.State{
			"":         {outbox.Queued, outbox.Unknown, outbox.Dropped},
			"written":  {outbox.Written},
			"acked":    {outbox.Acked},
			"lost":     {outbox.Dropped, outbox.Expired, outbox.Unknown},
			"canceled": {outbox.Dropped},
			"drained":  {outbox.Dropped, outbox.Unknown},
		}[m.fate[i]]
		if !slices.Contains(want, r.State()) {
			m.t.Errorf("message %d is %q, its receipt %v, %v", i, m.fate[i], r.State(), r.Err())
		}
		if good := r.State() == outbox.Written || r.State() == outbox.Acked; good != (r.Err() == nil) {
			m.t.Errorf("message %d is %v with %v", i, r.State(), r.Err())
		}
	}
}
