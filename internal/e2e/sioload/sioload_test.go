package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestSpread(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 101)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i) // not sorted
	}
	for _, tt := range []struct {
		name     string
		list     []time.Duration
		p50, p99 time.Duration
	}{
		{"none", nil, 0, 0},
		{"one", []time.Duration{7}, 7, 7},
		{"two", []time.Duration{9, 1}, 1, 1},
		{"0 to 100", hundred, 50, 99},
	} {
		var r report
		if spread(&r, tt.list); r.P50 != tt.p50 || r.P99 != tt.p99 {
			t.Errorf("%s: %d and %d, want %d and %d", tt.name, r.P50, r.P99, tt.p50, tt.p99)
		}
	}
}

// serverFrame is a frame of a server, which is not masked.
func serverFrame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	default:
		b = append(b, 126, byte(n>>8), byte(n))
	}
	return string(b) + payload
}

// Each answer is paired with its request by what it begins with and how long it is, in however many frames it comes.
func TestExchanges(t *testing.T) {
	t.Parallel()
	o := &options{protocol: "eio4", size: 100}
	long := strings.Repeat("x", 100)
	for name, tt := range map[string]struct {
		x    exchange
		in   string
		fits bool
	}{
		"echo":             {echoText(o), serverFrame(0x81, `42["echo","`+long+`"]`), true},
		"line feed":        {echoText(o), serverFrame(0x81, `42["echo","`+long+"\"]\n"), true},
		"three frames":     {echoText(o), serverFrame(0x01, "4") + serverFrame(0x00, `2["echo","`+long+`"]`) + serverFrame(0x80, ""), true},
		"ping in between":  {echoText(o), serverFrame(0x89, "p") + serverFrame(0x81, `42["echo","`+long+`"]`), true},
		"too short":        {echoText(o), serverFrame(0x81, `42["echo","x"]`), false},
		"another event":    {echoText(o), serverFrame(0x81, `42["else","`+long+`"]`), false},
		"binary":           {echoText(o), serverFrame(0x82, `42["echo","`+long+`"]`), false},
		"acknowledgement":  {acknowledged(o), serverFrame(0x81, `437["`+long+`"]`), true},
		"of another event": {acknowledged(o), serverFrame(0x81, `438["`+long+`"]`), false},
		"broadcast":        {toAll(o), serverFrame(0x81, `42["msg","`+long+`"]`), true},
	} {
		var m message
		if err := m.read(bufio.NewReader(strings.NewReader(tt.in))); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := tt.x.answers[0].check(&m); (err == nil) != tt.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
	if x := echoBinary(o); len(x.answers) != 2 || x.answers[1].opcode != opBinary || x.answers[1].size != 100 {
		t.Errorf("binary is answered by %+v", x.answers)
	}
}

// A frame of the generator is what a server unmasks to the payload.
func TestClientFrame(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 125, 126, 65_535, 65_536} {
		payload := bytes.Repeat([]byte("abc"), n)[:n]
		frame := clientFrame(opText, payload)
		head := map[bool]int{true: 6, false: 8}[n < 126]
		if n > 65_535 {
			head = 14
		}
		mask, masked := frame[head-4:head], frame[head:]
		for i := range masked {
			masked[i] ^= mask[i%4]
		}
		if frame[0] != 0x81 || frame[1]&0x80 == 0 || !bytes.Equal(masked, payload) {
			t.Errorf("%d bytes: frame % x", n, frame[:head])
		}
	}
}

// A server that closes, or breaks off, is an error and not a message.
func TestBrokenServer(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		serverFrame(0x88, "\x03\xe8"): errClosed, "": io.EOF, "\x81": io.EOF, "\x81\x05he": io.EOF, "\x81\x85": nil,
	} {
		var m message
		err := m.read(bufio.NewReader(strings.NewReader(in)))
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}
