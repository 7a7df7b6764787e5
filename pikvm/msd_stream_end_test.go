package pikvm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestTransfersInterrupted: the end of the caller's context and Close end transfers at once, and the storage is free
// again soon.
func TestTransfersInterrupted(t *testing.T) {
	t.Parallel()
	transfers := map[string]func(ctx context.Context, f *fake) error{
		"download": func(ctx context.Context, f *fake) error {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Path: "/api/msd/read", Interval: time.Second, Times: 1})
			_, err := f.client.MSD.Download(ctx, "a.img", io.Discard, nil)
			return err
		},
		"fetch": func(ctx context.Context, f *fake) error {
			_, err := f.client.MSD.Fetch(ctx, "http://mirror/a.img", &pikvm.FetchOptions{Image: "b.img"})
			return err
		},
	}
	for name, transfer := range transfers {
		for _, tc := range []struct {
			name string
			end  func(f *fake, cancel context.CancelFunc)
			want error
		}{
			{"canceled", func(_ *fake, cancel context.CancelFunc) { cancel() }, context.Canceled},
			{"closed", func(f *fake, _ context.CancelFunc) { _ = f.client.Close() }, pikvm.ErrClosed},
			{"deadline", nil, context.DeadlineExceeded},
		} {
			t.Run(name+" "+tc.name, func(t *testing.T) {
				t.Parallel()
				device := &pikvmtest.Options{MSD: pikvmtest.MSDOptions{Remotes: map[string]pikvmtest.RemoteImage{
					"http://mirror/a.img": {Size: 10 << 20, ChunkTime: time.Second},
				}}}
				inBubble(t, device, nil, func(t *testing.T, f *fake) {
					put(t, f, "a.img", 5000)
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					defer cancel()
					if tc.end != nil {
						go func() {
							time.Sleep(10 * time.Second)
							tc.end(f, cancel)
						}()
					}
					begin := time.Now()
					err := transfer(ctx, f)
					if !errors.Is(err, tc.want) || !errors.Is(err, pikvm.Err) {
						t.Errorf("error is %v, want %v", err, tc.want)
					}
					if took := time.Since(begin); tc.end != nil && took > 11*time.Second {
						t.Errorf("ended after %v", took)
					}
					time.Sleep(2 * time.Minute)
					if images := f.Images(); len(images) != 1 {
						t.Errorf("images are %+v", images)
					}
				})
			})
		}
	}
}

// TestFetchSecrets: what the address of an image holds in secrets is in no error, though the device repeats it.
func TestFetchSecrets(t *testing.T) {
	t.Parallel()
	const address = "https://user:hunter2@mirror.example.com/a.iso?token=s3cr3t"
	network := netem.New(nil)
	serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/msd" {
			reply(w, http.StatusOK, readTestdata(t, "msd_online_one_image.json"))
			return
		}
		reply(w, http.StatusBadRequest, fmt.Sprintf(
			`{"ok": false, "result": {"error": "ClientResponseError", "error_msg": "404, message='Not Found', url=URL('%s')"}}`,
			r.URL.Query().Get("url")))
	})
	c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
	_, err := c.MSD.Fetch(t.Context(), address, nil)
	failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Invalid, Status: 400}.check(t, err)
	api, _ := errors.AsType[*pikvm.APIError](err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), api.Message} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "s3cr3t") {
			t.Errorf("a secret in %q", text)
		}
	}
	if !strings.Contains(api.Message, "mirror.example.com") {
		t.Errorf("message is %q", api.Message)
	}
	for _, kind := range []pikvmtest.FaultKind{pikvmtest.FaultReset, pikvmtest.FaultHang, pikvmtest.FaultPage, pikvmtest.FaultGarbage} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			f.Inject(pikvmtest.Fault{Kind: kind, Path: "/api/msd/write_remote"})
			_, err := f.client.MSD.Fetch(t.Context(), address, nil)
			if text := fmt.Sprintf("%v %+v", err, errors.Unwrap(err)); err == nil || strings.Contains(text, "hunter2") || strings.Contains(text, "s3cr3t") {
				t.Errorf("a secret in %q", text)
			}
		})
	}
}
