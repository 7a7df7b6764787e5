package ngtt

import (
	"context"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// StreamLogs sends log records over the link, as devices did before version 0.18.3 of the original client; today's hub
// takes them over HTTP. logs is whatever [minijson.Marshal] encodes as a list of records.
//
// There is no answer: nil means that the records are on their way. Without a connection the error matches
// [ErrNotConnected].
func (c *Client) StreamLogs(ctx context.Context, logs any) error {
	const op = "StreamLogs"
	s, body, err := c.upload(op, logs)
	if err != nil {
		return err
	}
	return s.Send(ctx, op, wire.Frame{Type: wire.TypeLogs, Body: body}, nil)
}

// SyncPathpoints sends pathpoint data over the link and waits for the hub's verdict, as devices did before version
// 0.18.3 of the original client; today's hub takes it over HTTP. data is whatever [minijson.Marshal] encodes as the
// hub wants it.
//
// The errors: *[DataStreamSyncFailedError] when the hub declines the data; *[ConnectionFailedError] when there is no
// connection ([ErrNotConnected]), when it ends before the answer, or when 32768 requests are under way; that of ctx.
// Unless the error is errkit.NotSent, the hub may have taken the data.
func (c *Client) SyncPathpoints(ctx context.Context, data any) error {
	const op = "SyncPathpoints"
	s, body, err := c.upload(op, data)
	if err != nil {
		return err
	}
	id, answer, err := s.Request(ctx, op, wire.TypeDataStream, body)
	if err == nil && answer == wire.TypeDataStreamReject {
		return &ngtterr.DataStreamSyncFailedError{
			Info: errkit.Info{Class: ngtterr.ErrDataStreamSyncFailed, Op: op, Target: c.dialer.Addr}, TID: id,
		}
	}
	return err
}

// upload encodes a body and finds the connection for it.
func (c *Client) upload(op string, v any) (*session, []byte, error) {
	s, err := c.connected(op)
	if err != nil {
		return nil, nil, err
	}
	body, err := minijson.Marshal(v)
	return s, body, err
}
