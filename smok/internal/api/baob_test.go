package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestUploadBAOB checks the form byte by byte.
func TestUploadBAOB(t *testing.T) {
	t.Parallel()
	const content = "\x00raw\r\n--bytes"
	client := hub(t, nil, func(w http.ResponseWriter, r *http.Request) {
		kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		body, _ := io.ReadAll(r.Body)
		if err != nil || kind != "multipart/form-data" || r.Method != "PUT" || r.RequestURI != "/v1/device/baobs/k" ||
			int64(len(body)) != r.ContentLength || !r.Close { // a refusal may leave some of it unread
			t.Errorf("%s %s, %s, %d bytes of %d, %v", r.Method, r.RequestURI, kind, len(body), r.ContentLength, err)
		}
		b := params["boundary"]
		want := "--" + b + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\n" + content +
			"\r\n--" + b + "\r\nContent-Disposition: form-data; name=\"data\"; filename=\"data\"\r\n\r\n{\"version\":3}\r\n--" + b + "--\r\n"
		if string(body) != want {
			t.Errorf("%q", body)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if err := client.UploadBAOB(t.Context(), "k", 3, strings.NewReader(content), int64(len(content))); err != nil {
		t.Error(err)
	}
}

// TestUploadBAOBIsStreamed checks that the hub has the beginning before the end exists.
func TestUploadBAOBIsStreamed(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	arrived := make(chan struct{})
	client := hub(t, nil, func(w http.ResponseWriter, r *http.Request) {
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		part, err := multipart.NewReader(r.Body, params["boundary"]).NextPart()
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := io.CopyN(io.Discard, part, 1<<20); err != nil {
			t.Error(err)
		}
		close(arrived)
		n, _ := io.Copy(io.Discard, part)
		if n != size-1<<20 {
			t.Errorf("%d bytes more", n)
		}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	zeros := func(n int64) io.Reader { return io.LimitReader(endless{}, n) }
	content := io.MultiReader(zeros(2<<20), waitFor(arrived), zeros(size-2<<20))
	if err := client.UploadBAOB(eventually(t), "k", 0, content, size); err != nil {
		t.Error(err)
	}
}

// endless is a source of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// waitFor returns a reader without bytes that ends when happened is closed.
func waitFor(happened <-chan struct{}) io.Reader { return gate{happened} }

type gate struct{ open <-chan struct{} }

func (g gate) Read([]byte) (int, error) {
	<-g.open
	return 0, io.EOF
}

// TestUploadBAOBFromBadSource checks sources that are not what they should be: the hub never gets the whole.
func TestUploadBAOBFromBadSource(t *testing.T) {
	t.Parallel()
	broken := errors.New("flash is worn out")
	for _, tc := range []struct {
		name   string
		source io.Reader
		text   string
		cause  error
	}{
		{"short", strings.NewReader("123"), "shorter", nil},
		{"long", strings.NewReader("123456"), "longer", nil},
		{"broken", io.MultiReader(strings.NewReader("12"), iotest.ErrReader(broken)), "", broken},
		{"broken at the end", io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(broken)), "", broken},
		{"stuck", io.MultiReader(strings.NewReader("12345"), stuck{}), "", io.ErrNoProgress},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client := hub(t, nil, func(_ http.ResponseWriter, r *http.Request) {
				if body, err := io.ReadAll(r.Body); err == nil {
					t.Errorf("the hub got all of it: %q", body)
				}
			})
			err := client.UploadBAOB(t.Context(), "k", 1, tc.source, 5)
			if _, ok := errors.AsType[*smokerr.StoreError](err); !ok || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v", err)
			}
			if tc.cause != nil && !errors.Is(err, tc.cause) {
				t.Errorf("%v does not match %v", err, tc.cause)
			}
		})
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// TestUploadBAOBRefused checks a hub that refuses before it has read the content.
func TestUploadBAOBRefused(t *testing.T) {
	t.Parallel()
	client := script(t, nil, func(conn *netem.Conn, link *netem.Link) {
		readHead(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 409 Conflict\r\nContent-Length: 20\r\n\r\n{\"status\":\"version\"}")
		_ = link.Wait(context.Background(), func(s netem.State) bool { return s.Down.Read == s.Down.Written })
		_ = conn.Reset()
	})
	content := &counting{from: endless{}}
	err := client.UploadBAOB(eventually(t), "k", 1, content, 64<<20)
	checkOutcome(t, err, outcome{smokerr.ErrClientFault, errkit.Conflict, 409, "version"})
	if before := content.n; before >= 64<<20 {
		t.Errorf("all %d bytes were read", before)
	}
}

// counting counts what is read of a source.
type counting struct {
	from io.Reader
	n    int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

// TestUploadBAOBArguments checks what is refused before anything is sent.
func TestUploadBAOBArguments(t *testing.T) {
	t.Parallel()
	client := hub(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("a request") })
	for field, err := range map[string]error{
		"version": client.UploadBAOB(t.Context(), "k", -1, strings.NewReader(""), 0),
		"size":    client.UploadBAOB(t.Context(), "k", 0, strings.NewReader(""), -1),
		"content": client.UploadBAOB(t.Context(), "k", 0, nil, 0),
	} {
		if wrong, ok := errors.AsType[*smokerr.InvalidArgumentError](err); !ok || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestUploadBAOBStalls checks that a slow upload may take long, and one that does not move may not.
func TestUploadBAOBStalls(t *testing.T) {
	t.Parallel()
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client := hub(t, nil, func(_ http.ResponseWriter, r *http.Request) {
				for range 16 {
					time.Sleep(30 * time.Second)
					if _, err := io.CopyN(io.Discard, r.Body, 64<<10); err != nil {
						t.Error(err)
					}
				}
				_, _ = io.Copy(io.Discard, r.Body)
			})
			began := time.Now()
			if err := client.UploadBAOB(t.Context(), "k", 1, io.LimitReader(endless{}, 1<<20), 1<<20); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took < 8*time.Minute {
				t.Errorf("took %v", took)
			}
		})
	})
	t.Run("stalled", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client := script(t, nil, func(conn *netem.Conn, link *netem.Link) {
				readHead(conn)
				// Nothing is read any more, until the device gives up.
				_ = link.Wait(context.Background(), func(s netem.State) bool { return s.DialerClosed })
			})
			began := time.Now()
			err := client.UploadBAOB(t.Context(), "k", 1, io.LimitReader(endless{}, 1<<20), 1<<20)
			checkOutcome(t, err, noReply(errkit.Timeout))
			if took := time.Since(began); took != 40*time.Second {
				t.Errorf("took %v", took)
			}
		})
	})
}

