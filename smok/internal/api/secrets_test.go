package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
)

// syncedBuffer is a log that several goroutines write.
type syncedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestSecrets lets the hub and the network repeat the certificate's header in every way, and checks that neither it nor
// the key gets into an error or a log.
func TestSecrets(t *testing.T) {
	t.Parallel()
	cert := device(ngtt.LocalDevelopment).Certificate()
	_, key, err := certs.PEM(cert)
	if err != nil {
		t.Fatal(err)
	}
	body := base64.StdEncoding.EncodeToString(cert.Certificate[0])
	secrets := []string{body[:40], body[70:110], body[len(body)-40 : len(body)-8], strings.Split(string(key), "\n")[1][:40]}

	echo := func(r *http.Request) string { return r.Header.Get("X-SSL-Client-Certificate") }
	quoted := func(s string) string { text, _ := json.Marshal(s); return string(text) }
	for name, handler := range map[string]http.HandlerFunc{
		"status": func(w http.ResponseWriter, r *http.Request) {
			answerJSON(w, 400, `{"status":`+quoted("bad certificate "+echo(r))+`}`)
		},
		"text": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(431)
			_, _ = io.WriteString(w, "too long: "+echo(r))
		},
		"with line breaks": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, strings.ReplaceAll(echo(r), "\t", "\n"))
		},
		"cut": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, strings.Repeat(".", 990)+echo(r))
		},
		"answer": func(w http.ResponseWriter, r *http.Request) {
			answerJSON(w, 200, quoted(echo(r)))
		},
		"entry": func(w http.ResponseWriter, r *http.Request) {
			answerJSON(w, 200, "["+quoted(echo(r))+"]")
		},
		"location": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://["+echo(r))
			w.WriteHeader(302)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log syncedBuffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			var reported []error
			client := hub(t, func(c *api.Config) {
				c.Logger = logger
				c.OnBadEntry = func(err error) { reported = append(reported, err) }
			}, handler)
			for _, endpoint := range endpoints {
				if _, err := endpoint.call(t.Context(), client); err != nil {
					reported = append(reported, err)
				}
			}
			reported = append(reported, client.UploadBAOB(t.Context(), "k", 1, strings.NewReader("x"), 1))
			_, err := client.DownloadBAOB(t.Context(), "k", io.Discard, 1)
			reported = append(reported, err)
			for _, err := range reported {
				logger.Warn("test", errkit.Attr(err))
				texts := fmt.Sprintf("%v %+v %#v", err, err, err)
				for layer := range errkit.Walk(err) {
					texts += layer.Error() + fmt.Sprintf("%#v", layer)
				}
				report, _ := json.Marshal(errkit.NewReport(err))
				_, _ = log.Write(append(report, texts...))
			}
			for _, secret := range secrets {
				if strings.Contains(log.String(), secret) {
					t.Errorf("%s... is in\n%.2000s", secret, log.String())
				}
			}
		})
	}
}

// TestLog checks what is logged of a request: no payload, no key.
func TestLog(t *testing.T) {
	t.Parallel()
	var log syncedBuffer
	client := hub(t, func(c *api.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, `{"status":"fine"}`) })
	if err := client.PutMetadata(t.Context(), "pincode", "1234", time.Unix(5, 0)); err != nil {
		t.Fatal(err)
	}
	var record map[string]any
	if err := json.Unmarshal([]byte(log.String()), &record); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"level": "DEBUG", "module": "smok", "target": hubURL, "op": "hub.PutMetadata", "status": 200.0, "received": 17.0,
	} {
		if record[key] != want {
			t.Errorf("%s is %v, want %v", key, record[key], want)
		}
	}
	if strings.Contains(log.String(), "pincode") || strings.Contains(log.String(), "1234") {
		t.Errorf("%s", log.String())
	}
	if _, err := client.DownloadBAOB(t.Context(), "k", io.Discard, 1); !errors.Is(err, errkit.Protocol) {
		t.Errorf("%v", err)
	}
}
