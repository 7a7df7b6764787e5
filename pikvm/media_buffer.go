package pikvm

import (
	"context"
	"sync"
)

// maxMediaBytes bounds what a buffer keeps for a slow reader, whatever the number of frames; one frame is always kept.
const maxMediaBytes = 16 << 20

// frameBuffer hands frames from the goroutine of a stream to its readers. Putting never blocks: when it is full, it gives up
// what cannot be shown in time. Of H.264 that is all up to the next key frame, as each frame builds on those before; of
// pictures it is the oldest.
type frameBuffer struct {
	maxFrames int
	pictures  bool
	ready     chan struct{} // holds a token while there may be something to take

	mu     sync.Mutex
	frames []MediaFrame // oldest first
	bytes  int
	begun  bool   // there was a key frame
	adrift bool   // nothing makes sense before the next key frame
	gap    uint64 // frames lost since the last one in frames
	lost   uint64 // so far
	ended  error
}

func newFrameBuffer(maxFrames int, format MediaFormat) *frameBuffer {
	pictures := format == MediaJPEG
	return &frameBuffer{maxFrames: maxFrames, pictures: pictures, adrift: !pictures, ready: make(chan struct{}, 1)}
}

// put appends a frame. It reports whether frames were given up that only another key frame makes good.
func (b *frameBuffer) put(f MediaFrame) (overflow bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.frames) >= b.maxFrames || b.bytes+len(f.Data) > maxMediaBytes && len(b.frames) > 0 {
		if b.pictures {
			b.drop(1)
			continue
		}
		b.drop(len(b.frames))
		b.adrift, overflow = true, !f.Key
	}
	if b.adrift && !f.Key {
		if b.begun {
			b.gap++
			b.lost++
		}
		return overflow
	}
	b.begun, b.adrift = true, false
	f.Lost, b.gap = b.gap, 0
	b.frames = append(b.frames, f)
	b.bytes += len(f.Data)
	b.signal()
	return overflow
}

// drop gives up the oldest frames. The caller holds mu.
func (b *frameBuffer) drop(n int) {
	gap := uint64(n)
	for range n {
		gap += b.pop().Lost
	}
	b.lost += uint64(n)
	if len(b.frames) > 0 {
		b.frames[0].Lost += gap
	} else {
		b.gap += gap
	}
}

// end makes take return err once the frames are used up.
func (b *frameBuffer) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
	b.signal()
}

// take waits for the oldest frame. It returns the error of ctx, or that of end.
func (b *frameBuffer) take(ctx context.Context) (MediaFrame, error) {
	for {
		if err := ctx.Err(); err != nil {
			return MediaFrame{}, err
		}
		if f, ok, err := b.poll(); ok {
			return f, err
		}
		select {
		case <-b.ready:
		case <-ctx.Done():
		}
	}
}

func (b *frameBuffer) poll() (f MediaFrame, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case len(b.frames) > 0:
		f = b.pop()
	case b.ended != nil:
		err = b.ended
	default:
		return f, false, nil
	}
	b.signal() // there may be more, also for a second reader
	return f, true, err
}

// pop removes the oldest frame. The caller holds mu.
func (b *frameBuffer) pop() MediaFrame {
	f := b.frames[0]
	b.frames[0] = MediaFrame{} // do not keep it alive through the array
	b.frames = b.frames[1:]
	b.bytes -= len(f.Data)
	return f
}

// signal wakes a reader. The caller holds mu.
func (b *frameBuffer) signal() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

func (b *frameBuffer) lostFrames() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost
}
