// Package inbox is the bounded queue between the reader of a connection and the consumers of its messages.
//
// There may be any number of producers, of whom one is busy at a time as a rule, and of consumers. Producers fill one
// slice and consumers empty another, each side under a lock of its own; when the consumers' slice is used up, the two
// change places. So the sides meet once per batch, not once per item, and a consumer is woken only when it waits. Items
// leave the queue one at a time, under the consumers' lock, so a consumer that gives up waiting takes nothing with it.
//
// Where items are lost, the consumer is told: the queue remembers at each place how many are missing there.
package inbox

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
)

// Policy says what happens to an item for which there is no room.
type Policy int

const (
	DropNewest Policy = iota // it is lost
	DropOldest               // what waited longest is lost
	Block                    // it is not taken; the producer waits and tries again
	Fail                     // it is lost, and the producer is told to stop
)

// Config bounds a queue.
type Config struct {
	MaxMessages int    // items that may wait; 0 leaves it to MaxBytes
	MaxBytes    int64  // bytes that may wait; 0 means no limit. An item above it is taken when nothing waits
	Policy      Policy // what happens when there is no room
	NoGaps      bool   // losses are counted, but consumers are not told where they were
}

// minWeight is what an item costs at least, in bytes, if only bytes are bounded: empty ones need memory as well.
const minWeight = 64

// Gap tells a consumer that items are missing.
type Gap struct {
	Dropped uint64 // how many, 0 if there is no gap
}

// Stats are the counters of a queue.
type Stats struct {
	Depth     int    // items that wait
	Bytes     int64  // their size
	HighWater int    // largest Depth so far
	Dropped   uint64 // items lost so far
	Gaps      uint64 // places where items were lost; losses next to one another are one
}

// ErrNothing is what [Queue.GetOr] returns when stop was closed and there is nothing to get.
var ErrNothing = errors.New("inbox: nothing there")

// Queue is a bounded queue of items of type T. All methods may be called from any goroutine.
type Queue[T any] struct {
	cfg  Config
	size func(T) int

	wake    chan struct{} // holds one token: there is something, for one of the consumers that wait
	waiting atomic.Int32  // consumers that wait, or are about to

	_   [64]byte // producers and consumers write on lines of their own
	in  producers[T]
	_   [64]byte
	out consumers[T]
}

// producers is the side that is filled.
type producers[T any] struct {
	mu        sync.Mutex
	items     []slot[T]
	lost      uint64 // dropped after the last item and not yet told
	count     int64  // items taken in so far
	bytes     int64  // their size
	seenCount int64  // consumers.count when it was last looked at; it may have grown
	seenBytes int64
	highWater int64
	dropped   uint64
	gaps      uint64
}

// consumers is the side that is emptied. Who needs both locks takes this one first.
type consumers[T any] struct {
	mu     sync.Mutex
	items  []slot[T]
	next   int           // index of the first item that is still there
	count  atomic.Int64  // items that left so far, dropped ones included; written with mu held
	bytes  atomic.Int64  // their size
	sparse int           // batches in a row that were short for the slice; see swap
	room   chan struct{} // closed when something is taken; nil while no producer waits for that
	err    error         // what consumers get when nothing is left
	ended  chan struct{} // closed while err is set
}

type slot[T any] struct {
	item T
	size int64
	lost uint64 // dropped right before it and not yet told
}

// New makes a queue. size returns the size of an item in bytes; it must not change while the item is in the queue.
func New[T any](cfg Config, size func(T) int) *Queue[T] {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = math.MaxInt64
	}
	if cfg.MaxMessages <= 0 {
		cfg.MaxMessages = int(min(max(1, cfg.MaxBytes/minWeight), math.MaxInt))
	}
	q := &Queue[T]{cfg: cfg, size: size, wake: make(chan struct{}, 1)}
	q.out.ended = make(chan struct{})
	return q
}

// End lets consumers get err once nothing is left, and ends their waiting. End(nil) opens the queue again.
func (q *Queue[T]) End(err error) {
	q.out.mu.Lock()
	defer q.out.mu.Unlock()
	switch was := q.out.err; {
	case was == nil && err != nil:
		close(q.out.ended)
	case was != nil && err == nil:
		q.out.ended = make(chan struct{})
	}
	q.out.err = err
}

// Err returns the error given to End, nil while the queue is open.
func (q *Queue[T]) Err() error {
	q.out.mu.Lock()
	defer q.out.mu.Unlock()
	return q.out.err
}

// Stats returns the counters as they are now.
func (q *Queue[T]) Stats() Stats {
	q.out.mu.Lock()
	defer q.out.mu.Unlock()
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	return Stats{
		Depth:     int(q.in.count - q.out.count.Load()),
		Bytes:     q.in.bytes - q.out.bytes.Load(),
		HighWater: int(q.in.highWater),
		Dropped:   q.in.dropped,
		Gaps:      q.in.gaps,
	}
}

// signal puts a token into c if there is none.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
