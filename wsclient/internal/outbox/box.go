package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Policy says what happens to a message for which there is no room.
type Policy int

const (
	// Fail returns a *QueueFullError.
	Fail Policy = iota
	// Block waits for room.
	Block
	// DropOldest drops the message that has waited longest.
	DropOldest
	// DropNewest drops the message.
	DropNewest
)

// Message is what the callbacks of a [Config] get to see. They must not change its data nor keep it.
type Message struct {
	Type   wsconn.MessageType
	Data   []byte
	Number uint64
}

// Config is complete: defaults are the business of the caller.
type Config struct {
	Target      string // for errors
	MaxMessages int    // 0 means no bound
	MaxBytes    int64  // 0 means no bound
	Policy      Policy
	TTL         time.Duration // 0 means that messages do not expire
	Ack         *Ack          // nil means that a message is done when it is written
	Spool       Spool         // nil means that messages are in memory only
	Fallback    bool          // whether memory takes what a failing spool does not

	// Wrap appends what goes on the wire for m to dst. Nil means m.Data as it is. It runs on the goroutine of Next.
	Wrap func(dst []byte, m Message) []byte
	// SkipUTF8 switches off the check of what Wrap makes of text.
	SkipUTF8 bool
	// OnLoss is told of every accepted message that is lost, in order and one at a time. Nil means that only
	// receipts and Stats tell.
	OnLoss func(Loss)
	// Doubt asks for a ping, since its pong clears a message that is suspected to be what the peer closes at. Nil means
	// that only acknowledgements and time do. It must not block.
	Doubt func()
}

// Ack says how the peer acknowledges messages.
type Ack struct {
	ID         func(Message) string // nil means the number in decimal
	Cumulative bool                 // an acknowledgement is good for all messages before as well
	Window     int                  // messages written and not acknowledged, at most
	Timeout    time.Duration        // 0 means none
	Reconnect  bool                 // what a timeout leads to: another connection, or sending again on this one
}

// Loss is an accepted message that will not be delivered.
type Loss struct {
	Message
	State State // Dropped, Expired or Unknown
	Err   error // why
}

// minLosses is how many losses may wait for OnLoss in any case.
const minLosses = 1024

// Box is the outbox of a manager. All methods may be called from any goroutine; Next and Sent by one at a time.
type Box struct {
	cfg   Config
	start time.Time // of the box's clock

	mu    sync.Mutex // guards what follows
	stats Stats      // without what is computed from the rest

	flight ring // handed out on this connection, oldest first
	wait   ring // waiting to be handed out, oldest first
	slab   slab
	last   uint64 // number given last
	due    int    // entries of flight that are to be sent again

	up      bool
	gen     uint64
	written uint64 // messages written on this connection
	marked  uint64 // of these, before the last ping went out
	proved  uint64 // of these, before a ping whose pong came
	struck  int    // entries with strikes
	found   bool   // the last judgement was final

	sealed  bool
	closed  bool
	failure error           // what Put returns instead of accepting
	life    context.Context // ends when Put takes nothing any more
	endLife context.CancelCauseFunc
	room    chan struct{} // closed when room comes about; nil if nobody listens
	door    chan struct{} // held by the one that waits for room; those behind it wait for the door
	queued  int           // how many wait for room or for the door
	empty   chan struct{} // closed when the box is sealed and empty

	idle    bool          // whether Next waits
	work    chan struct{} // wakes Next
	ackLate error         // set when an acknowledgement is late and a new connection wanted

	alarm   *time.Timer
	alarmAt int64 // when it rings; 0 if it does not

	out batch // what Next handed out

	disk *disk // nil without a spool

	losses     []Loss // not told yet
	lossBytes  int64  // of data in them
	delivering bool
}

// New returns an empty box, or one that goes on with what is in the spool.
func New(cfg Config) *Box {
	b := &Box{
		cfg: cfg, start: time.Now(),
		door: make(chan struct{}, 1), work: make(chan struct{}, 1), empty: make(chan struct{}),
	}
	b.life, b.endLife = context.WithCancelCause(context.Background())
	if cfg.Spool != nil {
		b.disk = newDisk(cfg.Spool)
		b.stats.Recovered = b.disk.recovered
	}
	return b
}

// now returns the time of the box's clock.
func (b *Box) now() int64 { return int64(time.Since(b.start)) + 1 }

// unlock releases mu, and tells of the losses that came about meanwhile.
func (b *Box) unlock() {
	if len(b.losses) == 0 || b.delivering {
		b.mu.Unlock()
		return
	}
	b.delivering = true
	for len(b.losses) > 0 {
		losses := b.losses
		b.losses, b.lossBytes = nil, 0
		b.mu.Unlock()
		for _, l := range losses {
			b.cfg.OnLoss(l)
		}
		b.mu.Lock()
	}
	b.delivering = false
	b.mu.Unlock()
}

// wake lets Next look again. mu is held.
func (b *Box) wake() {
	if b.idle {
		b.idle = false
		select {
		case b.work <- struct{}{}:
		default:
		}
	}
}

// depth returns how many accepted messages have no fate yet. mu is held.
func (b *Box) depth() int {
	n := b.flight.live + b.wait.live
	if b.disk != nil {
		n += b.disk.depth()
	}
	return n
}

// finish ends the way of a message whose receipt gets a final state. mu is held.
func (b *Box) finish(q *ring, e *entry, count *uint64, state State, err error) {
	*count++
	e.receipt.resolve(state, err)
	if e.due {
		b.due--
	}
	if e.strikes > 0 {
		b.struck--
	}
	b.slab.release(e.block)
	q.bury(e)
}

// fail is finish for a message that is lost. It is Unknown if the peer may have it. mu is held.
func (b *Box) fail(q *ring, e *entry, count *uint64, state State, err error) {
	if e.whole {
		state = Unknown
	}
	b.lose(Message{Type: e.typ, Data: e.data, Number: e.number}, state, err)
	b.finish(q, e, count, state, err)
}

// lose notes a loss for OnLoss. mu is held.
func (b *Box) lose(m Message, state State, err error) {
	if b.cfg.OnLoss == nil {
		return
	}
	if b.tooManyLosses(len(m.Data)) {
		b.stats.Untold++
		return
	}
	m.Data = append([]byte(nil), m.Data...) // its place may be used again
	b.losses = append(b.losses, Loss{Message: m, State: state, Err: err})
	b.lossBytes += int64(len(m.Data))
}

// tooManyLosses reports whether OnLoss is so slow that twice what the box ever held waits to be told.
func (b *Box) tooManyLosses(size int) bool {
	return len(b.losses) >= 2*b.stats.HighWater+minLosses ||
		b.cfg.MaxBytes > 0 && len(b.losses) > 0 && b.lossBytes+int64(size) > 2*b.cfg.MaxBytes
}

// settle is called when messages are done: there may be room, or nothing left. mu is held.
func (b *Box) settle() {
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
	if b.sealed && !b.isEmpty() && b.depth() == 0 && len(b.out.items) == 0 && (b.disk == nil || b.disk.appending == 0) {
		close(b.empty)
	}
}

func (b *Box) isEmpty() bool {
	select {
	case <-b.empty:
		return true
	default:
		return false
	}
}
