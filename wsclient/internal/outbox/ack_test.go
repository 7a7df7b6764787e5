package outbox_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// idle checks that there is nothing to write.
func idle(t *testing.T, b *outbox.Box) {
	t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if msgs, err := b.Next(stop); len(msgs) > 0 || err != nil {
			t.Errorf("there is something to write: %v, %v", msgs, err)
		}
	}()
	synctest.Wait()
	close(stop)
	<-done
}

func TestAcknowledgements_QU27(t *testing.T) {
	t.Parallel()
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 10, Timeout: time.Second}})
			put(t, b, 1, 3)
			b.Up(1)
			equal(t, numbers(1, 3), next(t, b))
			b.Sent(3)
			b.Acknowledge(1, []string{"2"}, false)
			began := time.Now()
			equal(t, []string{"1", "3"}, next(t, b))
			if d := time.Since(began); d != time.Second {
				t.Errorf("sent again after %v", d)
			}
			b.Sent(2)
			put(t, b, 4, 4)
			equal(t, []string{"4"}, next(t, b))
			b.Sent(1)
			b.Acknowledge(1, []string{"1", "3", "4"}, false)
			time.Sleep(time.Minute)
			idle(t, b)
			equal(t, uint64(2), b.Stats().Resent)
			identity(t, b)
			b.Close(errEnd)
		})
	})
	t.Run("acknowledged while it is written again", func(t *testing.T) {
		t.Parallel()
		b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 10}})
		put(t, b, 1, 2)
		b.Up(1)
		equal(t, numbers(1, 2), next(t, b))
		b.Sent(2)
		b.Down(0, nil)
		b.Up(2)
		equal(t, numbers(1, 2), next(t, b))
		b.Acknowledge(2, []string{"1", "2"}, false)
		b.Sent(2)
		equal(t, uint64(2), b.Stats().Resent)
		identity(t, b)
	})
	t.Run("timeout reconnects", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 10, Timeout: time.Second, Reconnect: true}})
			put(t, b, 1, 2)
			b.Up(1)
			equal(t, numbers(1, 2), next(t, b))
			b.Sent(2)
			_, err := b.Next(nil)
			if late, ok := errors.AsType[*wserr.TimeoutError](err); !ok || late.Op != "ack" || late.Limit != time.Second {
				t.Errorf("error %v", err)
			}
			b.Down(0, err)
			b.Up(2)
			equal(t, numbers(1, 2), next(t, b))
			b.Sent(2)
			b.Acknowledge(2, []string{"1", "2"}, false)
			time.Sleep(time.Minute)
			idle(t, b)
			identity(t, b)
			b.Close(errEnd)
		})
	})
	t.Run("nack", func(t *testing.T) {
		t.Parallel()
		b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 10, Cumulative: true}})
		rs := put(t, b, 1, 3)
		b.Up(1)
		next(t, b)
		b.Sent(3)
		b.Acknowledge(1, []string{"2"}, true)
		equal(t, outbox.Dropped, rs[1].State())
		if err := rs[1].Err(); !errors.Is(err, wserr.ErrRefused) {
			t.Error(err)
		}
		equal(t, outbox.Written, rs[0].State())
		b.Down(0, nil)
		b.Up(2)
		equal(t, []string{"1", "3"}, next(t, b))
		b.Sent(2)
		identity(t, b)
	})
	t.Run("cumulative", func(t *testing.T) {
		t.Parallel()
		b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 4, Cumulative: true}})
		rs := put(t, b, 1, 6)
		b.Up(1)
		equal(t, numbers(1, 4), next(t, b))
		b.Sent(4)
		b.Acknowledge(1, []string{"3"}, false)
		for i, want := range []outbox.State{outbox.Acked, outbox.Acked, outbox.Acked, outbox.Written, outbox.Queued} {
			equal(t, want, rs[i].State())
		}
		equal(t, []string{"5", "6"}, next(t, b))
		b.Sent(2)
		identity(t, b)
	})
	t.Run("cumulative before it is sent again", func(t *testing.T) {
		t.Parallel()
		b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 4, Cumulative: true}})
		put(t, b, 1, 6)
		b.Up(1)
		next(t, b)
		b.Sent(4)
		b.Down(0, nil)
		b.Up(2)
		b.Acknowledge(2, []string{"3", "6"}, false) // the peer says what it has; it cannot have 6
		equal(t, numbers(4, 6), next(t, b))
		b.Sent(3)
		s := b.Stats()
		equal(t, []uint64{3, 1, 1}, []uint64{s.Delivered, s.Resent, s.Strays})
		identity(t, b)
	})
	t.Run("unknown id and old connection", func(t *testing.T) {
		t.Parallel()
		b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 4, Cumulative: true}})
		put(t, b, 1, 2)
		b.Up(1)
		next(t, b)
		b.Sent(2)
		b.Acknowledge(1, []string{"3", "", "-1", "two", "99999999999999999999999"}, false)
		b.Down(0, nil)
		b.Acknowledge(1, []string{"1"}, false)
		b.Up(2)
		equal(t, numbers(1, 2), next(t, b))
		b.Sent(2)
		b.Acknowledge(1, []string{"1"}, false)
		s := b.Stats()
		equal(t, []uint64{0, 7}, []uint64{s.Delivered, s.Strays})
		identity(t, b)
	})
}

