package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// noReply is what becomes of a request without an answer.
func noReply(kinds errkit.Kind) outcome {
	return outcome{Class: smokerr.ErrNoLink, Kinds: errkit.Connection | kinds, Status: smokerr.StatusNoReply}
}

// TestBrokenLinks checks connections that break at every stage.
func TestBrokenLinks(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
	for _, tc := range []struct {
		name   string
		handle func(conn *netem.Conn, link *netem.Link)
		want   outcome
		cause  error
	}{
		{
			"reset before the answer", func(conn *netem.Conn, _ *netem.Link) { readHead(conn); _ = conn.Reset() },
			noReply(errkit.Disconnected), syscall.ECONNRESET,
		},
		{
			"end before the answer", func(conn *netem.Conn, _ *netem.Link) { readHead(conn) },
			noReply(errkit.Disconnected), io.EOF,
		},
		{
			"end within the head", func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, head[:30])
			}, noReply(errkit.Disconnected), io.ErrUnexpectedEOF,
		},
		{
			"reset within the body", func(conn *netem.Conn, link *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, head+`{"device_id":`)
				_ = link.Wait(context.Background(), func(s netem.State) bool { return s.Down.Read == s.Down.Written })
				_ = conn.Reset()
			}, noReply(errkit.Disconnected), syscall.ECONNRESET,
		},
		{
			"end within the body", func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, head+`{"device_id":"1"}`)
			}, noReply(errkit.Disconnected), io.ErrUnexpectedEOF,
		},
		{
			"no HTTP", func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n\r\n")
			}, noReply(0), nil,
		},
		{
			"malformed chunks", func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
			}, outcome{Class: smokerr.ErrBadAnswer, Kinds: errkit.Protocol, Status: 200}, nil,
		},
		{
			"not compressed although it says so", func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n01234567890123456789")
			}, outcome{Class: smokerr.ErrBadAnswer, Kinds: errkit.Protocol, Status: 200}, nil,
		},
		{
			"refusal that breaks off", func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nbec")
			}, outcome{Class: smokerr.ErrClientFault, Kinds: errkit.Invalid, Status: 400, Text: "bec"}, nil,
		},
		{
			"huge header", func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: ")
				for range 100 {
					_, _ = conn.Write(make([]byte, 1<<10))
				}
			}, noReply(0), nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client := script(t, nil, tc.handle)
			_, err := client.Orders(t.Context()) // a POST: package net/http does not try that again by itself
			checkOutcome(t, err, tc.want)
			if tc.cause != nil && !errors.Is(err, tc.cause) {
				t.Errorf("%v does not match %v", err, tc.cause)
			}
		})
	}
}

// TestUnreachable checks that what certainly was not sent says so.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		cause error
	}{
		{"refused", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}},
		{"no such host", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "hub.test", IsNotFound: true}}},
		{"no route", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, netem.New(nil), func(c *api.Config) {
				c.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, tc.cause }
			})
			for _, endpoint := range endpoints {
				_, err := endpoint.call(t.Context(), client)
				checkOutcome(t, err, noReply(errkit.NotSent))
				response, _ := errors.AsType[*smokerr.ResponseError](err)
				if !response.NoLink() || !response.Retryable() || response.ClientFault() || response.Rejected() {
					t.Errorf("%s: %v", endpoint.name, err)
				}
			}
		})
	}
}

// TestHang checks every call against a hub that takes the request and says nothing, at each stage, under a fake clock.
func TestHang(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		said  string // before the silence
		limit time.Duration
		want  time.Duration
	}{
		{"from the start", "", 0, 40 * time.Second},
		{"within the head", "HTTP/1.1 200 OK\r\nContent-", 0, 40 * time.Second},
		{"within the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", 0, 40 * time.Second},
		{"limit of the caller's choice", "", time.Second, time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := script(t, func(c *api.Config) { c.Timeout = tc.limit }, func(conn *netem.Conn, _ *netem.Link) {
					readHead(conn)
					_, _ = io.WriteString(conn, tc.said)
					_, _ = io.Copy(io.Discard, conn)
				})
				began := time.Now()
				_, err := client.DeviceInfo(t.Context())
				checkOutcome(t, err, noReply(errkit.Timeout))
				if took := time.Since(began); took != tc.want {
					t.Errorf("took %v, want %v", took, tc.want)
				}
				if errors.Is(err, context.DeadlineExceeded) {
					t.Error("it looks like a deadline of the caller")
				}
			})
		})
	}
}

