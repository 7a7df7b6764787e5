package wsconn_test

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// Messages of any length arrive as they were, masked, in one frame each.
func TestWriteFrames(t *testing.T) {
	t.Parallel()
	sizes := []int{0, 1, 3, 4, 125, 126, 127, 255, 256, 257, 65535, 65536, 65537, 200_001}
	frames := make(chan wstest.Frame, 100)
	c := dialScript(t, nil, upgraded(func(s *wstest.Session) error {
		for {
			f, err := s.Next()
			if err != nil {
				return nil
			}
			frames <- f
		}
	}))
	var batch []wsconn.Message
	for _, n := range sizes {
		msg := make([]byte, n)
		for i := range msg {
			msg[i] = byte(i * 7)
		}
		batch = append(batch, wsconn.Message{Type: wsconn.Binary, Data: msg})
	}
	batch = append(batch, wsconn.Message{Type: wsconn.Text, Data: []byte("grün")})
	keys := make(map[[4]byte]int)
	check := func(m wsconn.Message) {
		t.Helper()
		f := <-frames
		if int(f.Opcode) != int(m.Type) || f.More || f.RSV != 0 || !f.Masked {
			t.Errorf("got %v", f)
		}
		if !bytes.Equal(f.Payload, m.Data) {
			t.Errorf("message of %d bytes arrived as another of %d", len(m.Data), len(f.Payload))
		}
		keys[f.Key]++
	}
	for _, m := range batch {
		before := bytes.Clone(m.Data)
		if err := c.Write(m.Type, m.Data); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, m.Data) {
			t.Error("the caller's data was changed")
		}
		check(m)
	}
	if n, err := c.WriteBatch(batch); n != len(batch) || err != nil {
		t.Fatal(n, err)
	}
	for _, m := range batch {
		check(m)
	}
	if len(keys) != 2*len(batch) {
		t.Errorf("%d keys for %d frames", len(keys), 2*len(batch))
	}
}

// A batch is one write to the network, as long as it fits; a lone message is one too, and goes out at once.
func TestBatchIsOneWrite(t *testing.T) {
	t.Parallel()
	c := dialScript(t, nil, upgraded(discard))
	writes := func(send func() error) int64 {
		t.Helper()
		before := c.Stats().Writes
		if err := send(); err != nil {
			t.Fatal(err)
		}
		return c.Stats().Writes - before
	}
	batch := make([]wsconn.Message, 400)
	for i := range batch {
		batch[i] = wsconn.Message{Type: wsconn.Binary, Data: make([]byte, 128)}
	}
	got := map[string]int64{
		"lone":       writes(func() error { return c.Write(wsconn.Binary, make([]byte, 128)) }),
		"lone 4 KiB": writes(func() error { return c.Write(wsconn.Binary, make([]byte, 4096)) }),
		"batch":      writes(func() error { _, err := c.WriteBatch(batch); return err }),
		"empty":      writes(func() error { _, err := c.WriteBatch(nil); return err }),
		"large":      writes(func() error { return c.Write(wsconn.Binary, make([]byte, 1<<20)) }),
	}
	expected := map[string]int64{"lone": 1, "lone 4 KiB": 1, "batch": 1, "empty": 0, "large": 17}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Error("-want +got", diff)
	}
}

// What must not be sent is turned down, whole batches of it, and nothing changes.
func TestWriteBadInput(t *testing.T) {
	t.Parallel()
	c := dialScript(t, nil, upgraded((*wstest.Session).Echo))
	before := c.Stats()
	_, batchErr := c.WriteBatch([]wsconn.Message{{wsconn.Text, []byte("good")}, {wsconn.Text, []byte("bad \xff")}})
	for field, err := range map[string]error{
		"type": c.Write(0, nil), "text": batchErr,
	} {
		if e := want[*wsconn.ConfigError](t, err); e.Field != field || !errors.Is(err, errkit.Invalid|errkit.NotSent) {
			t.Errorf("got %v", err)
		}
	}
	want[*wsconn.ConfigError](t, c.Write(8, nil))
	if diff := cmp.Diff(before, c.Stats()); diff != "" {
		t.Error("something was sent: -before +after", diff)
	}
	if err := c.Write(wsconn.Binary, []byte("bad \xff")); err != nil {
		t.Error(err)
	}
	if _, msg, err := c.Read(nil); err != nil || string(msg) != "bad \xff" {
		t.Errorf("%q, %v", msg, err)
	}
}

