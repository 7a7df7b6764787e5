package pikvm

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// UploadOptions are the optional settings of [MSD.Upload] and [MSD.UploadFile]. The zero value is ready to use.
type UploadOptions struct {
	// Replace removes an image of the same name first, complete or not. Otherwise it is [ErrExists].
	Replace bool

	// KeepIncomplete leaves what was stored when the upload breaks off; it blocks the name until it is removed.
	// Otherwise the device removes it (version 3.131 and later). Uploads cannot be resumed.
	KeepIncomplete bool

	// DisableCheck sends without asking for the state first. Not to be used with Replace.
	DisableCheck bool

	// Progress hears how many bytes have been sent. It is called from the goroutine that sends, in order and never
	// after the return; sending waits for it.
	Progress func(sent, size int64)

	// Verify reads the image back and compares the SHA-256: [MSDError] with [StepVerify] if it differs.
	Verify bool

	// StallTimeout ends an upload in which nothing moves any more, neither in the source nor in the network, nor after
	// the last byte until the answer. Zero means 1min, negative means never.
	StallTimeout time.Duration

	// ListTimeout is how long the device may take to list the image after it has stored it. Zero means 15s, negative
	// means that the return does not wait for it.
	ListTimeout time.Duration
}

// WrittenImage tells of an image that is, or is being, written to the device.
type WrittenImage struct {
	Name    string // as stored: the device replaces characters that cannot be printed
	Size    int64  // in bytes
	Written int64  // in bytes
}

// Upload stores an image of size bytes, and returns when the device lists it as complete. It needs as much memory for a
// large image as for a small one. Slashes in the name stand for directories, which must exist.
//
// The source must end after exactly size bytes: one that is shorter, longer or fails is an [MSDError] with [StepRead],
// and the device never gets the whole of it. If source has a method Len, as those of package bytes and strings have, a
// wrong size is a [ConfigurationError] and nothing is sent. When ctx ends or the device refuses while a Read of source
// is under way, Upload waits for it: nobody reads source after the return.
//
// Before the first byte it looks whether the device would refuse (see [UploadOptions].DisableCheck), so that a name that
// is taken ([ErrExists]) or a connected drive ([ErrPrecondition]) does not cost gigabytes. An upload is never repeated.
// The client's Timeout does not limit it; a deadline of ctx does. Nil options mean the defaults.
func (m *MSD) Upload(
	ctx context.Context, image string, from io.Reader, size int64, opts *UploadOptions,
) (*WrittenImage, error) {
	return m.upload(ctx, "msd.Upload", image, from, size, opts)
}

