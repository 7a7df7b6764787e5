package sioclient

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// join asks the server to let the socket into its namespace. The caller holds the lock.
func (s *Socket) join(l *link) {
	if l.members[s.nsp] != outside {
		return // the answer to an earlier question counts
	}
	l.members[s.nsp] = asked
	s.waitPatiently(l)
	switch {
	case l.old && s.nsp == "/" && l.main:
		l.members[s.nsp] = joined
		s.confirmed(l, confirmation{SID: oldID("/", l.conn.ID())})
	case l.old && s.nsp == "/" && !l.left: // the server connects it by itself
	case l.old:
		l.control(&packet.Packet{Type: packet.Connect, Namespace: s.nsp, Query: s.opts.Query.Encode()})
	case s.opts.AuthFunc != nil:
		l.members[s.nsp] = outside // until the packet is sent
		s.ask(l)
	default:
		s.sendConnect(l, s.auth)
	}
}

// sendConnect asks for the namespace. The caller holds the lock.
func (s *Socket) sendConnect(l *link, auth []byte) {
	l.members[s.nsp] = asked
	l.control(&packet.Packet{Type: packet.Connect, Namespace: s.nsp, Data: s.credentials(auth)})
}

// credentials puts what a recovery needs in front of the program's own.
func (s *Socket) credentials(auth []byte) []byte {
	if s.pid == "" {
		return auth
	}
	session := struct {
		PID    string `json:"pid"`
		Offset string `json:"offset,omitempty"`
	}{s.pid, s.offset}
	raw, err := packet.Marshal(session)
	if err != nil || len(auth) <= len(`{}`) {
		return raw
	}
	return append(append(raw[:len(raw)-1:len(raw)-1], ','), auth[1:]...) // of a name twice the second counts
}

// waitPatiently reports an answer that does not come. The caller holds the lock.
func (s *Socket) waitPatiently(l *link) {
	limit := s.m.opts.Timeout
	if limit <= 0 {
		return
	}
	s.stopPatience()
	s.patience = alarm.After(limit, l, func(l *link) {
		var after deferred
		defer func() { after.run() }()
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		if s.active && s.link == nil && !l.over && s.m.link == l {
			s.waitPatiently(l)
			s.connectFailed(&ConnectionError{
				Info:       errkit.Info{Class: ErrConnectTimeout, Op: "connect", Target: s.m.target},
				Namespaces: []string{s.nsp},
			}, &after)
			s.m.stopIfIdle()
		}
	})
}

func (s *Socket) stopPatience() {
	if s.patience != nil {
		s.patience.Stop()
		s.patience = nil
	}
}

// stopAsking ends what waits for the server's answer. The caller holds the lock.
func (s *Socket) stopAsking() {
	s.stopPatience()
	if s.asking != nil {
		s.asking()
		s.asking = nil
	}
}

// confirmed is told that the server let the socket in. The caller holds the lock.
func (s *Socket) confirmed(l *link, c confirmation) {
	s.stopAsking()
	s.link, s.acker = l, &acker{s: s, l: l}
	s.id = c.SID
	s.recovered = c.PID != "" && c.PID == s.pid
	if !s.recovered {
		s.offset = ""
	}
	s.pid = c.PID
	s.persistent = true
	for _, e := range s.early {
		s.m.counters.received.Add(1)
		s.queue.Force(s.arrived(e.name, e.args, e.id, e.hasID), e.size)
	}
	s.early, s.earlyBytes = nil, 0
	s.flush()
	s.retries.next()
	there := s.watchers.connect.now() // one who comes later, as after Dial, comes for the next time
	s.queue.Tell(func() { s.watchers.connect.eachOf(there, s.guarded, func(f func()) { f() }) })
	s.waiters.end(nil)
}

// connectFailed is told that there is no connection yet. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) connectFailed(err error, after *deferred) {
	if s.link != nil {
		return
	}
	s.tellConnectError(err)
	if !s.m.opts.RetryFirst {
		s.waiters.end(err)
		s.restUnlessWanted(err, after)
	}
}

func (s *Socket) tellConnectError(err error) {
	there := s.watchers.connectError.now()
	s.queue.Tell(func() { s.watchers.connectError.eachOf(there, s.guarded, func(f func(error)) { f(err) }) })
}

// linkEnded is told of the end of a link. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) linkEnded(l *link, reason Reason, err error, quiet bool, after *deferred) {
	if s.link == l {
		s.unlink(reason, err, after)
		return
	}
	if !s.active {
		return
	}
	s.stopAsking()
	s.early, s.earlyBytes = nil, 0
	if !quiet {
		s.connectFailed(&ConnectionError{
			Info:       errkit.Info{Class: ErrConnection, Op: "connect", Target: s.m.target, Kind: errkit.Disconnected, Err: err},
			Namespaces: []string{s.nsp},
		}, after)
	}
}

// unlink is told that the socket is not connected any more. The caller holds the lock.
func (s *Socket) unlink(reason Reason, err error, after *deferred) {
	s.link, s.acker, s.id, s.recovered = nil, nil, "", false
	waiting := s.buffer.unlink()
	fail := s.acks.Detach(func(id uint64) bool { return !waiting[id] })
	after.add(func() { fail(disconnected("call", s.m.target, reason, perhapsSent(err))) })
	there := s.watchers.disconnect.now()
	s.queue.Tell(func() {
		s.watchers.disconnect.eachOf(there, s.guarded, func(f func(Reason, error)) { f(reason, err) })
	})
}

// leave ends the membership by this side's will. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) leave(cause error, after *deferred) {
	if l := s.link; l != nil {
		l.control(&packet.Packet{Type: packet.Disconnect, Namespace: s.nsp})
		delete(l.members, s.nsp)
		if s.nsp == "/" {
			l.main, l.left = false, true
		}
		s.unlink(IOClientDisconnect, nil, after)
	}
	s.rest(cause)
	s.drop(cause, after)
}

// kicked is told that the server ended the membership. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) kicked(cause error, after *deferred) {
	s.unlink(IOServerDisconnect, cause, after)
	end := disconnected("receive", s.m.target, IOServerDisconnect, cause)
	s.rest(end)
	s.drop(end, after)
}

// abandon is told that there are no further attempts, because the server refused or because as many failed as were
// allowed. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) abandon(cause error, after *deferred) {
	s.tellConnectError(cause)
	s.rest(cause)
	s.drop(cause, after)
}
