package pikvm

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// MediaStream is a media socket of the device: see [Media.Open]. It does not come back by itself. All methods may be called
// from several goroutines at once; frames go to one reader each.
type MediaStream struct {
	client  *Client
	link    *mediaLink
	buffer  *frameBuffer
	state   *MediaState // nil in pure mode
	session *Session    // keeps the streamer running, nil if that was not asked for

	life context.Context // ends with Close, with the client and with the session
	stop context.CancelFunc
	done chan struct{} // closed when the stream and its goroutines have ended

	frames, bytes, malformed atomic.Uint64

	mu    sync.Mutex
	final error // why the stream has ended; nil if it has not, or if its owner closed it
}

// MediaStats counts what happened to a [MediaStream].
type MediaStats struct {
	Frames    uint64 // received
	Bytes     uint64 // of these
	Lost      uint64 // of these, given up for a slow reader
	Malformed uint64 // frames that made no sense
}

// State returns what the device announced, nil in pure mode.
func (s *MediaStream) State() *MediaState { return s.state }

// Stats returns what happened so far.
func (s *MediaStream) Stats() MediaStats {
	return MediaStats{s.frames.Load(), s.bytes.Load(), s.buffer.lostFrames(), s.malformed.Load()}
}

// Next returns the next frame, waiting for it. The first one of H.264 is a key frame, and so is that after a loss. When the
// stream has ended, it returns the frames that are left, and then why: a [WebSocketError] if it broke, the error of
// [Session.Err] if what keeps the streamer running gave up, [ErrClosed] if the owner closed it.
//
// A device without a viewer sends nothing, and that is no failure; ctx limits the wait.
func (s *MediaStream) Next(ctx context.Context) (MediaFrame, error) {
	const op = "media.Next"
	f, err := s.buffer.take(ctx)
	if err != nil && ctx.Err() != nil {
		return MediaFrame{}, contextError(ctx, op, s.client.target, nil)
	}
	return f, err
}

// Frames iterates over the frames as they come. Leaving the loop ends nothing but the loop. When ctx is done or the stream
// breaks, the last pair has the error; when the owner closes the stream, the loop just ends.
func (s *MediaStream) Frames(ctx context.Context) iter.Seq2[MediaFrame, error] {
	return func(yield func(MediaFrame, error) bool) {
		for {
			f, err := s.Next(ctx)
			if errors.Is(err, ErrClosed) && s.Err() == nil {
				return
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// RequestKeyFrame asks the device for a key frame, which comes soon, for all who watch.
func (s *MediaStream) RequestKeyFrame() error {
	const op = "media.RequestKeyFrame"
	err := s.link.wishKey()
	switch {
	case err == nil:
		return nil
	case s.life.Err() != nil:
		return s.endError(op)
	}
	return socketError(op, s.client.target, err)
}

// Ping asks the device for a sign of life and returns how long that took.
func (s *MediaStream) Ping(ctx context.Context) (time.Duration, error) {
	const op = "media.Ping"
	took, err := s.link.conn.Ping(ctx)
	switch {
	case err == nil:
		return took, nil
	case s.life.Err() != nil:
		return 0, s.endError(op)
	case ctx.Err() != nil:
		return 0, contextError(ctx, op, s.client.target, nil)
	}
	return 0, socketError(op, s.client.target, err)
}

// Done returns a channel that is closed when the stream has ended, by its owner or for the reason that [MediaStream.Err]
// gives.
func (s *MediaStream) Done() <-chan struct{} { return s.done }

// Err returns why the stream has ended: nil while it has not, and nil if its owner or the client's closed it.
func (s *MediaStream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.final
}

// Close ends the stream and waits for its goroutines. It may be called more than once, and in the body of a loop; it always
// returns nil.
func (s *MediaStream) Close() error {
	s.stop()
	<-s.done
	return nil
}

// run reads until the stream ends.
func (s *MediaStream) run() {
	defer close(s.done)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer s.stop()
	if s.session != nil {
		watch.Go(s.hold)
	}
	err := s.link.read(s.life, s.receive)
	if s.life.Err() == nil { // nobody wanted it
		s.fail(socketError("media.Read", s.client.target, err))
	}
	s.buffer.end(s.endError("media.Next"))
}

// hold keeps the streamer running until the stream ends. A session that gives up ends the stream.
func (s *MediaStream) hold() {
	defer s.session.Close() //nolint:errcheck // always nil
	select {
	case <-s.life.Done():
	case <-s.session.Done():
		if err := s.session.Err(); err != nil {
			s.fail(err)
		}
		s.stop()
	}
}

func (s *MediaStream) receive(f MediaFrame, err error) {
	if err != nil {
		s.malformed.Add(1)
		return
	}
	s.frames.Add(1)
	s.bytes.Add(uint64(len(f.Data)))
	if s.buffer.put(f) {
		select {
		case s.link.wish <- struct{}{}: // or the reader would wait for long
		default:
		}
	}
}

// fail keeps the first reason for which the stream ends.
func (s *MediaStream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.final == nil {
		s.final = err
	}
}

// endError returns the error of a call on a stream that has ended or is about to.
func (s *MediaStream) endError(op string) error {
	if err := s.Err(); err != nil {
		return err
	}
	return closedError(op, s.client.target, 0)
}
