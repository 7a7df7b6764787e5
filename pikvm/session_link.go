package pikvm

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// eventLink is one connection of the event socket: its pings, what is pressed on it, and the judgement that it is dead.
type eventLink struct {
	conn       *wsconn.Conn
	number     uint64        // from 1
	silence    time.Duration // not positive means no limit
	pinger     pinger
	binaryPing atomic.Bool   // the device is known to answer binary pings
	silent     atomic.Bool   // the connection was given up because nothing arrived
	pingWish   chan struct{} // holds a token while watch is to send a ping
	held       []contact     // pressed, oldest first; whoever has the session's turn may use it
}

// pingPatience is how long a ping may be without an answer before another one is sent.
const pingPatience = 5 * time.Second

func newEventLink(conn *wsconn.Conn, number uint64, silence time.Duration) *eventLink {
	return &eventLink{conn: conn, number: number, silence: silence, pingWish: make(chan struct{}, 1)}
}

// watch sends the pings: those that are asked for, and its own, in the way of the device, on a connection on which nothing
// arrives. It gives the connection up when that does not help, and returns when the connection has ended.
func (l *eventLink) watch() {
	patience := l.silence / 3
	timer := time.NewTimer(max(patience, 0))
	defer timer.Stop()
	if l.silence <= 0 {
		timer.Stop()
	}
	for {
		select {
		case <-l.conn.Done():
			return
		case <-l.pingWish:
			l.sendPing()
			continue
		case <-timer.C:
		}
		idle := time.Since(l.conn.LastRead())
		if idle >= l.silence {
			l.silent.Store(true)
			_ = l.conn.CloseNow() // returns nil
			return
		}
		if idle >= patience {
			if _, send := l.pinger.depart(pingPatience); send {
				l.sendPing()
			}
			timer.Reset(min(patience, l.silence-idle))
			continue
		}
		timer.Reset(patience - idle)
	}
}

// end returns the error of a connection that has ended.
func (l *eventLink) end(op, target string) error {
	err := l.conn.Err()
	if l.silent.Load() {
		err = fmt.Errorf("nothing received for %s: %w", l.silence, errkit.Timeout|errkit.Disconnected)
	}
	return socketError(op, target, err)
}

// ping lets watch send a ping unless one is under way, and returns the flight to wait for. It never waits itself: a peer that
// takes nothing holds up nobody but watch.
func (l *eventLink) ping() *flight {
	flight, send := l.pinger.depart(pingPatience)
	if send {
		select {
		case l.pingWish <- struct{}{}:
		default:
		}
	}
	return flight
}

// sendPing sends a ping. If it cannot be sent, the connection ends or silence ends it.
func (l *eventLink) sendPing() {
	binary := l.binaryPing.Load()
	typ := wsconn.Text
	if binary {
		typ = wsconn.Binary
	}
	_ = l.conn.Write(typ, encodePing(binary))
}

// setVersion tells what the device understands. Binary pings exist since kvmd 4.53.
func (l *eventLink) setVersion(v Version) { l.binaryPing.Store(v.AtLeast(4, 53)) }

// socketError tells what it means that an open event socket failed for cause.
func socketError(op, target string, cause error) error {
	closed, ok := errors.AsType[*wsconn.ClosedError](cause)
	switch {
	case !ok:
		return newWebSocketError(ErrWebSocket, op, target, 0, "", cause)
	case closed.Code == noCloseFrame:
		return newWebSocketError(ErrWebSocket, op, target, 0, "", socketCause(cause))
	}
	return newWebSocketError(ErrWebSocket, op, target, closed.Code, closed.Reason, cause)
}

// noCloseFrame stands for a connection that ended without a close frame (RFC 6455 section 7.1.5).
const noCloseFrame = 1006
