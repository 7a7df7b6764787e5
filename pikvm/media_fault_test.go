package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestMediaRefused: a handshake that the device refuses has the type that a request would have; nothing is left.
func TestMediaRefused(t *testing.T) {
	t.Parallel()
	fault := func(kind pikvmtest.FaultKind, status int, header http.Header) func(f *fake) {
		return func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: kind, Path: "/api/media/ws", Status: status, Header: header, Times: 1})
		}
	}
	for name, tc := range map[string]struct {
		phase    func(f *fake)
		password string
		want     failure
	}{
		"daemon absent": {
			phase: func(f *fake) { f.SetMedia(false) },
			want:  failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502},
		},
		"wrong password": {
			phase: func(*fake) {}, password: "wrong",
			want: failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403},
		},
		"page 401": {
			phase: fault(pikvmtest.FaultPage, 401, nil),
			want:  failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 401},
		},
		"page 403": {
			phase: fault(pikvmtest.FaultPage, 403, nil),
			want:  failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403},
		},
		"redirect": {
			phase: fault(pikvmtest.FaultAnswer, 302, http.Header{"Location": {"/login"}}),
			want:  failure{Type: "RedirectError", Class: pikvm.ErrRedirect, Kinds: errkit.Unsupported, Status: 302},
		},
		"no upgrade": {
			phase: fault(pikvmtest.FaultAnswer, 200, nil),
			want:  failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200},
		},
		"reset": {
			phase: fault(pikvmtest.FaultReset, 0, nil),
			want:  failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Disconnected},
		},
		"no answer": {
			phase: fault(pikvmtest.FaultHang, 0, nil),
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: 10 * time.Second,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, watched(""), &pikvm.Options{Password: tc.password}, func(t *testing.T, f *fake) {
				tc.phase(f)
				_, err := f.client.Media.Open(t.Context(), nil)
				tc.want.check(t, err)
				if f.MediaClients() != 0 {
					t.Error("a socket is left")
				}
				f.SetMedia(true)
				if tc.password == "" {
					nextFrame(t, f.openMedia(t, nil))
				}
			})
		})
	}
	inBubble(t, nil, nil, func(t *testing.T, f *fake) { // the viewer, and then not the video
		f.SetMedia(false)
		_, err := f.client.Media.Open(t.Context(), &pikvm.MediaOptions{Watch: true})
		failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502}.check(t, err)
		f.leftAlone(t)
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/ws", Status: 401})
		_, err = f.client.Media.Open(t.Context(), &pikvm.MediaOptions{Watch: true})
		failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 401}.check(t, err)
	})
}

// TestMediaBreaks: whatever ends a stream, its reader gets what was left and then learns why.
func TestMediaBreaks(t *testing.T) {
	t.Parallel()
	type broken struct {
		kind errkit.Kind
		code int
		took time.Duration
	}
	for name, tc := range map[string]struct {
		fault func(f *fake)
		want  broken
	}{
		"close frame":             {func(f *fake) { f.DropMedia(1001) }, broken{errkit.Disconnected | errkit.Unavailable, 1001, 0}},
		"daemon stopped":          {func(f *fake) { f.SetMedia(false) }, broken{errkit.Disconnected | errkit.Unavailable, 1001, 0}},
		"reset":                   {func(f *fake) { f.DropMedia(0) }, broken{errkit.Disconnected, 0, 0}},
		"end without close frame": {func(f *fake) { f.network.DropAll() }, broken{errkit.Disconnected, 0, 0}},
		"daemon falls silent":     {func(f *fake) { f.SilenceMedia() }, broken{errkit.Disconnected | errkit.Timeout, 0, 15 * time.Second}},
		"link vanishes":           {func(f *fake) { f.network.HalfOpen() }, broken{errkit.Disconnected | errkit.Timeout, 0, 15 * time.Second}},
		"frame over the limit": {func(f *fake) {
			f.EmitMedia(true, append([]byte("\x01\x01\x00\x00\x01\x65"), make([]byte, 1000)...))
		}, broken{errkit.TooLarge, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, watched(""), nil, func(t *testing.T, f *fake) {
				s := f.openMedia(t, &pikvm.MediaOptions{MaxFrame: 1000})
				nextFrame(t, s)
				time.Sleep(time.Second)
				synctest.Wait()
				begin := time.Now()
				tc.fault(f)
				var last error
				left := 0
				for _, err := range s.Frames(within(t, time.Minute)) {
					left++
					last = err
				}
				ws, ok := errors.AsType[*pikvm.WebSocketError](last)
				if !ok || ws.Code != tc.want.code || !errors.Is(last, tc.want.kind) || s.Err() != last || left < 20 {
					t.Errorf("after %d frames: %v (%v)", left, last, s.Err())
				}
				if took := time.Since(begin); took < tc.want.took-time.Second || took > tc.want.took+time.Second {
					t.Errorf("known after %v, want about %v", took, tc.want.took)
				}
				<-s.Done()
				if err := s.RequestKeyFrame(); err == nil {
					t.Error("a key frame of a stream that has ended")
				}
				if _, err := s.Next(t.Context()); err != last || s.Close() != nil || s.Err() != last {
					t.Errorf("afterwards: %v", err)
				}
				if name == "link vanishes" || name == "end without close frame" {
					return
				}
				f.SetMedia(true)
				nextFrame(t, f.openMedia(t, nil))
			})
		})
	}
}

// TestMediaSilenceOff: then a dead link stays.
func TestMediaSilenceOff(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, &pikvm.MediaOptions{SilenceTimeout: -1})
		f.network.HalfOpen()
		_, err := s.Next(within(t, time.Hour))
		if !errors.Is(err, context.DeadlineExceeded) || s.Err() != nil {
			t.Errorf("%v, ended by %v", err, s.Err())
		}
	})
}

