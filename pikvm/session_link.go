package pikvm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// eventLink is one connection of the event socket: frames in, pings out, and the judgement that it is dead. It
// knows nothing of reconnecting.
type eventLink struct {
	conn       *wsconn.Conn
	silence    time.Duration // not positive means no limit
	pinger     pinger
	binaryPing atomic.Bool   // the device is known to answer binary pings
	silent     atomic.Bool   // the connection was given up because nothing arrived
	broken     chan struct{} // closed when read has returned
	held       []contact     // pressed, oldest first; whoever has the session's turn may use it
}

// pingPatience is how long a ping may be without an answer before another one is sent.
const pingPatience = 5 * time.Second

func newEventLink(conn *wsconn.Conn, silence time.Duration) *eventLink {
	return &eventLink{conn: conn, silence: silence, broken: make(chan struct{})}
}

// read hands every frame to receive, or what is wrong with it, until the connection breaks or life ends. It
// always returns an error, and the connection is closed then.
func (l *eventLink) read(life context.Context, receive func(eventFrame, error)) error {
	defer close(l.broken)
	defer l.conn.CloseNow() // frees what a broken connection holds
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watch.Go(func() { l.watch(ctx, life) })

	var buf []byte
	for {
		typ, p, err := l.conn.Read(buf)
		if err != nil {
			if life.Err() == nil {
				_ = l.conn.CloseNow() // ends a write of watch; a close handshake of its own it may finish
			}
			if l.silent.Load() {
				err = fmt.Errorf("nothing received for %s: %w", l.silence, errkit.Timeout|errkit.Disconnected)
			}
			return err
		}
		buf = p
		if typ == wsconn.Binary {
			if isPong(p) {
				l.pinger.land()
			}
			continue // other opcodes are for clients that are newer than this one
		}
		f, err := decodeEvent(p)
		if err == nil && f.name == eventPong {
			l.pinger.land()
			continue
		}
		receive(f, err)
	}
}

// watch pings a connection on which nothing arrives, gives it up when that does not help, and closes it properly
// when life ends. It returns when ctx ends.
func (l *eventLink) watch(ctx, life context.Context) {
	patience := l.silence / 3
	timer := time.NewTimer(max(patience, 0))
	defer timer.Stop()
	if l.silence <= 0 {
		timer.Stop()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-life.Done():
			_ = l.conn.Close(1000, "") // a peer that does not take part is left to itself
			return
		case <-timer.C:
		}
		idle := time.Since(l.conn.LastRead())
		if idle >= l.silence {
			l.silent.Store(true)
			_ = l.conn.CloseNow() // makes read return
			return
		}
		if idle >= patience {
			_, _ = l.ping() // if it cannot be sent, the reader finds out or silence does
			timer.Reset(min(patience, l.silence-idle))
			continue
		}
		timer.Reset(patience - idle)
	}
}

// ping sends a ping unless one is under way, and returns the flight to wait for.
func (l *eventLink) ping() (*flight, error) {
	flight, send := l.pinger.depart(pingPatience)
	if !send {
		return flight, nil
	}
	typ := wsconn.Text
	binary := l.binaryPing.Load()
	if binary {
		typ = wsconn.Binary
	}
	return flight, l.conn.Write(typ, encodePing(binary))
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
