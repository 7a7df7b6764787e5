package wsconn

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hijackable is a response whose connection can be taken over, with bytes that the server has read ahead.
type hijackable struct {
	*httptest.ResponseRecorder
	conn  net.Conn
	ahead string
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r := bufio.NewReader(io.MultiReader(bytes.NewReader([]byte(h.ahead)), h.conn))
	_, _ = r.Peek(len(h.ahead))
	return h.conn, bufio.NewReadWriter(r, bufio.NewWriter(h.conn)), nil
}

// An accepted connection holds a kilobyte for reading and a quarter of one for writing, and neither a block nor a batch;
// what the server had read ahead is not lost.
func TestAcceptedHolds(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	frame := "\x81\x85\x00\x00\x00\x00hello"
	for _, late := range []bool{false, true} {
		u := &upgrade{
			ResponseWriter: hijackable{httptest.NewRecorder(), near, frame}, opts: &Options{ReadBuffer: 32 << 10}, late: late,
		}
		var _ http.Hijacker = u
		_, rw, err := u.Hijack()
		if err != nil {
			t.Fatal(err)
		}
		if r, w := rw.Reader.Size(), rw.Writer.Size(); r != 1<<10 || w != 256 {
			t.Errorf("buffers of %d and %d bytes", r, w)
		}
		u.shim.start()
		got := make([]byte, len(frame))
		if _, err := io.ReadFull(rw, got); err != nil || string(got) != frame {
			t.Errorf("%q, %v", got, err)
		}
		if s := u.shim; s.room != nil || s.block != nil || s.batch != nil || s.keys != nil {
			t.Error("holds memory")
		}
	}
}

// announced is a message of which n bytes come, and then the end. It notes how many were asked for.
type announced struct {
	n     int
	asked []int
}

func (a *announced) Read(p []byte) (int, error) {
	a.asked = append(a.asked, len(p))
	if a.n == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(a.n, len(p))
	a.n -= n
	return n, nil
}

// Room for a message that was announced grows with what has come of it, fourfold at a time.
func TestAnnouncedRoom(t *testing.T) {
	t.Parallel()
	const trust, gigabyte = maxTrust, 1 << 30
	for _, tt := range []struct {
		length, come int
		asked        []int
	}{
		{gigabyte, 0, []int{trust}},
		{gigabyte, 1000, []int{trust, trust - 1000}},
		{gigabyte, trust, []int{trust, 3 * trust}},
		{gigabyte, 4 * trust, []int{trust, 3 * trust, 12 * trust}},
		{100, 100, []int{100}},
		{trust, trust, []int{trust}},
		{1 << 20, 1 << 20, []int{trust, 3 * trust, 12 * trust}},
	} {
		t.Run(fmt.Sprintf("%d of %d", tt.come, tt.length), func(t *testing.T) {
			t.Parallel()
			src := &announced{n: tt.come}
			b, err := readAnnounced(src, nil, tt.length)
			if (err == nil) != (tt.come == tt.length) || err == nil && len(b) != tt.length {
				t.Errorf("%d bytes, %v", len(b), err)
			}
			if diff := cmp.Diff(tt.asked, src.asked); diff != "" {
				t.Error("-want +got", diff)
			}
		})
	}
	// A buffer of the caller's that is large enough is used whole.
	src := &announced{n: 1 << 20}
	if _, err := readAnnounced(src, make([]byte, 0, 1<<20), 1<<20); err != nil || len(src.asked) != 1 {
		t.Errorf("%v, %v", src.asked, err)
	}
}

// writes is a connection that keeps what it is given.
type writes struct{ list [][]byte }

func (w *writes) Read([]byte) (int, error) { return 0, io.EOF }

func (w *writes) Write(p []byte) (int, error) {
	w.list = append(w.list, p)
	return len(p), nil
}

// What of a long message finds no room beside its header is written from where it is, if it needs no mask.
func TestDirectWrite(t *testing.T) {
	t.Parallel()
	const gathered = maxBatch - 12 // of a long message: without its header of ten bytes, a multiple of four
	for _, tt := range []struct {
		name   string
		client bool
		length int
		direct int // bytes that are written from where they are
	}{
		{"short", false, minDirect - 1, 0},
		{"fits the batch", false, minDirect, 0},
		{"as long as the batch", false, maxBatch, 0},
		{"a little longer than what fits", false, gathered + minDirect - 1, 0},
		{"so much longer that it pays", false, gathered + minDirect, minDirect},
		{"long", false, 1 << 20, 1<<20 - gathered},
		{"masked", true, 1 << 20, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := &writes{}
			s := newShim(nil, nil, out, tt.client, &Options{})
			p := make([]byte, tt.length)
			if _, err := s.send([]Message{{Type: Binary, Data: p}}, nil, nil); err != nil {
				t.Fatal(err)
			}
			direct := 0
			for _, w := range out.list {
				if cap(w) > 0 && &w[:cap(w)][cap(w)-1] == &p[cap(p)-1] {
					direct += len(w)
				}
			}
			if direct != tt.direct {
				t.Errorf("%d bytes written from where they are, want %d", direct, tt.direct)
			}
		})
	}
}
