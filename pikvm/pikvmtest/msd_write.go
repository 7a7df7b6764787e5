package pikvmtest

import (
	"fmt"
	"net/http"
	"time"
)

// write stores the body of a request.
func (m *msd) write(c *call) error {
	name, err := validImageName(c.prefixed("image"))
	if err != nil {
		return err
	}
	if c.r.ContentLength < 0 {
		return invalid("None argument is not a valid int")
	}
	keep, err := m.keepIncomplete(c)
	if err != nil {
		return err
	}
	t, i, err := m.create(name, c.r.ContentLength)
	if err != nil {
		return err
	}
	buffer := make([]byte, msdChunk)
	for t.done < t.size {
		n, err := c.r.Body.Read(buffer[:min(int64(len(buffer)), t.size-t.done)])
		if n > 0 {
			m.store(t, i, buffer[:n])
		}
		if err != nil && t.done < t.size {
			m.finish(t, i, keep)
			panic(http.ErrAbortHandler) // the client is gone
		}
	}
	m.finish(t, i, keep)
	return c.ok(t.written())
}

// prefixed is a name with its directory, as the device joins them.
func (c *call) prefixed(name string) string {
	return c.arg("prefix").or("").value + "/" + c.arg(name).or("").value
}

func (m *msd) keepIncomplete(c *call) (bool, error) {
	if !m.version.atLeast(3, 131) {
		return true, nil
	}
	remove, err := c.arg("remove_incomplete").or("0").bool()
	return !remove, err
}

// written is the result of a write.
func (t *transfer) written() map[string]any {
	return map[string]any{"image": map[string]any{"name": t.name, "size": t.size, "written": t.done}}
}

// create begins an upload: the storage is busy until finish.
func (m *msd) create(name string, size int64) (*transfer, *image, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(); err != nil {
		return nil, nil, err
	}
	i, err := m.newImage(name, size)
	if err != nil {
		m.busy = false
		m.publish(map[string]any{"busy": true})
		m.publish(map[string]any{"busy": false})
		return nil, nil, err
	}
	m.images[name] = i
	m.uploading = &transfer{name: name, size: size}
	m.publish(map[string]any{"busy": true, "storage": map[string]any{"uploading": m.uploading.wire("written")}})
	m.relist()
	return m.uploading, i, nil
}

func (m *msd) newImage(name string, size int64) (*image, error) {
	if err := m.usable(); err != nil {
		return nil, err
	}
	switch {
	case m.taken(name):
		return nil, errMSDExists
	case !m.hasDirectory(name), size > m.free():
		return nil, errTrouble
	}
	data, err := newContent(size)
	if err != nil {
		return nil, fmt.Errorf("pikvmtest: room for an image: %w", err)
	}
	return &image{size: size, modified: time.Now(), content: data}, nil
}

// store adds a piece.
func (m *msd) store(t *transfer, i *image, piece []byte) {
	_, err := i.content.WriteAt(piece, t.done)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		t.done += int64(len(piece))
		i.modified = time.Now()
	}
	if m.uploading != t {
		return // the daemon was restarted
	}
	if now := time.Now(); now.Sub(t.reported) >= msdReport {
		t.reported = now
		m.publish(map[string]any{"storage": map[string]any{"uploading": t.wire("written")}})
		m.relist()
	}
}

// finish ends an upload.
func (m *msd) finish(t *transfer, i *image, keep bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i.complete = t.done == t.size
	if !i.complete && !keep && m.images[t.name] == i {
		delete(m.images, t.name)
		_ = i.content.Close() // nobody reads an incomplete image
	}
	if m.uploading == t {
		m.busy, m.uploading = false, nil
		m.publish(map[string]any{"busy": false, "storage": map[string]any{"uploading": nil}})
	}
	m.sched.cancel(m.refresh)
	m.refresh = nil
	m.relist()
}

// remove takes an image away. For a while the list shows what is left of it.
func (m *msd) remove(c *call) error {
	name, err := c.arg("image").imageArg()
	if err != nil {
		return err
	}
	err = m.brief(func() error {
		if err := m.usable(); err != nil {
			return err
		}
		i := m.images[name]
		switch {
		case i == nil:
			return errMSDUnknown
		case i.static:
			return errMSDStatic
		}
		_ = i.content.Close() // of a file that goes away
		delete(m.images, name)
		m.removed[name] = time.Now()
		m.list = m.listing()
		ghost := m.imageState(name, &image{complete: true})
		ghost["mod_ts"] = 0.0
		if _, ok := ghost["writable"]; ok {
			ghost["writable"] = false
		}
		m.list[name] = ghost
		m.publish(map[string]any{"storage": map[string]any{"images": m.list}})
		if m.drive.image == name {
			m.drive.image = ""
			m.publishDrive()
		}
		m.sched.cancel(m.refresh)
		m.refresh = nil
		m.relist()
		return nil
	})
	if err != nil {
		return err
	}
	return c.ok(nil)
}