// TestDownloadBAOB checks what is written, and what is not taken for a BAOB.
func TestDownloadBAOB(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("\x00\xff"), 50<<10)
	for _, tc := range []struct {
		name    string
		version string
		limit   int64
		want    *outcome
	}{
		{"whole", "7", 100 << 10, nil},
		{"over the limit", "7", 100<<10 - 1, &outcome{smokerr.ErrBadAnswer, errkit.Protocol | errkit.TooLarge, 200, ""}},
		{"no version", "", 1 << 20, &outcome{smokerr.ErrBadAnswer, errkit.Protocol, 200, ""}},
		{"negative version", "-1", 1 << 20, &outcome{smokerr.ErrBadAnswer, errkit.Protocol, 200, ""}},
		{"no number", "1.5", 1 << 20, &outcome{smokerr.ErrBadAnswer, errkit.Protocol, 200, ""}},
		{"beyond all numbers", "9223372036854775808", 1 << 20, &outcome{smokerr.ErrBadAnswer, errkit.Protocol, 200, ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client := hub(t, nil, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" || r.RequestURI != "/v1/device/baobs/k%20l" || r.Header.Get("X-SSL-Client-Certificate") == "" {
					t.Errorf("%s %s", r.Method, r.RequestURI)
				}
				w.Header().Set("X-SMOK-BAOB-Version", tc.version)
				_, _ = w.Write(content)
			})
			var out bytes.Buffer
			version, err := client.DownloadBAOB(t.Context(), "k l", &out, tc.limit)
			if tc.want != nil {
				checkOutcome(t, err, *tc.want)
				if int64(out.Len()) > tc.limit || tc.limit == 1<<20 && out.Len() > 0 {
					t.Errorf("%d bytes were written", out.Len())
				}
				return
			}
			if err != nil || version != 7 || !bytes.Equal(out.Bytes(), content) {
				t.Errorf("version %d, %d bytes, %v", version, out.Len(), err)
			}
		})
	}
}

