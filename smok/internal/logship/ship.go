package logship

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// ownRecords marks the context of an upload.
type ownRecords struct{}

// Mute returns a handler that passes records on to h so that no handler of this package takes them. It is for what the
// shipping of logs has to say of itself.
func Mute(h slog.Handler) slog.Handler { return muted{h} }

type muted struct{ slog.Handler }

func (m muted) Enabled(ctx context.Context, level slog.Level) bool {
	return m.Handler.Enabled(context.WithValue(ctx, ownRecords{}, true), level)
}

func (m muted) Handle(ctx context.Context, r slog.Record) error {
	return m.Handler.Handle(context.WithValue(ctx, ownRecords{}, true), r)
}

func (m muted) WithAttrs(attrs []slog.Attr) slog.Handler { return muted{m.Handler.WithAttrs(attrs)} }

func (m muted) WithGroup(name string) slog.Handler { return muted{m.Handler.WithGroup(name)} }

// isOwn reports whether a record was logged by the upload itself: sending it would make another one.
func isOwn(ctx context.Context) bool { return ctx.Value(ownRecords{}) != nil }

// Wait returns when there is something to send: a whole batch, or a record that has waited for the batch's delay. Its
// error is that of the context.
func (q *Queue) Wait(ctx context.Context) error {
	for q.waiting() == 0 {
		select {
		case <-q.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	delay := time.NewTimer(q.cfg.BatchDelay)
	defer delay.Stop()
	for !q.hasBatch() {
		select {
		case <-q.wake:
		case <-delay.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (q *Queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.records)
}

func (q *Queue) hasBatch() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.records) >= q.cfg.BatchRecords || q.bytes >= int64(q.cfg.BatchBytes)
}

// Flush ships until nothing waits, or until an upload fails.
func (q *Queue) Flush(ctx context.Context) error {
	for q.waiting() > 0 {
		if err := q.Ship(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Ship sends one batch, the oldest records first. What the hub has taken, or will never take, leaves the queue; of a
// batch that it does not want, it gets the halves. Any other error is returned, and what it hit stays.
func (q *Queue) Ship(ctx context.Context) error {
	batch, dropped := q.batch()
	if len(batch) == 0 {
		return nil
	}
	done, rejected, err := q.send(context.WithValue(ctx, ownRecords{}, true), batch)
	q.settle(done, rejected, dropped)
	return err
}

// batch returns the oldest records as they are to be sent, behind one that tells of dropped records if there are any,
// and how many these are.
func (q *Queue) batch() (batch []api.LogRecord, dropped int) {
	q.mu.Lock()
	var records []api.LogRecord
	dropped = q.unsaid
	if dropped > 0 {
		records = append(records, api.LogRecord{
			Service: q.cfg.Service, When: time.UnixMicro(q.lastLost), Level: levelWarning,
			Message: fmt.Sprintf("%d log records dropped", dropped),
		})
	}
	n := min(len(q.records), max(1, q.cfg.BatchRecords-len(records)))
	records = append(records, q.records[:n]...)
	q.inFlight = q.first + uint64(n)
	q.mu.Unlock()

	var body []byte // to know its length
	for i := range records {
		encoded := q.encode(records[i])
		body, _ = api.AppendLogRecord(body, &encoded) // what encode returns can be encoded
		if len(body)+api.MaxListHead > q.cfg.BatchBytes && i > 0 {
			break
		}
		batch = append(batch, encoded)
	}
	return batch, dropped
}

// send uploads records, in halves if the hub does not want them together. It returns how many of them, from the first
// one, are settled, and how many of those were rejected.
func (q *Queue) send(ctx context.Context, records []api.LogRecord) (done, rejected int, err error) {
	err = q.cfg.Upload(ctx, records)
	switch {
	case err == nil:
		return len(records), 0, nil
	case !isRejection(err):
		return 0, 0, err
	case len(records) == 1:
		q.cfg.OnReject(records[0], err)
		return 1, 1, nil
	}
	half := len(records) / 2
	done, rejected, err = q.send(ctx, records[:half])
	if err != nil {
		return done, rejected, err
	}
	more, moreRejected, err := q.send(ctx, records[half:])
	return done + more, rejected + moreRejected, err
}

func isRejection(err error) bool {
	if response, ok := errors.AsType[*smokerr.ResponseError](err); ok {
		return response.Rejected()
	}
	return errors.Is(err, smokerr.ErrInvalidArgument)
}

// settle takes out of the queue what is done: so many records of a batch, behind one about dropped ones if there were
// any.
func (q *Queue) settle(done, rejected, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Shipped += uint64(done - rejected)
	q.stats.Rejected += uint64(rejected)
	if dropped > 0 && done > 0 {
		q.unsaid -= dropped
		done--
	}
	// Records that were dropped while they were sent are the oldest of the batch: the first ones to be done.
	arrived := min(q.sending, done)
	q.stats.Dropped -= uint64(arrived)
	q.unsaid += q.sending - arrived
	q.remove(done - arrived)
	q.sending, q.inFlight = 0, 0
}
