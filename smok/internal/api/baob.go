package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// BAOBVersion is a binary object that the device has.
type BAOBVersion struct {
	Key     string
	Version int64
}

// BAOBPlan says what the device has to do to have the same binary objects as the hub: the keys of each job.
type BAOBPlan struct {
	Delete, Download, Upload []string
}

// BAOBs tells the hub what binary objects the device has and returns what is to be done.
func (c *Client) BAOBs(ctx context.Context, have []BAOBVersion) (BAOBPlan, error) {
	k := &call{op: "hub.BAOBs", method: http.MethodPost, path: "/v1/device/baobs"}
	var err error
	if k.body, err = encodeList(k.op, have, writeBAOBVersion); err != nil {
		return BAOBPlan{}, err
	}
	a, err := c.fetch(ctx, k)
	if err != nil {
		return BAOBPlan{}, err
	}
	doc, err := a.document()
	var plan BAOBPlan
	if err == nil && doc != nil {
		plan, err = c.baobPlan(k.op, doc)
	}
	if err != nil {
		return BAOBPlan{}, c.badAnswer(k, a, err)
	}
	return plan, nil
}

func writeBAOBVersion(e *encoder, v *BAOBVersion) {
	e.object(2)
	e.member("key", v.Key)
	e.number("version", v.Version)
}

func (c *Client) baobPlan(op string, doc []byte) (BAOBPlan, error) {
	var d struct {
		Delete   json.RawMessage `json:"should_delete"`
		Download json.RawMessage `json:"should_download"`
		Upload   json.RawMessage `json:"should_upload"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return BAOBPlan{}, err
	}
	var plan BAOBPlan
	for _, job := range []struct {
		what string
		doc  json.RawMessage
		keys *[]string
	}{
		{"key to delete", d.Delete, &plan.Delete},
		{"key to download", d.Download, &plan.Download},
		{"key to upload", d.Upload, &plan.Upload},
	} {
		err := c.entries(op, job.what, job.doc, func(entry json.RawMessage) error {
			var key text
			if err := json.Unmarshal(entry, &key); err != nil {
				return err
			}
			if key == "" {
				return errors.New("empty")
			}
			*job.keys = append(*job.keys, string(key))
			return nil
		})
		if err != nil {
			return BAOBPlan{}, err
		}
	}
	return plan, nil
}

// versionHeader has the version of a downloaded BAOB.
const versionHeader = "X-SMOK-BAOB-Version"

// VersionWriter is a writer that wants to know the version of what it gets.
type VersionWriter interface {
	io.Writer
	// WriteVersion is called once, before the first Write. An error ends the download.
	WriteVersion(version int64) error
}

// DownloadBAOB writes the content of a binary object to w, which may be a [VersionWriter], at most limit bytes, and returns
// its version. When it fails, w may have got a part. A key that the hub does not have is a *[smokerr.NotFoundError]; a
// failure of w is a *[smokerr.StoreError].
func (c *Client) DownloadBAOB(ctx context.Context, key string, w io.Writer, limit int64) (int64, error) {
	k := &call{op: "hub.DownloadBAOB", method: http.MethodGet}
	escaped, err := segment(k.op, "key", key)
	if err != nil {
		return 0, err
	}
	k.path = baobPath + escaped
	version, err := c.download(ctx, k, w, limit)
	return version, notFound(err, "baob", key)
}

const baobPath = "/v1/device/baobs/"

// baobVersion reads the version of a downloaded BAOB: a whole number from 0.
func baobVersion(h http.Header) (int64, error) {
	version, err := strconv.ParseInt(h.Get(versionHeader), 10, 64)
	if err != nil || version < 0 {
		return 0, errors.New("no version in the header " + versionHeader)
	}
	return version, nil
}

// UploadBAOB sends the content of a binary object: size bytes of content, which must end there. It is not held in
// memory, and nobody reads it after the return. A source that fails, or is of another size, is a *[smokerr.StoreError],
// and the hub never gets the whole of it.
func (c *Client) UploadBAOB(ctx context.Context, key string, version int64, content io.Reader, size int64) error {
	k := &call{op: "hub.UploadBAOB", method: http.MethodPut}
	escaped, err := segment(k.op, "key", key)
	switch {
	case err != nil:
		return err
	case version < 0:
		return smokerr.InvalidArgument(k.op, "version", "negative", nil)
	case size < 0:
		return smokerr.InvalidArgument(k.op, "size", "negative", nil)
	case content == nil:
		return smokerr.InvalidArgument(k.op, "content", "nil", nil)
	}
	k.path = baobPath + escaped
	return c.uploadForm(ctx, k, newForm(version, content, size))
}