// UploadFile is [MSD.Upload] of a file, under its own name if image is empty. A file that cannot be read is an [MSDError]
// with [StepRead].
func (m *MSD) UploadFile(ctx context.Context, path, image string, opts *UploadOptions) (*WrittenImage, error) {
	const op = "msd.UploadFile"
	if image == "" {
		image = filepath.Base(path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, m.failure(op, image, StepRead, "cannot open the file", errkit.Invalid|errkit.NotSent, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, m.failure(op, image, StepRead, "cannot read the file", errkit.Invalid|errkit.NotSent, err)
	case !info.Mode().IsRegular():
		return nil, configurationError(op, "path", "not a regular file")
	}
	return m.upload(ctx, op, image, file, info.Size(), opts)
}

func (m *MSD) upload(
	ctx context.Context, op, image string, from io.Reader, size int64, opts *UploadOptions,
) (*WrittenImage, error) {
	var o UploadOptions
	if opts != nil {
		o = *opts
	}
	if err := checkUpload(op, image, from, size, &o); err != nil {
		return nil, err
	}
	wait := listTimeout(o.ListTimeout)
	if !o.DisableCheck {
		if err := m.room(ctx, op, image, size, o.Replace, wait); err != nil {
			return nil, err
		}
	}
	body := newSource(from, size)
	body.progress = o.Progress
	if o.Verify {
		body.hash = sha256.New()
	}
	query := url.Values{"image": {image}}
	if !o.KeepIncomplete {
		query.Set("remove_incomplete", "1")
	}
	k := &call{op: op, method: http.MethodPost, path: "/api/msd/write", query: query}
	written, err := m.write(ctx, k, body, stallLimit(o.StallTimeout))
	switch {
	case err != nil:
		return nil, err
	case written.Size != size || written.Written != size:
		return nil, m.failure(op, written.Name, StepWrite,
			fmt.Sprintf("the device stored %d of %d bytes", written.Written, size), errkit.Protocol, nil)
	}
	return written, m.confirm(ctx, op, written, wait, body.hash)
}

func checkUpload(op, image string, from io.Reader, size int64, o *UploadOptions) error {
	if reason := checkImageName(image); reason != "" {
		return configurationError(op, "image", reason)
	}
	sized, _ := from.(interface{ Len() int })
	switch {
	case from == nil:
		return configurationError(op, "from", "nil")
	case size <= 0:
		return configurationError(op, "size", "not positive")
	case sized != nil && int64(sized.Len()) != size:
		return configurationError(op, "size", "not that of the source")
	case o.DisableCheck && o.Replace:
		return configurationError(op, "DisableCheck", "Replace needs the check")
	}
	return nil
}

// write sends the image once. A streamed body cannot be sent again, so credentials that are refused stay refused.
func (m *MSD) write(ctx context.Context, k *call, body *source, stall time.Duration) (*WrittenImage, error) {
	o, err := m.c.beginLimited(ctx, k.op, 0)
	if err != nil {
		return nil, err
	}
	defer o.end()
	body.watch = o.watch(stall)
	defer body.watch.stop()
	g, err := o.grant()
	if err != nil {
		return nil, err
	}
	s, err := o.send(k, g, body.watch, body)
	if err != nil {
		sent, broken := body.end()
		if broken != nil && o.ctx.Err() == nil { // else it may have failed because of that
			return nil, m.badSource(k, sent, body.size, broken)
		}
		return nil, err
	}
	defer body.end() //nolint:errcheck // the answer counts: the device may refuse before it has read anything
	defer s.body.Close()
	if err := s.refusal(); err != nil {
		return nil, err
	}
	if err := s.all(); err != nil {
		return nil, err
	}
	var result imageResult
	if err := m.c.decode(k, s.answer, &result); err != nil {
		return nil, err
	}
	return result.Image.written(), nil
}

// badSource returns the error of a source that is not what it was said to be, or that failed.
func (m *MSD) badSource(k *call, sent, size int64, err error) error {
	image := k.query.Get("image")
	if errors.Is(err, errShortSource) || errors.Is(err, errLongSource) {
		return m.failure(k.op, image, StepRead, fmt.Sprintf("%v of %d bytes, %d were sent", err, size, sent),
			errkit.Invalid, nil)
	}
	return m.failure(k.op, image, StepRead, fmt.Sprintf("the source failed after %d of %d bytes", sent, size),
		errkit.Classify(err), err)
}

// confirm waits until the image is listed, and reads it back if there is a hash to compare.
func (m *MSD) confirm(ctx context.Context, op string, w *WrittenImage, wait time.Duration, want hash.Hash) error {
	if wait > 0 {
		if _, err := m.await(ctx, op, w.Name, wait, "the image is not listed", listed(w.Name, w.Size)); err != nil {
			return err
		}
	}
	if want == nil {
		return nil
	}
	got, err := m.Download(ctx, w.Name, io.Discard, &DownloadOptions{Hash: sha256.New()})
	switch {
	case err != nil:
		return err
	case string(got.Sum) != string(want.Sum(nil)):
		return m.failure(op, w.Name, StepVerify, "the image on the device differs", errkit.Conflict, nil)
	}
	return nil
}

// imageResult is the result of a write, and of each line of progress.
type imageResult struct {
	Image wireWritten `json:"image"`
}

type wireWritten struct {
	Name    *string `json:"name"`
	Size    *loose  `json:"size"`
	Written *loose  `json:"written"`
}

// UnmarshalJSON reads the result; all of it must be there.
func (r *imageResult) UnmarshalJSON(data []byte) error {
	type plain imageResult
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	if r.Image.Name == nil || r.Image.Size == nil || r.Image.Written == nil {
		return missing("image with name, size and written")
	}
	return nil
}

func (w wireWritten) written() *WrittenImage {
	return &WrittenImage{Name: *w.Name, Size: w.Size.int64(), Written: w.Written.int64()}
}
