package netem

import (
	"context"
	"net"
	"sync"
)

// links are all links of a network or of a proxy.
type links struct {
	Faults

	mu       sync.Mutex // taken before that of a link, never while one is held
	changed  sync.Cond
	up, down knobs // of links to come
	all      []*Link
	hook     func(*Link)
}

func (s *links) init(window int) {
	if window <= 0 {
		window = DefaultWindow
	}
	s.Faults.target = s
	s.changed.L = &s.mu
	s.up = knobs{window: window, cutAfter: -1}
	s.down = s.up
}

// OnLink lets fn see each new link before its first byte, to set its faults. It replaces an earlier function; nil
// removes it. Calls for several links may run at the same time; fn must not block.
func (s *links) OnLink(fn func(*Link)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = fn
}

// Links returns the links that have an open end, in the order of dialling.
func (s *links) Links() []*Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []*Link
	for _, l := range s.all {
		if !l.State().Closed() {
			open = append(open, l)
		}
	}
	return open
}

// Count returns how many links there have been, closed ones included.
func (s *links) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// WaitLink returns link number id, counted from 1 in the order of dialling, as soon as there is one, or the error of
// ctx. The link may have been closed since.
func (s *links) WaitLink(ctx context.Context, id int) (*Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = max(id, 1)
	if err := await(ctx, &s.changed, func() bool { return len(s.all) >= id && s.all[id-1].announced }); err != nil {
		return nil, err
	}
	return s.all[id-1], nil
}

// Bytes returns the number of bytes that have crossed in direction dir, on all links ever.
func (s *links) Bytes(dir Direction) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum int64
	for _, l := range s.all {
		sum += l.State().Count(dir).Passed
	}
	return sum
}

// ResetAll is Cut([RST]).
func (s *links) ResetAll() { s.Cut(RST) }

// DropAll is Cut([FIN]).
func (s *links) DropAll() { s.Cut(FIN) }

// add makes a link and shows it to the hook. A nil dialer gets an address of its own.
func (s *links) add(target string, dialer, acceptor net.Addr) *Link {
	s.mu.Lock()
	id := len(s.all) + 1
	if dialer == nil {
		dialer = dialerAddr(id)
	}
	l := newLink(id, target, s.up, s.down, dialer, acceptor)
	s.all = append(s.all, l)
	hook := s.hook
	s.mu.Unlock()
	if hook != nil {
		hook(l)
	}
	s.mu.Lock()
	l.announced = true
	s.changed.Broadcast()
	s.mu.Unlock()
	return l
}

// change implements controlled.
func (s *links) change(dir Direction, set func(*knobs)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if dir&Up != 0 {
		set(&s.up)
	}
	if dir&Down != 0 {
		set(&s.down)
	}
	for _, l := range s.all {
		l.change(dir, set)
	}
}

// cut implements controlled.
func (s *links) cut(mode CutMode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.all {
		l.cut(mode)
	}
}