// TestCallerEnds checks that the caller's context decides, and is found in the error.
func TestCallerEnds(t *testing.T) {
	t.Parallel()
	hang := func(conn *netem.Conn, _ *netem.Link) { _, _ = io.Copy(io.Discard, conn) }
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client := script(t, nil, hang)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // longer than the client's own limit
			defer cancel()
			began := time.Now()
			_, _, err := client.Sensors(ctx)
			checkOutcome(t, err, noReply(errkit.Timeout))
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 5*time.Minute {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
	})
	t.Run("cancel", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client := script(t, nil, hang)
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("power fails")
			time.AfterFunc(time.Second, func() { cancel(why) })
			_, _, err := client.Sensors(ctx)
			checkOutcome(t, err, outcome{Class: smokerr.Err, Kinds: errkit.Canceled})
			if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || errkit.Transient(err) {
				t.Errorf("%v", err)
			}
		})
	})
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		client := hub(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("a request") })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, endpoint := range endpoints {
			_, err := endpoint.call(ctx, client)
			checkOutcome(t, err, outcome{Class: smokerr.Err, Kinds: errkit.Canceled | errkit.NotSent})
		}
	})
}

// TestSlowDial checks the limit on connecting, and that a dial does not outlive the client.
func TestSlowDial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := connect(t, netem.New(nil), func(c *api.Config) {
			c.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
			}
		})
		began := time.Now()
		_, err := client.DeviceInfo(t.Context())
		checkOutcome(t, err, noReply(errkit.Timeout|errkit.NotSent))
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.DeviceInfo(ctx)
		checkOutcome(t, err, noReply(errkit.Timeout|errkit.NotSent))
		client.Close() // leaves no dial behind, or the bubble would not end
	})
}

// TestClose checks that Close interrupts calls, waits for them, and that nothing works after it.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := script(t, nil, func(conn *netem.Conn, _ *netem.Link) { _, _ = io.Copy(io.Discard, conn) })
		failed := make(chan error, 1)
		go func() {
			_, err := client.Orders(t.Context())
			failed <- err
		}()
		synctest.Wait()
		client.Close()
		checkOutcome(t, <-failed, outcome{Class: smokerr.ErrClosed, Kinds: errkit.Closed})
		client.Close()
		for _, endpoint := range endpoints {
			_, err := endpoint.call(t.Context(), client)
			checkOutcome(t, err, outcome{Class: smokerr.ErrClosed, Kinds: errkit.Closed | errkit.NotSent})
		}
	})
}

// TestEarlyRefusal checks that the reason of a refusal is seen although the hub stops reading before the body is through.
func TestEarlyRefusal(t *testing.T) {
	t.Parallel()
	client := script(t, nil, func(conn *netem.Conn, link *netem.Link) {
		readHead(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 18\r\nConnection: close\r\n\r\n{\"status\":\"large\"}")
		_ = link.Wait(context.Background(), func(s netem.State) bool { return s.Down.Read == s.Down.Written })
		_ = conn.Reset()
	})
	big := make([]api.Sample, 100_000)
	for i := range big {
		big[i] = api.Sample{Time: time.UnixMilli(int64(i)), Value: "some text"}
	}
	err := client.UploadValues(eventually(t), []api.Series{{Path: "u1", Samples: big}})
	checkOutcome(t, err, outcome{smokerr.ErrClientFault, errkit.TooLarge, 413, "large"})
}

// deafConn takes the head of a request and then fails every write, as when the hub has closed its receiving side.
type deafConn struct {
	net.Conn
	writes int
}

func (c *deafConn) Write(p []byte) (int, error) {
	if c.writes++; c.writes > 1 {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}
	}
	return c.Conn.Write(p)
}

// TestLateExplanation checks that a write that failed waits for the answer that explains it, and not for ever.
func TestLateExplanation(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		late time.Duration
		want outcome
		took time.Duration
	}{
		"in time":  {time.Second, outcome{smokerr.ErrClientFault, errkit.TooLarge, 413, "large"}, time.Second},
		"too late": {time.Minute, noReply(errkit.Disconnected), 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				listener, err := network.Listen("hub.test:80")
				if err != nil {
					t.Fatal(err)
				}
				var hub sync.WaitGroup
				hub.Go(func() {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					readHead(conn)
					time.Sleep(tc.late)
					_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 18\r\nConnection: close\r\n\r\n{\"status\":\"large\"}")
					_, _ = io.Copy(io.Discard, conn)
					_ = conn.Close()
				})
				client := connect(t, network, func(c *api.Config) {
					c.DialContext = func(ctx context.Context, proto, addr string) (net.Conn, error) {
						conn, err := network.DialContext(ctx, proto, addr)
						return &deafConn{Conn: conn}, err
					}
				})
				began := time.Now()
				err = client.UploadBAOB(t.Context(), "k", 1, io.LimitReader(endless{}, 1<<20), 1<<20)
				checkOutcome(t, err, tc.want)
				if took := time.Since(began); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				client.Close()
				_ = listener.Close()
				hub.Wait()
			})
		})
	}
}