// versioned is a writer that learns the version first.
type versioned struct {
	bytes.Buffer
	version int64
	failure error
}

func (v *versioned) WriteVersion(version int64) error {
	if v.Len() > 0 {
		return errors.New("the version comes late")
	}
	v.version = version
	return v.failure
}

// TestDownloadBAOBVersionFirst checks that a writer can learn the version before the content, and refuse it.
func TestDownloadBAOBVersionFirst(t *testing.T) {
	t.Parallel()
	client := hub(t, nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-SMOK-BAOB-Version", "7")
		_, _ = io.WriteString(w, "content")
	})
	out := &versioned{version: -1}
	if version, err := client.DownloadBAOB(t.Context(), "k", out, 100); version != 7 || out.version != 7 || out.String() != "content" || err != nil {
		t.Errorf("%d, %+v, %v", version, out, err)
	}
	out = &versioned{failure: errors.New("old")}
	if _, err := client.DownloadBAOB(t.Context(), "k", out, 100); !errors.Is(err, smokerr.ErrStore) || out.Len() != 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

// TestDownloadBAOBFaults checks links and stores that fail on the way.
func TestDownloadBAOBFaults(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nX-SMOK-BAOB-Version: 1\r\nContent-Length: 10\r\n\r\n12345"
	t.Run("reset", func(t *testing.T) {
		t.Parallel()
		client := script(t, nil, func(conn *netem.Conn, link *netem.Link) {
			readHead(conn)
			_, _ = io.WriteString(conn, head)
			_ = link.Wait(context.Background(), func(s netem.State) bool { return s.Down.Read == s.Down.Written })
			_ = conn.Reset()
		})
		_, err := client.DownloadBAOB(t.Context(), "k", io.Discard, 100)
		checkOutcome(t, err, noReply(errkit.Disconnected))
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		client := hub(t, nil, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 404, `{"status":"no"}`) })
		_, err := client.DownloadBAOB(t.Context(), "k", io.Discard, 100)
		checkOutcome(t, err, outcome{smokerr.ErrNotFound, errkit.NotFound, 404, "no"})
	})
	for name, tc := range map[string]struct {
		failure error
		class   *errkit.Class
		kinds   errkit.Kind
	}{
		"disk full":        {syscall.ENOSPC, smokerr.ErrStore, errkit.Full},
		"damaged":          {smokerr.Corrupt("put", "baobs", nil), smokerr.ErrCorrupt, 0},
		"short write":      {io.ErrShortWrite, smokerr.ErrStore, 0},
		"closed by itself": {smokerr.Closed("put"), smokerr.ErrClosed, errkit.Closed | errkit.NotSent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := script(t, nil, func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, head+"67890")
			})
			_, err := client.DownloadBAOB(t.Context(), "k", failing{tc.failure}, 100)
			checkOutcome(t, err, outcome{Class: tc.class, Kinds: tc.kinds})
		})
	}
	t.Run("stalled", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client := script(t, nil, func(conn *netem.Conn, _ *netem.Link) {
				readHead(conn)
				_, _ = io.WriteString(conn, head[:len(head)-5])
				for range 3 { // slowly, but it moves
					time.Sleep(30 * time.Second)
					_, _ = io.WriteString(conn, "x")
				}
				_, _ = io.Copy(io.Discard, conn)
			})
			began := time.Now()
			_, err := client.DownloadBAOB(t.Context(), "k", io.Discard, 100)
			checkOutcome(t, err, noReply(errkit.Timeout))
			if took := time.Since(began); took != 130*time.Second {
				t.Errorf("took %v", took)
			}
		})
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) {
	if f.err == io.ErrShortWrite { //nolint:errorlint // the test's own
		return 0, nil // as no writer may
	}
	return 0, f.err
}
