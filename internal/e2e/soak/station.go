package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// station is a manager under load in bad weather, with its books.
type station struct {
	plan    plan
	harbour *harbour
	m       *wsclient.Manager
	spool   *spool.Spool // nil unless the plan has one

	stopStorm context.CancelFunc
	weather   sync.WaitGroup
	stopSend  context.CancelFunc
	sender    sync.WaitGroup
	taker     sync.WaitGroup

	acksSeen, taken, gaps atomic.Uint64 // of messages that arrive

	mu       sync.Mutex // guards what follows; held while a message is handed to the manager
	last     uint64     // number of the last message
	accepted numbers
	count    uint64 // of accepted

	lossMu  sync.Mutex // guards what follows: OnLoss must not wait for the manager, which mu may do
	lost    numbers
	unknown uint64 // of the lost: the peer may have them
}

// number is the first thing in a message.
func number(data []byte) uint64 { return binary.BigEndian.Uint64(data) }

func newStation(p plan, dir string) (*station, error) {
	h, err := newHarbour(p.acks())
	if err != nil {
		return nil, err
	}
	s := &station{plan: p, harbour: h}
	o := p.options()
	o.Dial.DialContext = h.dial
	o.Send.OnLoss = s.note
	if a := o.Send.Ack; a != nil {
		a.Extract = s.ack
	}
	switch p.taking {
	case byLoop:
	case byHandler:
		o.Receive.Handler = func(context.Context, wsclient.Message) { s.taken.Add(1) }
	case byInlineHandler:
		o.Receive.InlineHandler = func(wsclient.Message) { s.taken.Add(1) }
	}
	if p.spool {
		s.spool, err = spool.Open(filepath.Join(dir, p.name), &spool.Options{Sync: spool.SyncEvery, SegmentBytes: 256 << 10})
		if err != nil {
			h.close()
			return nil, err
		}
		o.Send.Spool = s.spool
	}
	if s.m, err = wsclient.New(h.srv.URL(), o); err == nil {
		err = s.m.Start(context.Background())
	}
	if err != nil {
		s.end()
		return nil, err
	}
	s.begin()
	return s, nil
}

// begin starts the weather, the sender and, unless a handler does it, whoever takes what arrives.
func (s *station) begin() {
	var storm, send context.Context
	storm, s.stopStorm = context.WithCancel(context.Background())
	send, s.stopSend = context.WithCancel(context.Background())
	s.weather.Go(func() { s.harbour.storm(storm) })
	s.sender.Go(func() { s.send(send) })
	if s.plan.taking == byLoop {
		s.taker.Go(s.take)
	}
}

// end closes everything, in any state.
func (s *station) end() {
	for _, stop := range []context.CancelFunc{s.stopStorm, s.stopSend} {
		if stop != nil {
			stop()
		}
	}
	s.weather.Wait()
	s.sender.Wait()
	if s.m != nil {
		_ = s.m.Close() // returns nil
	}
	s.taker.Wait()
	if s.spool != nil {
		_ = s.spool.Close() // the folder goes
	}
	s.harbour.close()
}

// send sends a few messages every few milliseconds.
func (s *station) send(ctx context.Context) {
	for pause(ctx, 1, 10) {
		for range 1 + rand.N(10) {
			s.sendOne(ctx)
		}
	}
}

func (s *station) sendOne(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	data := make([]byte, 8+rand.N(200))
	binary.BigEndian.PutUint64(data, s.last)
	// Only a queue that blocks looks at the context, and then a message that was not accepted is not.
	if s.plan.mode == wsclient.SendDirect {
		ctx = context.Background()
	}
	if s.m.Send(ctx, wsclient.Binary, data) == nil {
		s.accepted.add(s.last)
		s.count++
	}
}

// note takes down an accepted message that is lost.
func (s *station) note(l wsclient.Lost) {
	s.lossMu.Lock()
	defer s.lossMu.Unlock()
	s.lost.add(number(l.Data))
	if l.State == wsclient.ReceiptUnknown {
		s.unknown++
	}
}

// ack reads an acknowledgement. All other messages are binary.
func (s *station) ack(m wsclient.Message) (wsclient.Ack, bool) {
	if m.Type != wsclient.Text {
		return wsclient.Ack{}, false
	}
	s.acksSeen.Add(1)
	return wsclient.Ack{IDs: []string{string(m.Data)}}, true
}

// take takes what arrives, until the manager is closed and nothing is left. Now and then it is slow.
func (s *station) take() {
	for _, err := range s.m.Messages(context.Background()) {
		var gap *wsclient.QueueFullError
		switch {
		case errors.As(err, &gap):
			s.gaps.Add(gap.DroppedCount)
		case err != nil:
			return
		default:
			if s.taken.Add(1)%2000 == 0 {
				pause(context.Background(), 200, 300)
			}
		}
	}
}
