package event

import (
	"sync"
	"time"
)

// Limits say how much may wait in a queue.
type Limits struct {
	Messages int
	Bytes    int
}

// overdraft is how many times its limits a queue may hold while a handler may be waiting for an acknowledgement, which
// comes in behind the events that wait.
const overdraft = 4

// maxFunctions is how many functions may wait that Tell has added.
const maxFunctions = 1024

// keep is the largest backing array, in items, that a queue keeps for later.
const keep = 64

// Queue runs what happens on one socket, one after the other and in order, on a goroutine that exists only while there
// is something to run. Handlers may therefore block, and wait for acknowledgements.
//
// A full queue lets [Queue.Push] wait, and with it the connection that the events come from. All methods may be called
// from any goroutine.
type Queue struct {
	limits Limits
	handle func(*Event)

	mu        sync.Mutex // guards what follows
	items     []item     // waiting
	spare     []item     // empty, to be swapped with items
	messages  int        // waiting or being handled
	bytes     int
	functions int           // that came by Tell
	calls     int           // acknowledgements that are waited for
	room      chan struct{} // closed when there may be room; nil if nobody waits
	running   bool          // whether there is the goroutine
	ended     chan struct{} // closed when the goroutine ends; nil if nobody waits for that
	closed    bool
}

// item is an event, or a function.
type item struct {
	event *Event
	size  int
	f     func()

	counted bool // among the functions that may be left out
}

// NewQueue returns a queue that gives events to handle. A limit of zero or less is no limit.
func NewQueue(limits Limits, handle func(*Event)) *Queue {
	return &Queue{limits: limits, handle: handle}
}

// Push appends an event of size bytes. While the queue is full it waits, until there is room, stop is closed or the
// queue is. It reports whether the event was taken. An event that is larger than the limit is taken by an empty queue.
func (q *Queue) Push(e *Event, size int, stop <-chan struct{}) bool {
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return false
		}
		if !q.full(size) {
			q.messages++
			q.bytes += size
			q.append(item{event: e, size: size})
			q.mu.Unlock()
			return true
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-stop:
			return false
		}
	}
}

// Force appends an event whatever the limits. Who uses it bounds how many there are.
func (q *Queue) Force(e *Event, size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.messages++
	q.bytes += size
	q.append(item{event: e, size: size})
	return true
}

// Do appends a function, which is subject to no limit. It reports whether the queue was still open.
func (q *Queue) Do(f func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.append(item{f: f})
	return true
}

// Tell is Do for what may be left out when the program does not come to it: it is refused when very many functions wait.
func (q *Queue) Tell(f func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.functions >= maxFunctions {
		return false
	}
	q.functions++
	q.append(item{f: f, counted: true})
	return true
}

// Waiting tells the queue that somebody waits for an acknowledgement, and the function that it returns, to be called
// once, that this is over. Meanwhile the queue takes four times its limits, so that events which nobody handles because
// their handler waits do not keep the acknowledgement from being read.
func (q *Queue) Waiting() (done func()) {
	q.wait(1)
	return func() { q.wait(-1) }
}

func (q *Queue) wait(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls += n
	q.wake()
}

// Held returns how many events wait or are being handled, and how large they are together.
func (q *Queue) Held() (messages, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.messages, q.bytes
}

// Close drops the events that wait and takes nothing more. Functions that wait still run, and what runs goes on: see
// [Queue.Wait].
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake()
}

// Wait waits until nothing runs any more, for limit at most if that is positive, and reports whether that is so.
func (q *Queue) Wait(limit time.Duration) bool {
	q.mu.Lock()
	if !q.running {
		q.mu.Unlock()
		return true
	}
	if q.ended == nil {
		q.ended = make(chan struct{})
	}
	ended := q.ended
	q.mu.Unlock()
	var expired <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-ended:
		return true
	case <-expired:
		return false
	}
}

func (q *Queue) full(size int) bool {
	if q.messages == 0 {
		return false
	}
	factor := 1
	if q.calls > 0 {
		factor = overdraft
	}
	l := q.limits
	return l.Messages > 0 && q.messages >= l.Messages*factor || l.Bytes > 0 && q.bytes+size > l.Bytes*factor
}

func (q *Queue) append(it item) {
	q.items = append(q.items, it)
	if !q.running {
		q.running = true
		go q.run()
	}
}

func (q *Queue) run() {
	for {
		batch := q.take()
		if batch == nil {
			return
		}
		for i := range batch {
			it := batch[i]
			batch[i] = item{}
			q.perform(it)
		}
		q.giveBack(batch)
	}
}

// take returns everything that waits; nil, after which the goroutine has to end, if there is nothing.
func (q *Queue) take() []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		q.running = false
		if q.ended != nil {
			close(q.ended)
			q.ended = nil
		}
		return nil
	}
	batch := q.items
	q.items, q.spare = q.spare, nil
	return batch
}

func (q *Queue) perform(it item) {
	if it.f != nil {
		it.f()
		if it.counted {
			q.mu.Lock()
			q.functions--
			q.mu.Unlock()
		}
		return
	}
	q.mu.Lock()
	closed := q.closed
	q.mu.Unlock()
	if !closed {
		q.handle(it.event)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages--
	q.bytes -= it.size
	q.wake()
}

func (q *Queue) wake() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// giveBack keeps the array of a batch for later, unless it is a large one.
func (q *Queue) giveBack(batch []item) {
	if cap(batch) > keep {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare = batch[:0]
}
