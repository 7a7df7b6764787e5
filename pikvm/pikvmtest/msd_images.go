package pikvmtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Image is an image in the storage.
type Image struct {
	Name     string
	Size     int64
	Complete bool
	Modified time.Time
}

// Images returns the images that the storage has, by name. What the device lists follows a second later.
func (s *Server) Images() []Image {
	m := s.msd
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Image, 0, len(m.images))
	for _, name := range slices.Sorted(maps.Keys(m.images)) {
		i := m.images[name]
		list = append(list, Image{name, i.size, i.complete, i.modified})
	}
	return list
}

// ImageContent reads an image. It fails for one that is not in the storage.
func (s *Server) ImageContent(name string) ([]byte, error) {
	m := s.msd
	m.mu.Lock()
	i := m.images[name]
	m.mu.Unlock()
	if i == nil {
		return nil, fmt.Errorf("pikvmtest: no image %q", name)
	}
	return io.ReadAll(io.NewSectionReader(i.content, 0, i.size))
}

// PutImage puts an image into the storage and into the list, without a transfer. An image of the same name is replaced.
// It fails for a name that the device does not take.
func (s *Server) PutImage(name string, content []byte) error {
	return s.putImage(name, int64(len(content)), content, true)
}

// PutIncompleteImage is PutImage for the remains of an upload of size bytes that was broken off.
func (s *Server) PutIncompleteImage(name string, size int64) error {
	return s.putImage(name, size, nil, false)
}

func (s *Server) putImage(name string, size int64, data []byte, complete bool) error {
	stored, err := validImageName(name)
	if err != nil {
		return err
	}
	room, err := newContent(size)
	if err != nil {
		return fmt.Errorf("pikvmtest: room for an image: %w", err)
	}
	if _, err := room.WriteAt(data, 0); err != nil {
		_ = room.Close() // the error of the write tells more
		return fmt.Errorf("pikvmtest: image %s: %w", name, err)
	}
	m := s.msd
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.images[stored]; old != nil {
		_ = old.content.Close() // of a file that goes away
	}
	m.images[stored] = &image{size: size, complete: complete, modified: time.Now(), content: room}
	m.list = m.listing()
	storage := map[string]any{"images": m.list}
	m.addParts(storage)
	m.publish(map[string]any{"storage": storage})
	return nil
}

// SetImageStatic makes an image one that cannot be removed, or ends that. It does nothing for one that is not there.
func (s *Server) SetImageStatic(name string, static bool) {
	m := s.msd
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.images[name]; i != nil {
		i.static = static
		m.relist()
	}
}

// close lets go of the files.
func (m *msd) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.images {
		_ = i.content.Close() // of a file that goes away
	}
	clear(m.images)
}
