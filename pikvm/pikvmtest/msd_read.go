package pikvmtest

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// read sends an image.
func (m *msd) read(c *call) error {
	name, err := c.arg("image").imageArg()
	if err != nil {
		return err
	}
	modes := []string{"", "none", "lzma"}
	if m.version.atLeast(3, 135) {
		modes = append(modes, "zstd")
	}
	mode, err := c.arg("compress").or("").choice("Compression mode", modes...)
	if err != nil {
		return err
	}
	if mode == "lzma" { // nothing here packs like that
		writeStatusText(c.w, http.StatusNotImplemented)
		return nil
	}
	t, i, err := m.load(name)
	if err != nil {
		return err
	}
	defer m.loaded(t)
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if mode == "zstd" {
		name += ".zst"
	} else {
		h.Set("Content-Length", strconv.FormatInt(i.size, 10))
	}
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	c.w.WriteHeader(http.StatusOK)
	var out io.Writer = c.w
	if mode == "zstd" {
		out = &storedZstd{w: c.w, left: i.size}
	}
	buffer := make([]byte, msdChunk)
	for t.done < t.size {
		n, err := i.content.ReadAt(buffer[:min(int64(len(buffer)), t.size-t.done)], t.done)
		if n > 0 {
			_, err = out.Write(buffer[:n])
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the client is gone, or the image
		}
		m.sent(t, n)
	}
	return nil
}

// load begins a download: the storage is busy until loaded.
func (m *msd) load(name string) (*transfer, *image, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(); err != nil {
		return nil, nil, err
	}
	err := m.usable()
	i := m.images[name]
	if err == nil && i == nil {
		err = errMSDUnknown
	}
	if err != nil {
		m.busy = false
		m.publish(map[string]any{"busy": true})
		m.publish(map[string]any{"busy": false})
		return nil, nil, err
	}
	m.downloading = &transfer{name: name, size: i.size}
	m.publish(map[string]any{"busy": true, "storage": map[string]any{"downloading": m.downloading.wire("readed")}})
	return m.downloading, i, nil
}

func (m *msd) sent(t *transfer, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.done += int64(n)
	if now := time.Now(); m.downloading == t && (now.Sub(t.reported) >= msdReport || t.done == t.size) {
		t.reported = now
		m.publish(map[string]any{"storage": map[string]any{"downloading": t.wire("readed")}})
	}
}

func (m *msd) loaded(t *transfer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.downloading == t {
		m.busy, m.downloading = false, nil
		m.publish(map[string]any{"busy": false, "storage": map[string]any{"downloading": nil}})
	}
}

// storedZstd frames what is written as Zstandard without packing it (RFC 8878, sections 3.1.1 and 3.1.1.2: raw blocks).
type storedZstd struct {
	w     io.Writer
	left  int64
	begun bool
}

func (z *storedZstd) Write(p []byte) (int, error) {
	var head []byte
	if !z.begun {
		z.begun = true
		head = append(head, 0x28, 0xb5, 0x2f, 0xfd, 0xe0) // magic number; one segment with its size in 8 bytes
		head = binary.LittleEndian.AppendUint64(head, uint64(z.left))
	}
	z.left -= int64(len(p))
	block := uint32(len(p)) << 3
	if z.left == 0 {
		block |= 1
	}
	head = append(head, byte(block), byte(block>>8), byte(block>>16))
	if _, err := z.w.Write(head); err != nil {
		return 0, err
	}
	return z.w.Write(p)
}
