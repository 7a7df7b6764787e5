package pikvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// RecordOptions are the optional settings of [Media.Record]. The zero value is ready to use.
type RecordOptions struct {
	// Session is one that was opened with [EventOptions].Stream, and so keeps the streamer running. Nil means that the
	// recording opens one for its own time.
	Session *Session

	// Duration ends the recording so long after its first frame. Zero means that only the context does.
	Duration time.Duration

	// Progress hears of every frame that has been written, from the goroutine of the caller.
	Progress func(Recording)

	// StallTimeout ends a recording in which no frame comes any more. Zero means 1min, negative means never.
	StallTimeout time.Duration
}

// Recording tells how far a recording has come.
type Recording struct {
	Frames   int           // written, of which
	Keys     int           // are key frames
	Bytes    int64         // of all
	Lost     uint64        // frames, since the writer was too slow
	Duration time.Duration // from the first frame to the last
}

// Record writes the video of the screen as a byte stream of H.264 (ITU-T H.264, Annex B), which players and ffmpeg take as a
// file named *.h264. It begins with a key frame, each frame is one call of Write, and after a loss it goes on with a key frame:
// what has been written can be played whenever it ends. It has no times in it; a player shows it at a rate of its own.
//
// It ends after Duration, without an error, or when ctx ends, with its error; a program that stops it by a cancel looks for
// [context.Canceled]. A stream that breaks is a [WebSocketError], one in which no frame comes a [ScreenError], and a
// writer that fails the cause of the error. The Recording holds what has been written also with an error. Other errors
// are those of [Media.Open] and [Client.Events]. Nil options are the defaults.
func (m *Media) Record(ctx context.Context, to io.Writer, opts *RecordOptions) (Recording, error) {
	const op = "media.Record"
	var o RecordOptions
	if opts != nil {
		o = *opts
	}
	switch {
	case to == nil:
		return Recording{}, configurationError(op, "to", "nil")
	case o.Duration < 0:
		return Recording{}, configurationError(op, "Duration", "negative")
	}
	v, err := m.c.view(ctx, op, "a frame", o.Session)
	if err != nil {
		return Recording{}, err
	}
	defer v.close()
	s, err := m.Open(v.ctx, &MediaOptions{Watch: o.Session == nil})
	if err != nil {
		return Recording{}, err
	}
	defer s.Close() //nolint:errcheck // always nil
	r := recorder{to: to, opts: &o}
	err = r.run(v, s)
	return r.done, err
}

// recorder is one recording under way.
type recorder struct {
	to    io.Writer
	opts  *RecordOptions
	begin time.Time // of the first frame
	done  Recording
}

func (r *recorder) run(v *viewing, s *MediaStream) error {
	stall := stallLimit(r.opts.StallTimeout)
	for {
		f, err := r.next(v.ctx, s, stall)
		switch {
		case err == nil:
		case v.ctx.Err() != nil:
			return v.failure(nil, true)
		case r.over(time.Now()):
			return nil
		case errors.Is(err, context.DeadlineExceeded):
			return v.ended("none came", stall)
		default:
			return err
		}
		if r.begin.IsZero() {
			r.begin = f.Time
		}
		if r.over(f.Time) {
			return nil
		}
		if err := r.write(f); err != nil {
			return &errkit.Basic{Info: errkit.Info{
				Class: Err, Op: v.name, Target: v.client.target, Kind: errkit.Classify(err),
				Err: fmt.Errorf("the writer failed: %w", err),
			}}
		}
	}
}

// next waits for a frame, at most until the recording is over.
func (r *recorder) next(ctx context.Context, s *MediaStream, stall time.Duration) (MediaFrame, error) {
	limit := stall
	if r.opts.Duration > 0 && !r.begin.IsZero() {
		left := max(time.Until(r.begin.Add(r.opts.Duration)), 1)
		if limit == 0 || left < limit {
			limit = left
		}
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return s.Next(ctx)
}

// over reports whether the recording ends before that moment.
func (r *recorder) over(at time.Time) bool {
	return r.opts.Duration > 0 && !r.begin.IsZero() && at.Sub(r.begin) >= r.opts.Duration
}

func (r *recorder) write(f MediaFrame) error {
	n, err := r.to.Write(f.Data)
	switch {
	case err != nil:
		return err
	case n != len(f.Data):
		return io.ErrShortWrite
	}
	r.done.Frames++
	if f.Key {
		r.done.Keys++
	}
	r.done.Bytes += int64(n)
	r.done.Lost += f.Lost
	r.done.Duration = f.Time.Sub(r.begin)
	if r.opts.Progress != nil {
		r.opts.Progress(r.done)
	}
	return nil
}
