package pikvmtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// upload makes the body an image of n bytes.
func upload(n int) func(*http.Request) {
	return body("application/octet-stream", strings.Repeat("x", n))
}

// insert makes the body the parameters of InsertMedia.
func insert(text string) func(*http.Request) { return body("application/json", text) }

// storageSteps says how the recorded requests of the storage were sent, where they need more than their path, by their
// place in the recording.
var storageSteps = map[int]struct {
	after time.Duration
	with  func(*http.Request)
}{
	1:  {after: time.Second},
	2:  {after: time.Second, with: upload(100000)},
	3:  {after: time.Second},
	8:  {with: upload(100)},
	9:  {with: upload(100)},
	10: {with: upload(100)},
	11: {with: func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), -1 }},
	12: {with: upload(100)},
	27: {with: upload(100)},
	36: {with: insert(`{"Image": "small.iso", "Inserted": true, "WriteProtected": true}`)},
	40: {with: insert(`{`)},
	41: {with: insert(`{"Inserted": true}`)},
	42: {with: insert(`{"Image": "nope.iso"}`)},
	47: {with: upload(100)},
}

// TestRecordedStorage goes through the recorded session with the storage again: an upload, one that others find in the
// way, what is refused, the drive, Redfish, and an upload that breaks off.
func TestRecordedStorage(t *testing.T) {
	raw, err := os.ReadFile("../testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		k := &replayed{kvm: startInMemory(t, nil)}
		step := 0
		var slow *slowUpload
		for _, e := range all {
			if e.Name != "" || e.Config != "default" || !ofResource(e.Path) {
				continue
			}
			how := storageSteps[step]
			time.Sleep(how.after)
			switch step {
			case 4: // an upload is half done
				slow = k.begin("/api/msd/write?image=slow.img", 1000000)
				slow.send(500000)
				time.Sleep(2 * time.Second)
			case 7: // it ends
				slow.send(500000)
				k.compare(e, slow.end(t))
				time.Sleep(2 * time.Second)
				step++
				continue
			case 44: // the listing of what was removed has followed
				time.Sleep(600 * time.Millisecond)
			case 46: // an upload has broken off
				broken := k.begin("/api/msd/write?image=abort.img", 100000)
				broken.send(3000)
				broken.cancel()
				time.Sleep(2 * time.Second)
			}
			switch {
			case step == 16: // LZMA is not made here
				if got := k.do(e.Method, e.Path); got.Status != http.StatusNotImplemented {
					t.Errorf("LZMA: %d", got.Status)
				}
			case e.Binary && e.Status == http.StatusOK:
				got := k.do(e.Method, e.Path)
				if got.Status != e.Status || got.ContentType != e.ContentType || got.Header.Get("Content-Disposition") != e.Disposition {
					t.Errorf("%s: %d %s %v", e.Path, got.Status, got.ContentType, got.Header)
				}
			default:
				var options []func(*http.Request)
				if how.with != nil {
					options = append(options, how.with)
				}
				k.compare(e, k.do(e.Method, k.path(e.Path), options...))
			}
			step++
		}
		if step != 53 {
			t.Errorf("replayed %d exchanges, want 53", step)
		}
	})
}

// slowUpload is a request whose body comes piece by piece.
type slowUpload struct {
	pipe   *io.PipeWriter
	answer chan answer
	failed chan error
}

func (k *kvm) begin(path string, size int64) *slowUpload {
	r, w := io.Pipe()
	u := &slowUpload{w, make(chan answer, 1), make(chan error, 1)}
	go func() {
		a, err := k.try("POST", path, func(req *http.Request) { req.Body, req.ContentLength = r, size })
		if err != nil {
			u.failed <- err
			return
		}
		u.answer <- a
	}()
	return u
}

func (u *slowUpload) send(n int) { _, _ = u.pipe.Write(make([]byte, n)) } // the answer tells of a failure

// cancel breaks the body off.
func (u *slowUpload) cancel() {
	_ = u.pipe.CloseWithError(io.ErrUnexpectedEOF)
	<-u.failed
}

func (u *slowUpload) end(t *testing.T) answer {
	t.Helper()
	_ = u.pipe.Close()
	select {
	case a := <-u.answer:
		return a
	case err := <-u.failed:
		t.Fatal(err)
		return answer{}
	}
}
