package pikvm_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestUploadRefusedEarly: a device that refuses while gigabytes are on the way is heard, and the next request works.
func TestUploadRefusedEarly(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{1 << 20, 64 << 20} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			put(t, f, "a.img", 10)
			read := &counter{r: io.LimitReader(zeros{}, size)}
			_, err := f.client.MSD.Upload(t.Context(), "a.img", read, size, &pikvm.UploadOptions{DisableCheck: true})
			failure{Type: "APIError", Class: pikvm.ErrExists, Kinds: errkit.Conflict | errkit.Invalid, Status: 400}.check(t, err)
			if read.n > 16<<20 {
				t.Errorf("%d bytes were read for nothing", read.n)
			}
			if _, err := f.client.MSD.State(t.Context()); err != nil {
				t.Errorf("the next request: %v", err)
			}
		})
	}
}

// zeros is a source without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// TestUploadNotReplayed: a streamed body is never sent again, whatever the device thinks of the credentials.
func TestUploadNotReplayed(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, &pikvm.Options{Auth: pikvm.AuthCookie}, func(t *testing.T, f *fake) {
		if err := f.client.Auth.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.EndSessions()
		f.ClearRequests()
		_, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, &pikvm.UploadOptions{DisableCheck: true})
		failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403}.check(t, err)
		if got := len(f.Requests()); got != 1 {
			t.Errorf("%d requests, want 1", got)
		}
		f.EndSessions()
		if _, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, nil); err != nil {
			t.Errorf("the check before did not renew the session: %v", err)
		}
	})
}

// TestUploadCanceled: the source is not read after the return, and the device is left clean.
func TestUploadCanceled(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		end   func(f *fake, cancel context.CancelFunc)
		class error
	}{
		{"by the caller", func(_ *fake, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"by Close", func(f *fake, _ context.CancelFunc) { _ = f.client.Close() }, pikvm.ErrClosed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, w := io.Pipe()
				returned := make(chan error, 1)
				go func() {
					_, err := f.client.MSD.Upload(ctx, "a.img", r, 1<<20, nil)
					returned <- err
				}()
				if _, err := w.Write(pattern(200_000)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the next read is under way
				go tc.end(f, cancel)
				synctest.Wait()
				select {
				case err := <-returned:
					t.Fatalf("returned with %v while the source was being read", err)
				default:
				}
				_ = w.CloseWithError(io.ErrClosedPipe)
				if err := <-returned; !errors.Is(err, tc.class) {
					t.Errorf("error is %v", err)
				}
				time.Sleep(time.Second)
				if images := f.Images(); len(images) > 0 {
					t.Errorf("the device has %+v", images)
				}
			})
		})
	}
}

// TestUploadStalls: a device that stops reading, and one that does not answer, end the upload in time.
func TestUploadStalls(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{0, 10 * time.Second} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: "/api/msd/write", Times: 1})
			begin := time.Now()
			_, err := f.client.MSD.Upload(t.Context(), "a.img", bare(io.LimitReader(zeros{}, 64<<20)), 64<<20,
				&pikvm.UploadOptions{StallTimeout: limit})
			want := limit
			if want == 0 {
				want = time.Minute
			}
			failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: want}.check(t, err)
			if took := time.Since(begin); took < want || took > want+5*time.Second {
				t.Errorf("ended after %v, want %v", took, want)
			}
			if _, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, nil); err != nil {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

// TestUploadLate: an image that the device does not list in time is a typed error that names the step.
func TestUploadLate(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		_, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1,
			&pikvm.UploadOptions{ListTimeout: 500 * time.Millisecond})
		checkMSD(t, err, pikvm.StepList, errkit.Timeout)
		if e, _ := errors.AsType[*pikvm.MSDError](err); e.Limit != 500*time.Millisecond || e.Image != "a.img" {
			t.Errorf("error is %+v", e)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err = f.client.MSD.Upload(ctx, "b.img", strings.NewReader("x"), 1, nil)
		checkMSD(t, err, pikvm.StepList, errkit.Timeout)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v hides the deadline", err)
		}
		begin := time.Now()
		if _, err = f.client.MSD.Upload(t.Context(), "c.img", strings.NewReader("x"), 1, &pikvm.UploadOptions{ListTimeout: -1}); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > 100*time.Millisecond {
			t.Errorf("waited for %v", took)
		}
	})
}

// cutAt does something when so many bytes have been read.
type cutAt struct {
	r     io.Reader
	after int
	cut   func()
}

func (c *cutAt) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.after -= n; c.after <= 0 && c.cut != nil {
		c.cut()
		c.cut = nil
	}
	return n, err
}
