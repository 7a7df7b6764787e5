package netem_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// FuzzLink runs any sequence of operations on a link. What is read is the beginning of what was written, the counts
// agree, and nothing panics or hangs.
func FuzzLink(f *testing.F) {
	f.Add([]byte{0, 5, 1, 5, 2, 0, 0, 9, 3, 0, 1, 9})
	f.Add([]byte{4, 3, 0, 7, 1, 7, 10, 0, 1, 1})
	f.Add([]byte{2, 1, 16, 9, 5, 2, 9, 0, 18, 0, 3, 1, 17, 4})
	f.Fuzz(func(t *testing.T, ops []byte) {
		link, a, b := linkPair(t, &netem.Options{Window: 64})
		ends := [2]*netem.Conn{a, b}
		var written, got [2]bytes.Buffer // by the end that wrote
		next := byte(0)
		for ; len(ops) >= 2; ops = ops[2:] {
			op, n := ops[0]>>1%12, int(ops[1])
			side := int(ops[0] & 1)
			end, dir := ends[side], []netem.Direction{netem.Up, netem.Down}[side]
			count := link.State().Count(dir)
			switch op {
			case 0, 1:
				p := make([]byte, min(n, 64-int(count.Written-count.Read))) // never more than the window has room for
				for i := range p {
					p[i] = next
					next++
				}
				sent, _ := end.Write(p)
				written[side].Write(p[:sent])
			case 2, 3:
				if count.Passed > count.Read {
					p := make([]byte, n)
					n, _ := ends[1-side].Read(p)
					got[side].Write(p[:n])
				}
			case 4:
				link.Stall(dir)
			case 5:
				link.Resume(dir)
			case 6:
				link.CutAfter(dir, int64(n%40)-1, netem.CutMode(n%4))
			case 7:
				link.Chunk(dir, n%5)
			case 8:
				_ = end.CloseWrite()
			case 9:
				if n%8 == 0 {
					_ = end.Close()
				}
			case 10:
				if n%8 == 0 {
					_ = end.Reset()
				}
			case 11:
				_ = end.SetDeadline(time.Unix(int64(n%2), 0).Add(time.Duration(n%3) * 1000 * time.Hour))
			}
			for side, dir := range []netem.Direction{netem.Up, netem.Down} {
				c := link.State().Count(dir)
				if c.Read > c.Passed || c.Passed > c.Written || c.Read != int64(got[side].Len()) || c.Written != int64(written[side].Len()) {
					t.Fatalf("%v: counts %+v, wrote %d, read %d", dir, c, written[side].Len(), got[side].Len())
				}
				if !bytes.HasPrefix(written[side].Bytes(), got[side].Bytes()) {
					t.Fatalf("%v: wrote %v, read %v", dir, written[side].Bytes(), got[side].Bytes())
				}
			}
		}
	})
}