// A peer that takes nothing is given up; one that takes little is not.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	t.Run("stalled", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			opts := wsconn.DialOptions{Options: wsconn.Options{WriteTimeout: 4 * time.Second}}
			c, _ := connectScript(t, n, opts, upgraded((*wstest.Session).Hold))
			done := read(c)
			start := time.Now()
			err := c.Write(wsconn.Binary, make([]byte, 1<<20))
			took := time.Since(start)
			e := want[*wsconn.TimeoutError](t, err)
			if e.Op != "send" || e.Limit != 4*time.Second || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if took < 4*time.Second || took > 6*time.Second {
				t.Errorf("took %v", took)
			}
			if err := <-done; err != error(e) {
				t.Errorf("the reader got %v", err)
			}
		})
	})
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			opts := wsconn.DialOptions{Options: wsconn.Options{WriteTimeout: 2 * time.Second}}
			p := connect(t, n, opts, wsconn.AcceptOptions{})
			p.link.Bandwidth(netem.Up, 5000)
			start := time.Now()
			got := make(chan int, 1)
			go func() {
				_, msg, err := p.server.Read(nil)
				if err != nil {
					t.Error(err)
				}
				got <- len(msg)
			}()
			if err := p.client.Write(wsconn.Binary, make([]byte, 500_000)); err != nil {
				t.Fatal(err)
			}
			if n := <-got; n != 500_000 || time.Since(start) < time.Minute {
				t.Errorf("%d bytes after %v", n, time.Since(start))
			}
		})
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{Options: wsconn.Options{WriteTimeout: -1}}, wsconn.AcceptOptions{})
			p.link.Stall(netem.Up)
			time.AfterFunc(time.Hour, func() { p.link.Resume(netem.Up) })
			read(p.server)
			if err := p.client.Write(wsconn.Binary, make([]byte, 500_000)); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("idle for long", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
			read(p.server)
			for _, pause := range []time.Duration{time.Second, 9 * time.Second, 11 * time.Second, time.Hour} {
				time.Sleep(pause)
				if err := p.client.Write(wsconn.Text, []byte("still here")); err != nil {
					t.Fatalf("after %v: %v", pause, err)
				}
			}
		})
	})
}

// When a connection breaks during a batch, the number of messages sent is exact: the peer has no message whole that is
// not counted, and at the most the cut decides about the last one.
func TestBatchCutAtEveryByte(t *testing.T) {
	batch := make([]wsconn.Message, 5)
	length := 0
	for i := range batch {
		data := bytes.Repeat([]byte{byte('a' + i)}, i*3)
		batch[i] = wsconn.Message{Type: wsconn.Text, Data: data}
		length += 6 + len(data)
	}
	for _, mode := range []netem.CutMode{netem.RST, netem.Silence} {
		t.Run(mode.String(), func(t *testing.T) {
			for cut := range length {
				inBubble(t, func(t *testing.T, n *netem.Network) {
					p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
					p.link.Window(netem.Up, 1) // no byte is taken that does not cross
					p.link.CutAfter(netem.Up, int64(cut), mode)
					received := make(chan int, 1)
					go func() {
						for i := 0; ; i++ {
							if _, _, err := p.server.Read(nil); err != nil {
								received <- i
								return
							}
						}
					}()
					sent, err := p.client.WriteBatch(batch)
					if err == nil && cut < length-1 {
						t.Fatalf("cut after %d of %d bytes: no error", cut, length)
					}
					if err != nil && !errors.Is(err, wsconn.ErrClosed) && !errors.Is(err, wsconn.ErrTimeout) {
						t.Errorf("got %v", err)
					}
					p.server.CloseNow()
					if got := <-received; sent < got || sent > got+1 {
						t.Errorf("cut after %d of %d bytes: sent %d, received %d", cut, length, sent, got)
					}
				})
			}
		})
	}
}

// A write that fails because the peer has closed reports why the peer did, whether or not somebody reads just then.
func TestWriteFailsForTheReasonGiven(t *testing.T) {
	t.Parallel()
	closing := upgraded(func(s *wstest.Session) error {
		time.Sleep(time.Second)
		return errors.Join(s.Send(wstest.CloseFrame(1008, "policy")), s.Close())
	})
	check := func(t *testing.T, err error) {
		if e := want[*wsconn.ClosedError](t, err); e.Code != 1008 || e.Reason != "policy" {
			t.Errorf("the writer got %v", err)
		}
	}
	t.Run("with a reader", func(t *testing.T) {
		inBubble(t, func(t *testing.T, n *netem.Network) {
			c, _ := connectScript(t, n, wsconn.DialOptions{}, closing)
			done := read(c)
			err := c.Write(wsconn.Binary, make([]byte, 1<<20)) // blocks, and fails when the peer closes
			check(t, err)
			if got := <-done; got != err {
				t.Errorf("the reader got %v", got)
			}
		})
	})
	t.Run("without", func(t *testing.T) {
		inBubble(t, func(t *testing.T, n *netem.Network) {
			c, _ := connectScript(t, n, wsconn.DialOptions{}, closing)
			err := c.Write(wsconn.Binary, make([]byte, 1<<20))
			check(t, err)
			if _, _, got := c.Read(nil); got != err {
				t.Errorf("then %v", got)
			}
		})
	})
}

// Without a reader, the error of the write is the cause.
func TestWriteToResetConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded((*wstest.Session).RST))
		time.Sleep(time.Second)
		err := c.Write(wsconn.Text, []byte("x"))
		e := want[*wsconn.ClosedError](t, err)
		if e.Code != 1006 || e.Op != "send" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v", err)
		}
		if _, _, again := c.Read(nil); again != err {
			t.Errorf("then %v", again)
		}
	})
}
