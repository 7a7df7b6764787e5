package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// serve writes what comes until the box is closed or stop is, and returns what it wrote.
func serve(b *outbox.Box, stop <-chan struct{}) []string {
	var all []string
	for {
		msgs, _ := b.Next(stop)
		if len(msgs) == 0 {
			return all
		}
		for _, m := range msgs {
			all = append(all, string(m.Data))
		}
		b.Sent(len(msgs))
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		policy outbox.Policy
		err    bool // of the third message
		states []outbox.State
		sent   []string
	}{
		{outbox.Fail, true, []outbox.State{outbox.Written, outbox.Written}, []string{"1", "2"}},
		{outbox.DropNewest, false, []outbox.State{outbox.Written, outbox.Written, outbox.Dropped}, []string{"1", "2"}},
		{outbox.DropOldest, false, []outbox.State{outbox.Dropped, outbox.Written, outbox.Written}, []string{"2", "3"}},
	} {
		t.Run(fmt.Sprint(tc.policy), func(t *testing.T) {
			t.Parallel()
			var losses []outbox.Loss
			b := outbox.New(outbox.Config{
				MaxMessages: 2, Policy: tc.policy, OnLoss: func(l outbox.Loss) { losses = append(losses, l) },
			})
			rs := put(t, b, 1, 2)
			third := new(outbox.Receipt)
			err := b.Put(t.Context(), wsconn.Text, []byte("3"), third)
			if full, ok := errors.AsType[*wserr.QueueFullError](err); ok != tc.err || (ok && full.QueueSize != 2) {
				t.Errorf("error %v", err)
			}
			if err == nil {
				rs = append(rs, third)
			}
			b.Up(1)
			equal(t, tc.sent, next(t, b))
			b.Sent(len(tc.sent))
			var states []outbox.State
			for _, r := range rs {
				<-r.Done()
				states = append(states, r.State())
			}
			equal(t, tc.states, states)
			if want := slices.Contains(tc.states, outbox.Dropped); want != (len(losses) == 1) {
				t.Errorf("losses %v", losses)
			}
			identity(t, b)
		})
	}
}

func TestDropNewestWithoutReceiptIsAnError(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{MaxMessages: 1, Policy: outbox.DropNewest})
	put(t, b, 1, 1)
	if err := b.Put(t.Context(), wsconn.Text, []byte("2"), nil); !errors.Is(err, wserr.ErrQueueFull) {
		t.Error(err)
	}
	if s := b.Stats(); s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
	identity(t, b)
}

func TestBlockedCallsAreServedInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := outbox.New(outbox.Config{MaxMessages: 2, Policy: outbox.Block})
		put(t, b, 1, 2)
		for i := 3; i <= 20; i++ {
			go func() {
				if err := b.Put(context.Background(), wsconn.Text, []byte(strconv.Itoa(i)), nil); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		b.Up(1)
		stop := make(chan struct{})
		sent := make(chan []string)
		go func() { sent <- serve(b, stop) }()
		synctest.Wait()
		close(stop)
		equal(t, numbers(1, 20), <-sent)
		identity(t, b)
	})
}

func TestBlockEnds(t *testing.T) {
	t.Parallel()
	errGone := errors.New("gone")
	for _, tc := range []struct {
		name string
		end  func(b *outbox.Box, cancel context.CancelFunc)
		want error
	}{
		{"context", func(_ *outbox.Box, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"seal", func(b *outbox.Box, _ context.CancelFunc) { b.Seal() }, wserr.ErrShuttingDown},
		{"fail", func(b *outbox.Box, _ context.CancelFunc) { b.Fail(errGone); b.Fail(nil) }, errGone},
		{"close", func(b *outbox.Box, _ context.CancelFunc) { b.Close(errGone) }, errGone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := outbox.New(outbox.Config{MaxMessages: 1, Policy: outbox.Block})
				put(t, b, 1, 1)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				errs := make(chan error)
				for range 3 {
					go func() { errs <- b.Put(ctx, wsconn.Text, nil, nil) }()
				}
				synctest.Wait()
				tc.end(b, cancel)
				for range 3 {
					if err := <-errs; !errors.Is(err, tc.want) {
						t.Errorf("error %v, want %v", err, tc.want)
					}
				}
				if s := b.Stats(); s.Accepted != 1 {
					t.Errorf("%+v", s)
				}
				identity(t, b)
			})
		})
	}
}

func TestExpiryWithoutConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := outbox.New(outbox.Config{TTL: time.Second})
		began := time.Now()
		rs := put(t, b, 1, 3)
		time.Sleep(300 * time.Millisecond)
		late := put(t, b, 4, 4)
		<-rs[2].Done()
		if d := time.Since(began); d != time.Second {
			t.Errorf("expired after %v", d)
		}
		equal(t, outbox.Expired, rs[0].State())
		equal(t, outbox.Queued, late[0].State())
		if err := rs[0].Err(); !errors.Is(err, wserr.ErrExpired) {
			t.Error(err)
		}
		b.Up(1)
		equal(t, []string{"4"}, next(t, b))
		b.Sent(1)
		identity(t, b)
	})
}

// Messages of many producers keep the order of each, while everything moves at once.
func TestManyProducers(t *testing.T) {
	t.Parallel()
	const producers, each = 16, 2000
	b := outbox.New(outbox.Config{MaxMessages: 100, Policy: outbox.Block})
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				if err := b.Put(context.Background(), wsconn.Text, fmt.Appendf(nil, "%d %d", p, i), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	b.Up(1)
	stop := make(chan struct{})
	sent := make(chan []string)
	go func() { sent <- serve(b, stop) }()
	wg.Wait()
	b.Seal()
	<-b.Empty()
	close(stop)
	next := make(map[int]int)
	all := <-sent
	for _, s := range all {
		var p, i int
		if _, err := fmt.Sscan(s, &p, &i); err != nil {
			t.Fatal(err)
		}
		if i != next[p] {
			t.Fatalf("message %d of producer %d, want %d", i, p, next[p])
		}
		next[p]++
	}
	equal(t, producers*each, len(all))
	identity(t, b)
}
