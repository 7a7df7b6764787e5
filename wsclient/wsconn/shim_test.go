package wsconn

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stream is a connection that returns n bytes per read at most and notes how many were asked for.
type stream struct {
	data  *bytes.Reader
	n     int
	asked []int
}

func (s *stream) Read(p []byte) (int, error) {
	s.asked = append(s.asked, len(p))
	return s.data.Read(p[:min(len(p), s.n)])
}

func (s *stream) Write(p []byte) (int, error) { return len(p), nil }

// An idle connection, or one with little traffic, reads into the library's buffer and holds no block; a busy one
// reads in blocks.
func TestBlocks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		n     int
		asked []int
		holds bool
	}{
		{"little", 1000, []int{4096, 4096, 4096, 4096}, false},
		{"busy", 1 << 20, []int{4096, 32768, 32768, 32768}, true},
		{"busy now and then", 4096, []int{4096, 32768, 4096, 32768}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := &stream{data: bytes.NewReader(make([]byte, 1<<20)), n: tt.n}
			s := newShim(nil, nil, src, true, &Options{ReadBuffer: 32 << 10})
			s.start()
			s.scan.left = 1 << 30
			for len(src.asked) < 4 {
				if _, err := s.Read(make([]byte, libraryBlock)); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.asked, src.asked); diff != "" {
				t.Error("-want +got", diff)
			}
			if got := s.room != nil; got != tt.holds {
				t.Errorf("holds a block: %t", got)
			}
		})
	}
}

// The end comes after all bytes, once, and stays.
func TestShimEnd(t *testing.T) {
	t.Parallel()
	src := &stream{data: bytes.NewReader([]byte("\x81\x05hello\x81\x05he")), n: 3}
	s := newShim(nil, nil, src, true, &Options{ReadBuffer: 32 << 10})
	if _, err := s.Read(make([]byte, 10)); err == nil {
		t.Error("can be read before the start")
	}
	s.start()
	got, err := io.ReadAll(s)
	if string(got) != "\x81\x05hello\x81\x05he" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.Read(make([]byte, 1)); err != io.ErrUnexpectedEOF {
		t.Errorf("then %v", err)
	}
}

// The shim sees the last frame in what the library writes, whatever the payloads look like.
func TestFollow(t *testing.T) {
	t.Parallel()
	s := &shim{}
	message := appendHeader(nil, 1, 300, true)
	for _, p := range [][]byte{
		append(message, 1, 2, 3, 4), bytes.Repeat([]byte{0x88, 0x80, 0, 0, 0, 0}, 50),
		appendControl(nil, opPong, []byte("x"), true),
	} {
		if s.follow(p) {
			t.Errorf("taken for a close frame: %x", p)
		}
	}
	if !s.follow(appendControl(nil, opClose, []byte("\x03\xe8"), true)) {
		t.Error("close frame not seen")
	}
}
