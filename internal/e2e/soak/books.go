package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

// patience is how long books may take to balance while messages are on their way from one column to another, and how
// long a queue may take to be sent in good weather.
const patience = 30 * time.Second

// balance checks, in the middle of the storm and with the sender at rest, that every accepted message is sent, queued or
// reported lost.
func (s *station) balance(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for deadline := time.Now().Add(patience); ; {
		if err = s.outbound(); err == nil || time.Now().After(deadline) || !pause(ctx, 1, 5) {
			return err
		}
	}
}

// outbound compares what was accepted with where it is now. mu is held.
func (s *station) outbound() error {
	st := s.m.Stats()
	done := st.MessagesSent
	if s.plan.acks() {
		done = st.Acked
	}
	lost := st.OutboundDropped + st.OutboundRefused + st.Expired + st.Quarantined
	if sum := done + uint64(st.OutboundDepth) + lost; sum != s.count {
		return fmt.Errorf("%s: %d messages accepted, but %d done + %d queued + %d lost = %d",
			s.plan.name, s.count, done, st.OutboundDepth, lost, sum)
	}
	return nil
}

// settle ends a station in good weather and compares its books with those of the server.
func (s *station) settle(ctx context.Context) (string, error) {
	s.stopStorm()
	s.weather.Wait()
	s.stopSend()
	s.sender.Wait()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := s.m.WaitState(ctx, wsclient.StateConnected); err != nil {
		return s.plan.name, fmt.Errorf("%s: not connected: %w", s.plan.name, err)
	}
	if err := s.m.Shutdown(ctx); err != nil {
		return s.plan.name, fmt.Errorf("%s: %w", s.plan.name, err)
	}
	s.taker.Wait()
	s.harbour.close() // and whatever came is written down

	s.mu.Lock()
	defer s.mu.Unlock()
	s.lossMu.Lock()
	defer s.lossMu.Unlock()
	st := s.m.Stats()
	arrived, repeats := s.harbour.books()
	var delivered, missing, both uint64
	for n := uint64(1); n <= s.last; n++ {
		switch {
		case !s.accepted.has(n):
		case arrived.has(n) && s.lost.has(n):
			both++
		case arrived.has(n):
			delivered++
		case !s.lost.has(n):
			missing++
		}
	}
	line := fmt.Sprintf("%-14s %7d accepted = %7d delivered + %d queued + %d lost + %d perhaps; %d resent, "+
		"%d connections; %d arrived, %d missing in gaps", s.plan.name, s.count, delivered, st.OutboundDepth,
		s.count-delivered-missing-uint64(st.OutboundDepth), missing, repeats, st.Connects, st.MessagesReceived, s.gaps.Load())
	if err := s.outbound(); err != nil {
		return line, err
	}
	switch {
	case s.plan.acks() && missing > 0:
		return line, fmt.Errorf("%s: %d acknowledged messages never arrived", s.plan.name, missing)
	case s.plan.mode == wsclient.SendQueued && missing > st.MaybeLost:
		return line, fmt.Errorf("%s: %d messages are missing, only %d were said to be", s.plan.name, missing, st.MaybeLost)
	case !s.plan.acks() && repeats > 0:
		return line, fmt.Errorf("%s: %d messages came twice", s.plan.name, repeats)
	case both > s.unknown:
		return line, fmt.Errorf("%s: %d messages arrived although they were reported lost", s.plan.name, both)
	}
	return line, s.inbound(st)
}

// inbound compares what arrived with where it went.
func (s *station) inbound(st wsclient.Stats) error {
	acks, taken, gaps := s.acksSeen.Load(), s.taken.Load(), s.gaps.Load()
	sum := acks + taken + gaps + uint64(st.InboundDepth)
	if sum != st.MessagesReceived || st.Dropped != gaps {
		return fmt.Errorf("%s: %d messages arrived, but %d acks + %d taken + %d queued + %d missing (of %d) = %d",
			s.plan.name, st.MessagesReceived, acks, taken, st.InboundDepth, gaps, st.Dropped, sum)
	}
	return nil
}
