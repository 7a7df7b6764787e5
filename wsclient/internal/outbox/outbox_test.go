package outbox_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// put accepts numbered messages.
func put(t *testing.T, b *outbox.Box, from, to int) []*outbox.Receipt {
	t.Helper()
	var rs []*outbox.Receipt
	for i := from; i <= to; i++ {
		r := new(outbox.Receipt)
		if err := b.Put(t.Context(), wsconn.Text, fmt.Append(nil, i), r); err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	return rs
}

// next takes a batch, which must be there.
func next(t *testing.T, b *outbox.Box) []string {
	t.Helper()
	stop := make(chan struct{})
	msgs, err := b.Next(stop)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range msgs {
		all = append(all, string(m.Data))
	}
	return all
}

func numbers(from, to int) []string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// identity checks that every accepted message is somewhere.
func identity(t *testing.T, b *outbox.Box) {
	t.Helper()
	s := b.Stats()
	have := s.Delivered + s.Dropped + s.Expired + s.Canceled + s.Refused + s.Quarantined + s.Drained + s.Vanished
	if s.Depth < 0 || s.Recovered+s.Accepted != have+uint64(s.Depth) {
		t.Errorf("the accounts do not add up: %+v", s)
	}
}

func TestCutBatchIsSentAgain(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{})
	rs := put(t, b, 1, 5)
	b.Up(1)
	equal(t, numbers(1, 5), next(t, b))
	b.Sent(2)
	if lost := b.Down(0, nil); lost != 2 {
		t.Errorf("%d may be lost", lost)
	}
	b.Up(2)
	equal(t, numbers(3, 5), next(t, b))
	b.Sent(3)
	for _, r := range rs {
		<-r.Done()
		equal(t, outbox.Written, r.State())
	}
	identity(t, b)
}

func TestUnacknowledgedAreSentAgain(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 4}})
	rs := put(t, b, 1, 6)
	b.Up(1)
	equal(t, numbers(1, 4), next(t, b))
	b.Sent(4)
	b.Acknowledge(1, []string{"2", "77"}, false)
	equal(t, outbox.Acked, rs[1].State())
	equal(t, []string{"5"}, next(t, b))
	b.Sent(1)
	b.Down(0, nil)
	b.Up(2)
	b.Acknowledge(1, []string{"3"}, false) // too late, an old connection
	equal(t, []string{"1", "3", "4", "5"}, next(t, b))
	b.Sent(4)
	b.Acknowledge(2, []string{"1", "3", "4", "5"}, false)
	equal(t, []string{"6"}, next(t, b))
	b.Sent(1)
	s := b.Stats()
	equal(t, uint64(4), s.Resent)
	equal(t, uint64(2), s.Strays)
	identity(t, b)
}

// What was handed out does not change until Sent, though messages are acknowledged meanwhile and their memory is used
// again.
func TestBatchKeepsItsMemory(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 4 << 10} {
		b := outbox.New(outbox.Config{Ack: &outbox.Ack{Window: 12, Cumulative: true}})
		b.Up(1)
		for number := 1; number < 300; {
			for range 12 {
				data := bytes.Repeat([]byte{byte(number)}, size)
				if err := b.Put(t.Context(), wsconn.Binary, data, nil); err != nil {
					t.Fatal(err)
				}
				number++
			}
			msgs, err := b.Next(nil)
			if err != nil || len(msgs) != 12 {
				t.Fatal(len(msgs), err)
			}
			b.Acknowledge(1, []string{fmt.Sprint(number - 1)}, false)
			for range 12 {
				if err := b.Put(t.Context(), wsconn.Binary, make([]byte, size), nil); err != nil {
					t.Fatal(err)
				}
			}
			for i, m := range msgs {
				if want := byte(number - 12 + i); bytes.Count(m.Data, []byte{want}) != size {
					t.Fatalf("message %d is full of %d", want, m.Data[0])
				}
			}
			b.Sent(len(msgs))
			if msgs, err = b.Next(nil); err != nil {
				t.Fatal(err)
			}
			b.Sent(len(msgs))
			number += 12
			b.Acknowledge(1, []string{fmt.Sprint(number - 1)}, false)
		}
		identity(t, b)
	}
}
