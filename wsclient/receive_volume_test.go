package wsclient_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A receiver that gives up at the very moment when a message arrives takes nothing with it.
func TestQU10CancelledReceiveLosesNothing(t *testing.T) {
	t.Parallel()
	leak.Check(t)
	total := size(100_000/20, 100_000/50, 100_000)
	peer, err := wstest.Play(nil, burst(total))
	must(t, err)
	t.Cleanup(func() { peer.Close() })
	m, err := wsclient.New(peer.URL(), &wsclient.Options{
		Dial:    wsclient.DialOptions{Proxy: noProxy},
		Receive: wsclient.ReceiveOptions{MaxMessages: 4, Overflow: wsclient.Block},
	})
	must(t, err)
	t.Cleanup(func() { m.Close() })
	must(t, m.Connect(t.Context()))

	cancels := make(chan context.CancelFunc, 1)
	var canceller sync.WaitGroup
	canceller.Go(func() {
		for cancel := range cancels {
			cancel()
		}
	})
	defer canceller.Wait()
	defer close(cancels)
	gaveUp := 0
	for next := 0; next < total; {
		ctx, cancel := context.WithCancel(t.Context())
		cancels <- cancel
		msg, err := m.Receive(ctx)
		switch {
		case errors.Is(err, context.Canceled):
			gaveUp++
			continue
		case err != nil:
			t.Fatal(err)
		case string(msg.Data) != strconv.Itoa(next):
			t.Fatalf("message %q after %d", msg.Data, next-1)
		}
		next++
	}
	if gaveUp == 0 {
		t.Error("no call was cancelled")
	}
	if s := m.Stats(); s.Dropped != 0 || s.Disconnects != 0 {
		t.Errorf("%d dropped, %d disconnects", s.Dropped, s.Disconnects)
	}
}

// resumer is a peer that sends numbered messages, is told how far they have come, and goes on there when its connection
// was cut. That happens for a while, in every way there is.
type resumer struct {
	total int
	cuts  int
	acked atomic.Int64 // how many messages have come
	conns atomic.Int64
}

func (r *resumer) script(s *wstest.Session) error {
	if err := s.Upgrade(nil); err != nil {
		return err
	}
	n := int(r.conns.Add(1))
	var acks sync.WaitGroup
	acks.Go(func() {
		for {
			f, err := s.Next()
			if err != nil || f.Opcode != wstest.OpBinary {
				return
			}
			r.acked.Store(int64(binary.BigEndian.Uint64(f.Payload)))
		}
	})
	defer acks.Wait()
	from := int(r.acked.Load())
	if n > r.cuts {
		if err := r.send(s, from, r.total, 0); err != nil {
			return err
		}
		acks.Wait() // until the client closes
		return nil
	}
	// No connection that is cut brings the end.
	to := max(from, min(from+rand.IntN(3*r.total/r.cuts), r.total*n/(r.cuts+1)))
	switch n % 4 {
	case 0:
		_ = r.send(s, from, to, 0)
		return s.RST()
	case 1:
		_ = r.send(s, from, to, rand.IntN(10)) // in the middle of a frame
	case 2:
		_ = r.send(s, from, to, 0)
		_ = s.Send(wstest.CloseFrame(1001, "going away"))
		return s.FIN()
	case 3:
		_ = r.send(s, from, to, 0)
	}
	return s.Close()
}

// send sends the messages from..to-1 and a part of the next one.
func (r *resumer) send(s *wstest.Session, from, to, part int) error {
	block := make([]byte, 0, 64<<10)
	for i := from; i < to; i++ {
		block = append(block, 0x82, 8) // a final binary frame of 8 bytes
		block = binary.BigEndian.AppendUint64(block, uint64(i))
		if len(block) > cap(block)-10 {
			if err := s.Raw(block); err != nil {
				return err
			}
			block = block[:0]
		}
	}
	block = append(block, wstest.Binary(make([]byte, 8)).Bytes()[:part]...)
	return s.Raw(block)
}

func TestQU22ResumedByThePeer(t *testing.T) {
	t.Parallel()
	leak.Check(t)
	r := &resumer{total: size(1_000_000/20, 1_000_000/50, 1_000_000), cuts: 100}
	peer, err := wstest.Play(nil, r.script)
	must(t, err)
	t.Cleanup(func() { peer.Close() })
	m, err := wsclient.New(peer.URL(), &wsclient.Options{
		Dial: wsclient.DialOptions{Proxy: noProxy},
		Receive: wsclient.ReceiveOptions{
			Overflow: wsclient.Block,
			Dedup: &wsclient.DedupOptions{
				Key:    func(m wsclient.Message) (string, bool) { return string(m.Data), true },
				Window: r.total,
			},
		},
		Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate, MaxAttempts: wsclient.Unlimited},
	})
	must(t, err)
	must(t, m.Connect(t.Context()))

	received := make(chan int, 1)
	var reporter sync.WaitGroup
	reporter.Go(func() {
		for n := range received {
			// When it does not get through, the peer repeats more.
			_ = m.Send(context.Background(), wsclient.Binary, binary.BigEndian.AppendUint64(nil, uint64(n)))
		}
	})
	next, gen := 0, uint64(0)
	for msg, err := range m.Messages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if got := binary.BigEndian.Uint64(msg.Data); got != uint64(next) || msg.Gen < gen {
			t.Fatalf("message %d of connection %d, want %d", got, msg.Gen, next)
		}
		next, gen = next+1, msg.Gen
		if next%500 == 0 {
			select {
			case received <- next:
			default: // the next one will say more
			}
		}
		if next == r.total {
			break
		}
	}
	close(received)
	reporter.Wait()
	s := m.Stats()
	if s.Dropped != 0 || s.InboundHighWater > 1001 || s.Disconnects < 100 || next != r.total {
		t.Errorf("%d received, %d dropped, %d waited, %d disconnects", next, s.Dropped, s.InboundHighWater, s.Disconnects)
	}
	t.Logf("%d messages, %d repeated, through %d disconnects", next, s.Duplicates, s.Disconnects)
	must(t, m.Close())
}