// An acknowledgement may overtake the news that the message was written.
func TestAcknowledgedWhileWritten(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 4}})
	rs := put(t, b, 1, 3)
	b.Up(1)
	next(t, b)
	b.Acknowledge(1, []string{"1", "2", "3"}, false)
	b.Sent(3)
	for _, r := range rs {
		equal(t, outbox.Acked, r.State())
	}
	put(t, b, 4, 4)
	equal(t, []string{"4"}, next(t, b))
	b.Sent(1)
	identity(t, b)
}

func TestPoison_QU28(t *testing.T) {
	t.Parallel()
	errTooBig := &wserr.ClosedError{Code: 1009}
	for _, code := range []int{1003, 1007, 1009} {
		t.Run(fmt.Sprint("acknowledged/", code), func(t *testing.T) {
			t.Parallel()
			// The peer closes at message 3, and its acknowledgements of 1 and 2 get lost the first time.
			b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 10}})
			rs := put(t, b, 1, 6)
			b.Up(1)
			equal(t, numbers(1, 6), next(t, b))
			b.Sent(6)
			b.Down(code, errTooBig)
			b.Up(2)
			for _, one := range numbers(1, 2) {
				equal(t, []string{one}, next(t, b)) // one by one
				b.Sent(1)
				b.Acknowledge(2, []string{one}, false)
			}
			equal(t, []string{"3"}, next(t, b))
			b.Sent(1)
			b.Down(code, errTooBig)
			b.Up(3)
			equal(t, []string{"3"}, next(t, b))
			equal(t, outbox.Written, rs[2].State())
			b.Sent(1)
			b.Down(code, errTooBig)
			equal(t, outbox.Dropped, rs[2].State())
			equal(t, error(errTooBig), rs[2].Err())
			b.Up(4)
			for _, one := range numbers(4, 6) {
				equal(t, []string{one}, next(t, b))
				b.Sent(1)
				b.Acknowledge(4, []string{one}, false)
			}
			put(t, b, 7, 9)
			equal(t, numbers(7, 9), next(t, b)) // as before
			b.Sent(3)
			equal(t, uint64(1), b.Stats().Quarantined)
			identity(t, b)
		})
		t.Run(fmt.Sprint("cut/", code), func(t *testing.T) {
			t.Parallel()
			// The peer closes while the message is being written.
			b := outbox.New(outbox.Config{})
			rs := put(t, b, 1, 3)
			for gen := range uint64(3) {
				b.Up(gen)
				next(t, b)
				b.Sent(0)
				b.Down(code, errTooBig)
			}
			equal(t, outbox.Dropped, rs[0].State())
			equal(t, error(errTooBig), rs[0].Err())
			equal(t, true, b.Poisoned())
			b.Up(4)
			equal(t, numbers(2, 3), next(t, b))
			b.Sent(2)
			identity(t, b)
		})
	}
	t.Run("in a row", func(t *testing.T) {
		t.Parallel()
		b := outbox.New(outbox.Config{})
		put(t, b, 1, 1)
		for i, code := range []int{1009, 1009, 1001, 1009, 1009} {
			b.Up(uint64(i))
			next(t, b)
			b.Sent(0)
			b.Down(code, errTooBig)
		}
		equal(t, uint64(0), b.Stats().Quarantined)
	})
	t.Run("cleared by a pong", func(t *testing.T) {
		t.Parallel()
		// The peer acknowledges only many messages at a time, so that pongs alone tell who is innocent.
		asked := 0
		b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 10}, Doubt: func() { asked++ }})
		put(t, b, 1, 3)
		b.Up(1)
		next(t, b)
		b.Sent(3)
		b.Down(1009, errTooBig)
		b.Up(2)
		for _, one := range numbers(1, 3) {
			equal(t, []string{one}, next(t, b))
			b.Sent(1)
			b.Mark()
			b.Proved()
		}
		equal(t, 3, asked)
		b.Acknowledge(2, numbers(1, 3), false)
		equal(t, uint64(3), b.Stats().Delivered)
		identity(t, b)
	})
}

