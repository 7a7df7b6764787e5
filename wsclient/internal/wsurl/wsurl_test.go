package wsurl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wsurl"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestParse(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"ws://peer", "wss://peer:443/path?token=S3CRET", "http://peer:80", "https://user:S3CRET@peer", "ws://[::1]:8080/",
	} {
		if u, err := wsurl.Parse("new", "url", raw); err != nil || u.String() != raw {
			t.Errorf("%s: %v, %v", raw, u, err)
		}
	}
	for raw, problem := range map[string]string{
		"":                    "scheme is not ws or wss",
		"peer":                "scheme is not ws or wss",
		"ftp://S3CRET@peer":   "scheme is not ws or wss",
		"ws://":               "no host",
		"ws://:80/S3CRET":     "no host",
		"ws://peer:65536":     "port is above 65535",
		"ws://peer:S3CRET":    "not a URL",
		"ws://peer/%zzS3CRET": "not a URL",
		"ws://pe er/S3CRET":   "not a URL",
	} {
		_, err := wsurl.Parse("new", "url", raw)
		if e, ok := errors.AsType[*wserr.ConfigError](err); !ok || e.Field != "url" || e.Op != "new" ||
			!strings.HasSuffix(e.Error(), "url: "+problem) || strings.Contains(e.Error(), "S3CRET") {
			t.Errorf("%q gives %v, want %s", raw, err, problem)
		}
	}
}
