package engineio

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

func newQueue(messages, bytes int) *queue {
	return &queue{limits: &QueueLimits{Messages: messages, Bytes: bytes}}
}

func fill(t *testing.T, q *queue, from, n int) {
	t.Helper()
	for i := range n {
		if err := q.push("test", Text(fmt.Sprint(from+i))); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(batch []Message) (out []string) {
	for i := range batch {
		out = append(out, string(batch[i].data[1:]))
	}
	return out
}

func equal[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestQueueOrder takes all and a few in turn, while more comes in.
func TestQueueOrder(t *testing.T) {
	t.Parallel()
	q := newQueue(1000, 1<<20)
	var got []string
	pushed := 0
	for _, n := range []int{-1, 3, -1, 1, 5, 100, -1, 2, 2, 2, -1} {
		fill(t, q, pushed, 7)
		pushed += 7
		batch := q.take(n)
		fill(t, q, pushed, 2) // while it is written
		pushed += 2
		got = append(got, texts(batch)...)
		q.done(batch)
	}
	got = append(got, texts(q.take(-1))...)
	want := make([]string, pushed)
	for i := range want {
		want[i] = fmt.Sprint(i)
	}
	equal(t, want, got)
}

// TestQueueLimits: what is being written counts too; a lone message has no limit.
func TestQueueLimits(t *testing.T) {
	t.Parallel()
	q := newQueue(3, 10)
	if err := q.push("test", Binary(make([]byte, 100))); err != nil {
		t.Fatal(err)
	}
	batch := q.take(-1)
	equal(t, true, q.empty())
	err := q.push("test", Text("x"))
	full, ok := errors.AsType[*sioerr.BufferFullError](err)
	if !ok || !errors.Is(err, errkit.NotSent) {
		t.Fatalf("got %v", err)
	}
	equal(t, [2]int{1, 100}, [2]int{full.Messages, full.Bytes})
	q.done(batch)
	equal(t, [2]int{0, 0}, [2]int{q.messages, q.bytes})
	fill(t, q, 0, 3)
	if q.push("test", Text("x")) == nil {
		t.Error("a fourth message")
	}
	for range 10 {
		q.force(pingPacket)
	}
	equal(t, 6, q.messages)
	q.discard()
	equal(t, [2]int{0, 0}, [2]int{q.messages, q.bytes})
}

// TestQueueMemory: large arrays do not stay, small ones are used again.
func TestQueueMemory(t *testing.T) {
	q := newQueue(10_000, 1<<20)
	fill(t, q, 0, 5000)
	q.done(q.take(-1))
	if cap(q.waiting)+cap(q.spare) > 2*keptSlots {
		t.Errorf("%d and %d slots kept", cap(q.waiting), cap(q.spare))
	}
	m := Text("x")
	cycle := func() {
		_ = q.push("test", m)
		q.done(q.take(-1))
	}
	cycle()
	if n := testing.AllocsPerRun(100, cycle); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMessage: text is copied, bytes are not; what is wrong with a message is found out once.
func TestMessage(t *testing.T) {
	t.Parallel()
	text := []byte("abc")
	m := Text(text)
	text[0] = 'x'
	equal(t, "4abc", string(m.data))
	data := []byte{1}
	if b := Binary(data); &b.data[0] != &data[0] || !b.IsBinary() || b.Len() != 1 {
		t.Errorf("%+v", b)
	}
	equal(t, 4, m.Plain().Len())
	for name, row := range map[string]struct {
		m       Message
		payload bool
		ok      bool
	}{
		"text": {Text("é"), true, true}, "no text": {Text(""), true, true}, "bytes": {Binary([]byte{0x1e, 0xff}), true, true},
		"no bytes": {Binary(nil), true, true}, "zero": {Message{}, false, false}, "another type": {Encoded([]byte("2")), false, false},
		"not UTF-8": {Text("\xff"), false, false}, "divided": {Text("\x1e"), true, false}, "divided, WebSocket": {Text("\x1e"), false, true},
	} {
		if err := checkMessages("test", []Message{Text("a"), row.m}, row.payload); (err == nil) != row.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
