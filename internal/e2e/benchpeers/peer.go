package main

import (
	"bytes"
	"io"
	"strconv"

	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// The far ends: they know nothing of messages beyond their bytes, so that the libraries are what is measured.

// sink takes the frames of n messages of the given size, and then says so.
func sink(n, size int, done chan<- error) (*wstest.Peer, error) {
	frame := wstest.Frame{Opcode: wstest.OpBinary, Payload: make([]byte, size), Masked: true}
	return wstest.Play(nil, func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		left := int64(n) * int64(len(frame.Bytes()))
		buf := make([]byte, 256<<10)
		for left > 0 {
			n, err := s.Read(buf[:min(left, int64(len(buf)))])
			left -= int64(n)
			if err != nil {
				done <- err
				return err
			}
		}
		done <- nil
		return s.Discard()
	})
}

// ackEvery is how many messages acker acknowledges at a time.
const ackEvery = 64

// acker is sink that acknowledges messages, and the last one at once. It does not read the numbers in them: it counts.
func acker(n, size int, done chan<- error) (*wstest.Peer, error) {
	frame := int64(len(wstest.Frame{Opcode: wstest.OpBinary, Payload: make([]byte, size), Masked: true}.Bytes()))
	return wstest.Play(nil, func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		buf := make([]byte, 256<<10)
		got, acked := int64(0), 0
		var acks []byte
		for acked < n {
			b, err := s.Read(buf)
			got += int64(b)
			if err != nil {
				done <- err
				return err
			}
			if acks, acked = appendAcks(acks[:0], acked, int(got/frame), n); len(acks) == 0 {
				continue
			}
			if err := s.Raw(acks); err != nil {
				done <- err
				return err
			}
		}
		done <- nil
		return s.Discard()
	})
}

// appendAcks appends the acknowledgements that are due after got messages of n, and returns the number of the last one.
func appendAcks(b []byte, acked, got, n int) ([]byte, int) {
	for got-acked >= ackEvery || got == n && acked < n {
		acked = min(acked+ackEvery, got)
		b = wstest.Frame{Opcode: wstest.OpText, Payload: strconv.AppendInt(nil, int64(acked), 10)}.Append(b)
	}
	return b, acked
}

// source sends n messages of the given size as fast as they are taken, once go is closed.
func source(n, size int, start <-chan struct{}) (*wstest.Peer, error) {
	frame := wstest.Frame{Opcode: wstest.OpBinary, Payload: bytes.Repeat([]byte{'x'}, size)}.Bytes()
	perBlock := max(1, 64<<10/len(frame))
	block := bytes.Repeat(frame, perBlock)
	return wstest.Play(nil, func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		<-start
		for left := n; left > 0; left -= perBlock {
			if err := s.Raw(block[:min(left, perBlock)*len(frame)]); err != nil {
				return err
			}
		}
		return s.Discard()
	})
}

// echo answers every message of the given size with one of the same size.
func echo(size int) (*wstest.Peer, error) {
	in := wstest.Frame{Opcode: wstest.OpBinary, Payload: make([]byte, size), Masked: true}.Bytes()
	out := wstest.Frame{Opcode: wstest.OpBinary, Payload: bytes.Repeat([]byte{'x'}, size)}.Bytes()
	return wstest.Play(nil, func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		for {
			if _, err := io.ReadFull(s, in); err != nil {
				return nil // the client is done
			}
			if err := s.Raw(out); err != nil {
				return nil
			}
		}
	})
}
