package ngtt_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Every transaction id is in use: one more request fails and the link stays, but a ping that can no longer be sent ends
// it.
func TestIDsExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ids = 32768
		b := newBench(t, ngtttest.Options{DataStreamReply: 99}) // which is no answer
		c := b.client(ngtt.Options{})
		c.states.await(t, ngtt.StateConnected, 1)
		var requests sync.WaitGroup
		failures := make(chan error, ids)
		for range ids {
			requests.Go(func() { failures <- c.SyncPathpoints(t.Context(), nil) })
		}
		synctest.Wait()
		err := c.SyncPathpoints(t.Context(), nil)
		wantFailure(t, err, ngtt.ReasonIDsExhausted, false)
		if !errors.Is(err, errkit.Full) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("%v", err)
		}
		if c.Status().State != ngtt.StateConnected || len(failures) != 0 {
			t.Errorf("%+v, %d requests failed", c.Status(), len(failures))
		}
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		wantFailure(t, status.Err, ngtt.ReasonIDsExhausted, false)
		requests.Wait()
		close(failures)
		for err := range failures {
			if !errors.Is(err, ngtt.ErrConnectionFailed) {
				t.Fatalf("%v", err)
			}
		}
		// Ids begin anew on the next connection.
		c.states.await(t, ngtt.StateConnected, 2)
		go func() { _ = c.SyncPathpoints(t.Context(), nil) }()
		synctest.Wait()
		uploads := b.hub.Uploads(device)
		if got := uploads[len(uploads)-1].TID; got != 1 {
			t.Errorf("tid %d", got)
		}
	})
}

// An answer that comes too late is not taken for that of a later request: ids go round.
func TestLateAnswerMeetsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{DataStreamReply: 99})
		c := b.client(ngtt.Options{})
		c.states.await(t, ngtt.StateConnected, 1)
		for want := uint16(1); want <= 3; want++ {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- c.SyncPathpoints(ctx, nil) }()
			synctest.Wait()
			uploads := b.hub.Uploads(device)
			if got := uploads[len(uploads)-1].TID; got != want {
				t.Errorf("tid %d, want %d", got, want)
			}
			cancel()
			<-done
			_ = b.conn().Send(wire.Frame{Type: wire.TypeDataStreamConfirm, TID: want}) // too late
			synctest.Wait()
		}
		if s := c.Stats(); s.UnknownFrames != 3 || s.State != ngtt.StateConnected {
			t.Errorf("%+v", s)
		}
	})
}
