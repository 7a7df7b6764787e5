package wsconn_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// Messages arrive as they were sent, whatever the peer makes of them: fragments, empty ones and an empty last one among them,
// control frames anywhere in between, compressed or not, cut up at any place on their way.
func TestReadAnyFraming(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			var stream []byte
			var expected []string
			for range 20 {
				msg := randomMessage(random)
				expected = append(expected, string(msg))
				stream = appendMessage(t, stream, random, msg)
			}
			stream = wstest.CloseFrame(1000, "end").Append(stream)
			inBubble(t, func(t *testing.T, n *netem.Network) {
				opts := wsconn.DialOptions{Options: wsconn.Options{Compression: wsconn.CompressionNoContextTakeover}}
				c, link := connectScript(t, n, opts, func(s *wstest.Session) error {
					return errors.Join(s.Upgrade(deflated), s.Raw(stream), s.Discard())
				})
				link.Chunk(netem.Down, 1+random.IntN(1<<random.IntN(17)))
				var got []string
				var buf []byte
				for {
					_, msg, err := c.Read(buf)
					if err != nil {
						if e := want[*wsconn.ClosedError](t, err); e.Reason != "end" {
							t.Errorf("got %v", err)
						}
						break
					}
					got = append(got, string(msg))
					buf = msg
				}
				if diff := cmp.Diff(expected, got); diff != "" {
					t.Error("-want +got", diff)
				}
			})
		})
	}
}

// randomMessage returns a message, often one of a length that matters.
func randomMessage(random *rand.Rand) []byte {
	sizes := []int{0, 1, 2, 125, 126, 127, 4081, 4095, 4096, 4097, 65535, 65536, 65537}
	n := random.IntN(300)
	if random.IntN(3) == 0 {
		n = sizes[random.IntN(len(sizes))]
	}
	return bytes.Repeat([]byte{byte('a' + random.IntN(26))}, n)
}

// appendMessage appends the frames of a message.
func appendMessage(t *testing.T, stream []byte, random *rand.Rand, msg []byte) []byte {
	t.Helper()
	frame := wstest.Frame{Opcode: wstest.OpBinary, Payload: msg}
	if random.IntN(2) == 0 {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(msg)
		w.Flush()
		frame.RSV, frame.Payload = 4, bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF})
	}
	rest := frame.Payload
	for random.IntN(2) == 0 {
		n := random.IntN(len(rest) + 1)
		frame.Payload, frame.More, rest = rest[:n], true, rest[n:]
		stream = frame.Append(stream)
		for random.IntN(3) == 0 {
			stream = wstest.Ping("between").Append(stream)
		}
		frame = wstest.Frame{Opcode: wstest.OpContinuation}
	}
	frame.Payload, frame.More = rest, false
	return frame.Append(stream)
}
