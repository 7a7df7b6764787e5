package smoktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
)

// headerVersion is the version of a BAOB in the answer to its download.
const headerVersion = "X-SMOK-BAOB-Version"

// baob is one BAOB. A deleted one stays as a tombstone.
type baob struct {
	version int64
	data    []byte
	deleted bool
}

// SetBAOB sets contents and version of a BAOB.
func (d *Device) SetBAOB(key string, version int64, data []byte) {
	d.change(func(s *device) { s.baobs[key] = &baob{version: version, data: bytes.Clone(data)} })
}

// DeleteBAOB removes a BAOB; devices that still have it are told to delete it.
func (d *Device) DeleteBAOB(key string) {
	d.change(func(s *device) { s.baobs[key] = &baob{deleted: true} })
}

// BAOB returns contents and version of a BAOB.
func (d *Device) BAOB(key string) (version int64, data []byte, ok bool) {
	b := inspect(d, func(s *device) baob {
		if b := s.baobs[key]; b != nil && !b.deleted {
			ok = true
			return *b
		}
		return baob{}
	})
	return b.version, bytes.Clone(b.data), ok
}

// BAOBs returns the versions of all BAOBs by key.
func (d *Device) BAOBs() map[string]int64 {
	return inspect(d, func(s *device) map[string]int64 {
		versions := make(map[string]int64)
		for key, b := range s.baobs {
			if !b.deleted {
				versions[key] = b.version
			}
		}
		return versions
	})
}

// postBAOBs compares versions and says what the device is to do.
func postBAOBs(c *call) (any, error) {
	type entry struct {
		key     string
		version int64
	}
	sent, err := decodeList(c, func(f *fields) entry {
		return entry{f.text("key"), f.integer("version", -1, math.MaxInt64)}
	})
	if err != nil {
		return nil, err
	}
	remove, download, upload := []string{}, []string{}, []string{}
	has := make(map[string]bool)
	for _, e := range sent {
		if has[e.key] {
			return nil, bad("key %q is there twice", e.key)
		}
		has[e.key] = true
		switch b := c.device.baobs[e.key]; {
		case b == nil && c.hub.opts.DenyClientCreate, b != nil && b.deleted:
			remove = append(remove, e.key)
		case b == nil || b.version < e.version:
			upload = append(upload, e.key)
		case b.version > e.version:
			download = append(download, e.key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.device.baobs)) {
		if !has[key] && !c.device.baobs[key].deleted {
			download = append(download, key)
		}
	}
	return map[string]any{"should_delete": remove, "should_download": download, "should_upload": upload}, nil
}

func getBAOB(c *call) (any, error) {
	b := c.device.baobs[c.args[0]]
	if b == nil || b.deleted {
		return nil, refuse(http.StatusNotFound, "no such BAOB")
	}
	return bytesAnswer(http.Header{headerVersion: {strconv.FormatInt(b.version, 10)}}, b.data), nil
}

// putBAOB takes a BAOB whose version is above that of the hub. The same one again is taken without effect, so that a
// device may repeat an upload whose answer was lost.
func putBAOB(c *call) (any, error) {
	version, data, err := c.upload()
	if err != nil {
		return nil, err
	}
	key := c.args[0]
	switch b := c.device.baobs[key]; {
	case b == nil && c.hub.opts.DenyClientCreate, b != nil && b.deleted:
		return nil, refuse(http.StatusNotFound, "no such BAOB")
	case int64(len(data)) > c.hub.opts.MaxBAOB:
		return nil, refuse(http.StatusRequestEntityTooLarge, "BAOB too large")
	case b == nil && len(c.device.baobs) >= c.hub.opts.MaxKept, c.device.baobBytes()+int64(len(data)) > c.hub.opts.MaxBAOB*16:
		return nil, refuse(http.StatusInsufficientStorage, "too many BAOBs")
	case b != nil && b.version == version && bytes.Equal(b.data, data):
		return nil, nil
	case b != nil && b.version >= version:
		return nil, refuse(http.StatusConflict, "the hub has version %d", b.version)
	}
	c.device.baobs[key] = &baob{version: version, data: data}
	return nil, nil
}

func (s *device) baobBytes() int64 {
	var n int64
	for _, b := range s.baobs {
		n += int64(len(b.data))
	}
	return n
}

// upload reads the form of an upload: the part "file" with the contents and the part "data" with the version, both with
// a file name.
func (c *call) upload() (version int64, data []byte, err error) {
	_, params, err := mime.ParseMediaType(c.req.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return 0, nil, bad("form: no boundary")
	}
	reader := multipart.NewReader(bytes.NewReader(c.req.Body), params["boundary"])
	parts := make(map[string][]byte)
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, nil, bad("form: %v", err)
		}
		name := part.FormName()
		if _, twice := parts[name]; twice || part.FileName() == "" {
			return 0, nil, bad("form: part %q comes twice or has no file name", name)
		}
		if parts[name], err = io.ReadAll(part); err != nil {
			return 0, nil, bad("form: %v", err)
		}
	}
	data, hasFile := parts["file"]
	text, hasData := parts["data"]
	if !hasFile || !hasData || len(parts) != 2 {
		return 0, nil, bad(`form: the parts must be "file" and "data"`)
	}
	var meta struct {
		Version *int64 `json:"version"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&meta); err != nil || meta.Version == nil || *meta.Version < 0 || decoder.More() {
		return 0, nil, bad("form: data is not a version")
	}
	return *meta.Version, data, nil
}
