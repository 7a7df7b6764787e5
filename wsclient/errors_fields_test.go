package wsclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// logged returns the attributes of an error as a JSON log has them, without message, class and kinds.
func logged(t *testing.T, err error) map[string]any {
	t.Helper()
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).LogAttrs(context.Background(), slog.LevelWarn, "x", errkit.Attr(err))
	var record struct{ Error map[string]any }
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"msg", "class", "kinds", "op", "target", "transient"} {
		delete(record.Error, key)
	}
	return record.Error
}

func checkLog(t *testing.T, err error, want map[string]any) {
	t.Helper()
	if d := cmp.Diff(want, logged(t, err)); d != "" {
		t.Errorf("%T in a log (-want +got):\n%s", err, d)
	}
}

// isNet reports whether err is a net.Error, and what that says of a timeout.
func isNet(t *testing.T, err error, timeout bool) {
	t.Helper()
	if e, ok := errors.AsType[net.Error](err); !ok || e.Timeout() != timeout {
		t.Errorf("%v: net.Error %v, want Timeout() %v", err, ok, timeout)
	}
}

func TestEC01ConnectionError(t *testing.T) {
	t.Parallel()
	zero := &wsclient.ConnectionError{}
	if zero.URL != "" || zero.Attempts != 0 || zero.Err != nil || zero.Error() != "" {
		t.Errorf("zero value: %+v", zero)
	}
	refused := connection(url, syscall.ECONNREFUSED)
	isNet(t, refused, false)
	isNet(t, connection(url, os.ErrDeadlineExceeded), true)
	if !errors.Is(refused, wsclient.ErrConnection) || !errors.Is(refused, syscall.ECONNREFUSED) || errors.Is(refused, wsclient.ErrTimeout) {
		t.Errorf("%v matches the wrong things", refused)
	}
	checkLog(t, &wsclient.ConnectionError{
		Info: errkit.Info{Class: wsclient.ErrConnection, Attempts: 4}, URL: url, Endpoint: 1, Elapsed: time.Second,
	}, map[string]any{"attempts": 4.0, "url": url, "endpoint": 1.0, "elapsed": 1e9})
}

func TestEC02ClosedError(t *testing.T) {
	t.Parallel()
	if got := (&wsclient.ClosedError{}).Error(); got != "code 1006" {
		t.Errorf("the zero value prints %q", got)
	}
	frame := websocket.CloseError{Code: 4000, Reason: "why"}
	remote := wserr.Closed("receive", url, 4000, "why", frame)
	if websocket.CloseStatus(remote) != 4000 || !remote.Remote || errors.Is(remote, net.ErrClosed) {
		t.Errorf("%#v: the close frame cannot be reached", remote)
	}
	local := wserr.ClosedHere("close", url, 1000, "")
	if !errors.Is(local, net.ErrClosed) || local.Remote {
		t.Errorf("%#v is not closed", local)
	}
	isNet(t, remote, false)
	remote.Gen = 7
	checkLog(t, remote, map[string]any{"code": 4000.0, "reason": "why", "remote": true, "gen": 7.0})
}

func TestEC03TimeoutError(t *testing.T) {
	t.Parallel()
	own := timeout(url, nil)
	if !errors.Is(own, os.ErrDeadlineExceeded) || errors.Is(own, context.DeadlineExceeded) || errors.Is(own, wsclient.ErrConnection) {
		t.Errorf("%v matches the wrong things", own)
	}
	if callers := timeout(url, context.DeadlineExceeded); !errors.Is(callers, context.DeadlineExceeded) {
		t.Errorf("%v does not match the caller's deadline", callers)
	}
	isNet(t, own, true)
	checkLog(t, &wsclient.TimeoutError{
		Info: errkit.Info{Class: wsclient.ErrTimeout, Attempts: 3}, Limit: time.Second, URL: url,
	}, map[string]any{"attempts": 3.0, "limit": 1e9, "url": url})
}

func TestEC04ReconnectError(t *testing.T) {
	t.Parallel()
	loss := wserr.Closed("receive", url, 1006, "", io.EOF)
	err := &wsclient.ReconnectError{
		Info:   errkit.Info{Class: wsclient.ErrReconnect, Attempts: 5, Err: connection(url, syscall.ECONNREFUSED)},
		Outage: 2, Cause: loss,
	}
	for _, target := range []error{wsclient.ErrReconnect, syscall.ECONNREFUSED, io.EOF, wsclient.ErrClosed, wsclient.ErrConnection} {
		if !errors.Is(err, target) {
			t.Errorf("%v does not match %v", err, target)
		}
	}
	if errors.Is(err, wsclient.ErrReconnectDisabled) || errkit.Transient(err) {
		t.Errorf("%v matches the wrong things", err)
	}
	isNet(t, err, false)
	only := &wsclient.ReconnectError{Info: errkit.Info{Class: wsclient.ErrReconnect, Err: loss}}
	if causes := only.Unwrap(); len(causes) != 1 || len((&wsclient.ReconnectError{}).Unwrap()) != 0 {
		t.Errorf("causes %v, want one", causes)
	}
	checkLog(t, err, map[string]any{"attempts": 5.0, "outage": 2.0, "terminal": false, "disabled": false})
}