// TestMediaLosesViewer: a session that gives up ends the stream, as nothing would come any more.
func TestMediaLosesViewer(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, &pikvm.MediaOptions{Watch: true})
		nextFrame(t, s)
		f.Restart(time.Second) // it comes back
		time.Sleep(20 * time.Second)
		if s.Err() != nil || f.Sockets() != 1 {
			t.Errorf("ended by %v", s.Err())
		}
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/ws", Status: 403, Body: []byte(forbidden)})
		f.DropSockets(1001)
		<-s.Done()
		failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403}.check(t, s.Err())
		if err := f.WaitMediaClients(within(t, time.Second), 0); err != nil {
			t.Error("the media socket is left")
		}
	})
}

// TestMediaOldDevice: before 4.110 there is no pure mode, and before 4.28 nothing at all.
func TestMediaOldDevice(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{Version: "4.109"}, nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, &pikvm.MediaOptions{Pure: true})
		_, err := s.Next(within(t, time.Minute))
		failure{Type: "WebSocketError", Class: pikvm.ErrWebSocket}.check(t, err)
		if !errors.Is(err, errkit.Unsupported) || !strings.Contains(err.Error(), "no pure mode") {
			t.Errorf("error %v", err)
		}
	})
	inBubble(t, &pikvmtest.Options{Version: "4.27"}, nil, func(t *testing.T, f *fake) {
		_, err := f.client.Media.Open(t.Context(), nil)
		failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502}.check(t, err)
	})
}

// TestMediaGreetings that are none.
func TestMediaGreetings(t *testing.T) {
	t.Parallel()
	protocol := failure{Type: "WebSocketError", Class: pikvm.ErrWebSocket, Kinds: errkit.Protocol}
	for name, tc := range map[string]struct {
		messages []string // b: binary, otherwise text
		end      bool
		want     failure
	}{
		"malformed":      {messages: []string{"{"}, want: protocol},
		"without video":  {messages: []string{`{"event_type":"media","event":{}}`}, want: protocol},
		"another device": {messages: strings.Split(strings.Repeat(`{"event_type":"x"} `, 20), " ")[:20], want: protocol},
		"frames":         {messages: strings.Split(strings.Repeat("b ", 20), " ")[:20], want: protocol},
		"end": {end: true, want: failure{
			Type: "WebSocketError", Class: pikvm.ErrWebSocket, Kinds: errkit.Disconnected,
		}},
		"nothing": {want: failure{
			Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: 10 * time.Second,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
					conn, err := wsconn.Accept(w, r, nil)
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.CloseNow()
					for _, m := range tc.messages {
						typ := wsconn.Text
						if m == "b" {
							typ = wsconn.Binary
						}
						_ = conn.Write(typ, []byte(m)) // the client may have enough
					}
					if tc.end {
						_ = conn.Close(1000, "")
					}
					for err == nil {
						_, _, err = conn.Read(nil)
					}
				})
				c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
				_, err := c.Media.Open(t.Context(), nil)
				tc.want.check(t, err)
			})
		})
	}
}

// TestMediaStalledPeer: a peer that takes the upgrade and then nothing more delays nobody for long.
func TestMediaStalledPeer(t *testing.T) {
	t.Parallel()
	inBubble(t, watched(""), nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, nil)
		nextFrame(t, s)
		f.SilenceMedia()
		begin := time.Now()
		if err := s.Close(); err != nil || time.Since(begin) > time.Second {
			t.Errorf("closing took %v: %v", time.Since(begin), err)
		}
	})
	inBubble(t, watched(""), nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, nil)
		nextFrame(t, s)
		f.network.Stall(netem.Both)
		if _, err := s.Ping(within(t, 3*time.Second)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ping: %v", err)
		}
		f.network.Resume(netem.Both)
		if _, err := s.Ping(t.Context()); err != nil || s.Err() != nil {
			t.Errorf("afterwards: %v, %v", err, s.Err())
		}
	})
}

// TestMediaCloseWhileWishIsStuck: a stream that asks a peer for a key frame, which takes nothing any more, closes all the same.
func TestMediaCloseWhileWishIsStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(&netem.Options{Window: 256})
		full, end := make(chan struct{}), make(chan struct{})
		defer close(end)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			conn, err := wsconn.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			_ = conn.Write(wsconn.Text, []byte(`{"event_type":"media","event":{"video":{"h264":{"profile_level_id":"42E01F"}}}}`))
			if _, _, err := conn.Read(nil); err != nil {
				t.Error(err)
			}
			<-full // of wishes that nobody reads
			for _, frame := range []string{"\x01\x01\x00\x00\x01\x65", "\x01\x00\x00\x00\x01\x41", "\x01\x00\x00\x00\x01\x41"} {
				_ = conn.Write(wsconn.Binary, []byte(frame)) // the client may be gone
			}
			<-end
		})
		s, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Media.Open(t.Context(), &pikvm.MediaOptions{Buffer: 1})
		if err != nil {
			t.Fatal(err)
		}
		wishes := make(chan error)
		go func() {
			for {
				if err := s.RequestKeyFrame(); err != nil {
					wishes <- err
					return
				}
			}
		}()
		synctest.Wait()
		close(full)
		synctest.Wait()
		if lost := s.Stats().Lost; lost == 0 {
			t.Fatal("the reader was not too slow")
		}
		begin := time.Now()
		_ = s.Close()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("closing took %v", took)
		}
		if err := <-wishes; !errors.Is(err, pikvm.ErrClosed) {
			t.Errorf("wish: %v", err)
		}
	})
}
