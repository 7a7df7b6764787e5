package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// keyed are the calls whose path has a part of the caller's.
var keyed = map[string]func(ctx context.Context, c *api.Client, key string) error{
	"SendMessage": func(ctx context.Context, c *api.Client, key string) error { return c.SendMessage(ctx, key) },
	"MacroDone": func(ctx context.Context, c *api.Client, key string) error {
		return c.MacroDone(ctx, key, time.Unix(5, 0))
	},
	"Metadata": func(ctx context.Context, c *api.Client, key string) error {
		_, _, err := c.Metadata(ctx, key)
		return err
	},
	"PutMetadata": func(ctx context.Context, c *api.Client, key string) error {
		return c.PutMetadata(ctx, key, "v", time.Unix(5, 0))
	},
	"DeleteMetadata": func(ctx context.Context, c *api.Client, key string) error { return c.DeleteMetadata(ctx, key) },
	"DownloadBAOB": func(ctx context.Context, c *api.Client, key string) error {
		_, err := c.DownloadBAOB(ctx, key, new(strings.Builder), 10)
		return err
	},
	"UploadBAOB": func(ctx context.Context, c *api.Client, key string) error {
		return c.UploadBAOB(ctx, key, 1, strings.NewReader("x"), 1)
	},
	"Slave": func(ctx context.Context, c *api.Client, key string) error {
		_, err := c.Slave(ctx, key)
		return err
	},
	"PatchSlaveLinkState": func(ctx context.Context, c *api.Client, key string) error {
		return c.PatchSlaveLinkState(ctx, key, api.LinkState{})
	},
	"PatchSlaveInstrumentation": func(ctx context.Context, c *api.Client, key string) error {
		return c.PatchSlaveInstrumentation(ctx, key, "")
	},
}

// TestPathSegments checks that a key is one segment of the path, whatever is in it.
func TestPathSegments(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ key, encoded, withPlus string }{
		{"plain", "plain", "plain"},
		{"a b", "a%20b", "a+b"},
		{"a+b", "a%2Bb", "a%2Bb"},
		{"../../etc/passwd", "..%2F..%2Fetc%2Fpasswd", "..%2F..%2Fetc%2Fpasswd"},
		{"a/b?c#d%e", "a%2Fb%3Fc%23d%25e", "a%2Fb%3Fc%23d%25e"},
		{"żółć", "%C5%BC%C3%B3%C5%82%C4%87", "%C5%BC%C3%B3%C5%82%C4%87"},
		{"{id}\n", "%7Bid%7D%0A", "%7Bid%7D%0A"},
		{"...", "...", "..."},
	} {
		for _, plus := range []bool{false, true} {
			uris := make(chan string, 1)
			client := hub(t, func(c *api.Config) { c.BaseURL, c.PlusForSpace = hubURL+"/a%2Fb/", plus }, func(w http.ResponseWriter, r *http.Request) {
				uris <- r.RequestURI
				w.Header().Set("X-SMOK-BAOB-Version", "1")
			})
			for name, call := range keyed {
				if err := call(t.Context(), client, tc.key); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				want := tc.encoded
				if plus && strings.HasSuffix(name, "Metadata") {
					want = tc.withPlus
				}
				uri := <-uris
				got := strings.TrimSuffix(uri, "/5")
				if !strings.HasPrefix(uri, "/a%2Fb/v1/device/") || got[strings.LastIndex(got, "/")+1:] != want {
					t.Errorf("%s of %q: %s, want %s", name, tc.key, uri, want)
				}
			}
		}
	}
}

// TestBadKeys checks that a key that cannot be a segment is refused before anything is sent.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	client := hub(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("a request") })
	for _, key := range []string{"", ".", "..", "\xff"} {
		for name, call := range keyed {
			err := call(t.Context(), client, key)
			if _, ok := errors.AsType[*smokerr.InvalidArgumentError](err); !ok {
				t.Errorf("%s of %q: %v", name, key, err)
			}
		}
	}
}
