package pikvm

import (
	"context"
	"errors"
	"math"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// MediaOptions are the optional settings of [Media.Open]. The zero value is ready to use.
type MediaOptions struct {
	// Format is that of the video. Empty means H.264.
	Format MediaFormat

	// Watch keeps the streamer running as long as the stream lives, by an event socket of its own; without a viewer the
	// device has no video. When that socket opens or closes, the device releases all pressed keys, so a program that has a
	// [Session] with Stream needs no other.
	Watch bool

	// Pure asks for the mode in which the device sends frames and nothing else, since version 4.110; an older device breaks
	// the stream. A format that the device lacks is [ErrInvalidArgument] then.
	Pure bool

	// Buffer is the number of frames kept for a reader that lags behind, 16 MiB of them at most. Zero means 64.
	Buffer int

	// MaxFrame bounds one frame, in bytes; a larger one breaks the stream. Zero means 16 MiB.
	MaxFrame int64

	// SilenceTimeout is how long nothing at all may arrive before the connection counts as lost. After a third of it the
	// stream sends a ping. Zero means 15s, negative means never.
	SilenceTimeout time.Duration
}

const (
	opMedia            = "media.Open"
	defaultMediaBuffer = 64
	maxGreeting        = 16 // messages until the announcement
)

// Open opens a media socket and asks for video, which [MediaStream.Next] returns until [MediaStream.Close]. ctx and the
// client's Timeout limit the opening, and nothing later; for each of the sockets that is the same as for a request.
//
// A slow reader does not slow the device down: what does not fit the buffer is given up, with H.264 up to the next key frame,
// for which the stream asks then, and counted. A device on which the media daemon does not run answers HTTP 502, an [APIError] of kind Unavailable; a format
// that it does not offer is [ErrNotSupported]. Nil options are the defaults.
func (m *Media) Open(ctx context.Context, opts *MediaOptions) (*MediaStream, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if !m.c.enter() {
		return nil, closedError(opMedia, m.c.target, errkit.NotSent)
	}
	s, err := m.open(ctx, &o)
	if err != nil {
		m.c.running.Done()
		return nil, err
	}
	go func() {
		defer m.c.running.Done()
		s.run()
	}()
	return s, nil
}

func (o *MediaOptions) withDefaults() (MediaOptions, error) {
	var opts MediaOptions
	if o != nil {
		opts = *o
	}
	if opts.Format == "" {
		opts.Format = MediaH264
	}
	switch {
	case opts.Format != MediaH264 && opts.Format != MediaJPEG:
		return opts, configurationError(opMedia, "Format", "unknown")
	case opts.Buffer < 0:
		return opts, configurationError(opMedia, "Buffer", "negative")
	case opts.MaxFrame < 0:
		return opts, configurationError(opMedia, "MaxFrame", "negative")
	}
	if opts.Buffer == 0 {
		opts.Buffer = defaultMediaBuffer
	}
	if opts.MaxFrame == 0 {
		opts.MaxFrame = defaultMaxFrame
	}
	if opts.SilenceTimeout == 0 {
		opts.SilenceTimeout = defaultSilence
	}
	return opts, nil
}

func (m *Media) open(ctx context.Context, o *MediaOptions) (*MediaStream, error) {
	s := &MediaStream{client: m.c, buffer: newFrameBuffer(o.Buffer, o.Format), done: make(chan struct{})}
	if o.Watch {
		session, err := m.c.Events(ctx, &EventOptions{Stream: true})
		if err != nil {
			return nil, err
		}
		s.session = session
	}
	conn, err := m.dial(ctx, s, o)
	if err != nil {
		if s.session != nil {
			_ = s.session.Close() // never fails
		}
		return nil, err
	}
	s.link = &mediaLink{
		conn: conn, format: o.Format, pure: o.Pure, silence: o.SilenceTimeout, wish: make(chan struct{}, 1),
	}
	s.life, s.stop = context.WithCancel(m.c.life)
	return s, nil
}

// dial connects, and without pure mode agrees on the format.
func (m *Media) dial(ctx context.Context, s *MediaStream, o *MediaOptions) (*wsconn.Conn, error) {
	query := url.Values{}
	if o.Pure {
		query.Set("video", string(o.Format))
	}
	limit := min(o.MaxFrame, math.MaxInt64-2) + 2 // with its head
	conn, err := m.c.dialSocket(ctx, opMedia, "/api/media/ws", query, limit)
	if err != nil || o.Pure {
		return conn, err
	}
	if s.state, err = m.greeting(ctx, conn); err == nil && !s.state.offers(o.Format) {
		err = &APIError{
			Info:    errkit.Info{Class: ErrNotSupported, Op: opMedia, Target: m.c.target},
			Message: "the device offers no video in this format",
		}
	}
	if err == nil {
		if err = conn.Write(wsconn.Text, encodeStart(o.Format)); err != nil {
			err = socketError(opMedia, m.c.target, err)
		}
	}
	if err != nil {
		_ = conn.CloseNow() // never fails
		return nil, err
	}
	return conn, nil
}

// greeting waits for the announcement of the video.
func (m *Media) greeting(ctx context.Context, conn *wsconn.Conn) (*MediaState, error) {
	op, err := m.c.begin(ctx, opMedia)
	if err != nil {
		return nil, err
	}
	defer op.end()
	defer context.AfterFunc(op.ctx, func() { _ = conn.CloseNow() })()
	for range maxGreeting {
		typ, p, err := conn.Read(nil)
		switch {
		case err != nil && op.ctx.Err() != nil:
			return nil, op.failure(err, true)
		case err != nil:
			return nil, socketError(opMedia, m.c.target, err)
		case typ != wsconn.Text:
			continue
		}
		state, err := decodeAnnouncement(p)
		if err != nil {
			return nil, m.noAnnouncement(err)
		}
		if state != nil {
			return state, nil
		}
	}
	return nil, m.noAnnouncement(errors.New("no announcement of the video"))
}

func (m *Media) noAnnouncement(cause error) error {
	return &WebSocketError{Info: errkit.Info{
		Class: ErrWebSocket, Op: opMedia, Target: m.c.target, Kind: errkit.Protocol, Err: cause,
	}}
}