func TestEC05ProtocolError(t *testing.T) {
	t.Parallel()
	err := tooBig(url, websocket.ErrMessageTooBig)
	e, ok := errors.AsType[*wsclient.ProtocolError](err)
	if !ok || e.CloseCode != 1009 || !errors.Is(err, websocket.ErrMessageTooBig) || !errors.Is(err, wsclient.ErrProtocol) {
		t.Errorf("%#v", err)
	}
	checkLog(t, err, map[string]any{
		"protocol_error": "message too big", "close_code": 1009.0, "size": 2000.0, "limit": 1000.0,
		"direction": "in",
	})
	broken := wserr.Decode("receive", "feed.Trade", []byte("{"), errBoom)
	if !errors.Is(broken, wsclient.ErrDecode) || !errors.Is(broken, wsclient.ErrProtocol) || errkit.Transient(broken) {
		t.Errorf("%#v matches the wrong things", broken)
	}
	checkLog(t, broken, map[string]any{"protocol_error": "", "close_code": 0.0, "type": "feed.Trade", "size": 1.0})
}

func TestEC06QueueFullError(t *testing.T) {
	t.Parallel()
	err := queueFull(url, nil)
	if !errkit.Transient(err) || !errors.Is(err, errkit.NotSent) {
		t.Errorf("%v is not worth another try", err)
	}
	isNet(t, err, false)
	checkLog(t, &wsclient.QueueFullError{
		Info: errkit.Info{Class: wsclient.ErrQueueFull}, QueueSize: 100, DroppedCount: 1400,
		Direction: wsclient.Inbound, Bytes: 4096,
	}, map[string]any{"queue_size": 100.0, "dropped_count": 1400.0, "direction": "in", "bytes": 4096.0})
}

func TestEC07HandshakeError(t *testing.T) {
	t.Parallel()
	transient := map[int]bool{
		200: true, 301: true, 400: false, 401: false, 403: false, 404: false, 408: true, 410: false, 425: true, 426: false,
		429: true, 500: true, 501: false, 502: true, 503: true, 504: true, 520: true,
	}
	for status, want := range transient {
		err := &wsclient.HandshakeError{StatusCode: status}
		err.Class, err.Kind = wserr.HandshakeClass(status), errkit.HTTPKind(status)
		if got := errkit.Transient(err); got != want {
			t.Errorf("%d: transient %v, want %v", status, got, want)
		}
		if !errors.Is(err, wsclient.ErrHandshake) || !errors.Is(err, wsclient.ErrConnection) ||
			errors.Is(err, wsclient.ErrUnauthorized) != (status == 401) ||
			errors.Is(err, wsclient.ErrForbidden) != (status == 403) ||
			errors.Is(err, wsclient.ErrRateLimited) != (status == 429) {
			t.Errorf("%d: class %s", status, err.Class.Code())
		}
	}
	if wserr.HandshakeClass(407) != wsclient.ErrUnauthorized {
		t.Error("a proxy that wants credentials is not taken for one")
	}
	err := handshake(url, nil)
	isNet(t, err, false)
	if d, ok := errkit.RetryAfter(err); !ok || d != time.Minute {
		t.Errorf("Retry-After %v, %v", d, ok)
	}
	checkLog(t, err, map[string]any{
		"url": url, "endpoint": 0.0, "elapsed": 0.0, "status": 503.0, "retry_after": "1m0s",
	})
}

func TestEC08OtherErrors(t *testing.T) {
	t.Parallel()
	checkLog(t, wserr.Config("new", "url", "not a URL"), map[string]any{"field": "url"})
	checkLog(t, wrongState(url, nil), map[string]any{"state": "connected"})
	checkLog(t, drain(url, nil), map[string]any{"unsent": 3.0, "unacked": 1.0})
	checkLog(t, wserr.Spool("spool.write", "/x", syscall.ENOSPC), map[string]any{"path": "/x"})
	for code, want := range map[int]bool{
		1000: true, 1001: true, 1002: false, 1003: false, 1005: true, 1006: true, 1007: false, 1008: false, 1009: false,
		1010: false, 1011: true, 1012: true, 1013: true, 1014: true, 3000: false, 3003: false, 3008: true,
	} {
		if got := errkit.Transient(wserr.Closed("receive", url, code, "", nil)); got != want {
			t.Errorf("%d: transient %v, want %v", code, got, want)
		}
	}
	for err, want := range map[*errkit.Class]bool{
		wsclient.ErrConfig: false, wsclient.ErrGiveUp: false, wsclient.ErrCanceled: false, wsclient.ErrState: false,
		wsclient.ErrExpired: true, wsclient.ErrShuttingDown: false, wsclient.ErrConnection: true,
	} {
		if got := errkit.Transient(err.Wrap("send", "", nil)); got != want {
			t.Errorf("%s: transient %v, want %v", err.Code(), got, want)
		}
	}
}