func TestMaybeLost(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{})
	b.Up(1)
	write := func(from, to int) {
		put(t, b, from, to)
		next(t, b)
		b.Sent(to - from + 1)
	}
	write(1, 5)
	b.Mark()
	write(6, 7)
	b.Proved() // of the first five
	write(8, 10)
	b.Mark() // no pong comes
	if lost := b.Down(0, nil); lost != 5 {
		t.Errorf("%d may be lost", lost)
	}
	b.Up(2)
	if lost := b.Down(0, nil); lost != 0 {
		t.Errorf("%d may be lost of nothing", lost)
	}
	equal(t, uint64(5), b.Stats().MaybeLost)
}

func TestWrapThatFails(t *testing.T) {
	t.Parallel()
	var losses []outbox.Loss
	b := outbox.New(outbox.Config{
		Ack:    &outbox.Ack{Window: 10},
		OnLoss: func(l outbox.Loss) { losses = append(losses, l) },
		Wrap: func(dst []byte, m outbox.Message) []byte {
			switch m.Number {
			case 2:
				panic("cannot")
			case 3:
				return append(dst, 0xff)
			case 4:
				return nil
			}
			return append(dst, m.Data...)
		},
	})
	put(t, b, 1, 5)
	b.Up(1)
	equal(t, []string{"1", "5"}, next(t, b))
	b.Sent(2)
	equal(t, 3, len(losses))
	for _, l := range losses {
		if !errors.Is(l.Err, wserr.ErrConfig) {
			t.Error(l.Err)
		}
	}
	identity(t, b)
}

func TestReceipts_QU17(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 2}})
	rs := put(t, b, 1, 4)
	if !rs[2].Cancel() || rs[2].Cancel() {
		t.Error("a waiting message is canceled once")
	}
	b.Up(1)
	equal(t, numbers(1, 2), next(t, b))
	if rs[0].Cancel() {
		t.Error("canceled while it is written")
	}
	b.Sent(2)
	if rs[0].Cancel() {
		t.Error("canceled after it was written")
	}
	b.Down(0, nil)
	if rs[0].Cancel() {
		t.Error("canceled although the peer may have it")
	}
	equal(t, outbox.Dropped, rs[2].State())
	if err := rs[2].Err(); !errors.Is(err, wserr.ErrCanceled) {
		t.Error(err)
	}
	b.Close(errEnd)
	equal(t, outbox.Unknown, rs[0].State())
	equal(t, outbox.Queued, rs[3].State())
	for _, i := range []int{0, 1, 3} {
		<-rs[i].Done()
		equal(t, errEnd.Error(), rs[i].Err().Error())
	}
	left := b.Drain()
	equal(t, 3, len(left))
	identity(t, b)
}
