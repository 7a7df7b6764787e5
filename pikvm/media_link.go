package pikvm

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// mediaLink is one connection of the media socket: frames in, wishes for key frames out, and the judgement that it is dead.
type mediaLink struct {
	conn    *wsconn.Conn
	format  MediaFormat
	pure    bool
	silence time.Duration // not positive means no limit
	silent  atomic.Bool   // the connection was given up because nothing arrived
	wish    chan struct{} // holds a token while a key frame is to be asked for
}

// read hands every frame to receive, or what is wrong with it, until the connection breaks or life ends. It always returns
// an error, and the connection is closed then.
func (l *mediaLink) read(life context.Context, receive func(MediaFrame, error)) error {
	defer l.conn.CloseNow() // frees what a broken connection holds
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watch.Go(func() { l.watch(ctx, life) })
	watch.Go(func() { l.part(ctx, life) })

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
		if typ != wsconn.Binary {
			if state, err := decodeAnnouncement(p); l.pure && err == nil && state != nil {
				return fmt.Errorf("the device has no pure mode: %w", errkit.Unsupported)
			}
			continue // there is nothing more to be told
		}
		f, ok, err := decodeFrame(p, l.format, l.pure)
		if err == nil && !ok {
			continue
		}
		f.Data, f.Time = bytes.Clone(f.Data), time.Now()
		receive(f, err)
	}
}

// part closes the connection properly when life ends, unless ctx ends first. A peer that does not take part is left to itself,
// also when watch is waiting for it.
func (l *mediaLink) part(ctx, life context.Context) {
	select {
	case <-ctx.Done():
	case <-life.Done():
		_ = l.conn.Close(1000, "") // it is over, whatever comes of it
	}
}

// watch asks for key frames, pings a connection on which nothing arrives, and gives it up when that does not help. It returns
// when one of the contexts ends.
func (l *mediaLink) watch(ctx, life context.Context) {
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
			return
		case <-l.wish:
			_ = l.wishKey() // if it cannot be sent, the reader finds out
			continue
		case <-timer.C:
		}
		idle := time.Since(l.conn.LastRead())
		if idle >= patience && idle < l.silence {
			idle = l.ping(ctx, life, min(patience, l.silence-idle))
		}
		if idle >= l.silence {
			l.silent.Store(true)
			_ = l.conn.CloseNow() // makes read return
			return
		}
		timer.Reset(max(patience-idle, 1))
	}
}

// ping waits for a sign of life, and returns how long there was none.
func (l *mediaLink) ping(ctx, life context.Context, limit time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	_, _ = l.conn.Ping(ctx) // what it means is seen by what was read
	return time.Since(l.conn.LastRead())
}

func (l *mediaLink) wishKey() error { return l.conn.Write(wsconn.Binary, []byte{mediaKeyWish}) }
