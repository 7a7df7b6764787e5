package pikvm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Limits of the time in which the device connects to another server (PiKVM: write_remote).
const (
	minConnectTimeout     = 100 * time.Millisecond
	defaultConnectTimeout = 10 * time.Second
)

// FetchOptions are the optional settings of [MSD.Fetch]. The zero value is ready to use.
type FetchOptions struct {
	// Image is the name to store under. Empty means the one that the server gives, or the end of the URL.
	Image string

	// Prefix is the directory to store in. It must exist on the device. Empty means the main one.
	Prefix string

	// InsecureSkipTLSVerify lets the device accept any certificate of the server.
	InsecureSkipTLSVerify bool

	// ConnectTimeout is how long the device may take to connect to the server, at least 100ms. Zero means 10s.
	ConnectTimeout time.Duration

	// Replace removes an image of the same name first, complete or not. It needs Image.
	Replace bool

	// KeepIncomplete leaves what was stored when the transfer breaks off; it blocks the name until it is removed.
	KeepIncomplete bool

	// Progress hears how much the device has stored, about every 2s, from the goroutine of the caller.
	Progress func(WrittenImage)

	// StallTimeout ends a transfer of which the device has told nothing for so long. Zero means 1min, negative means
	// never.
	StallTimeout time.Duration

	// ListTimeout is as in [UploadOptions].
	ListTimeout time.Duration
}

// Fetch lets the device fetch an image from an http or https server and returns when the device lists it as complete.
// The device needs the size beforehand: a server that does not tell it is refused.
//
// What goes wrong between the device and the server is an [APIError] with the name that the device has for it, such as
// "ClientPayloadError", and StatusCode 0 if the transfer had begun. When ctx ends, the device breaks the transfer off.
// Nil options mean the defaults.
func (m *MSD) Fetch(ctx context.Context, address string, opts *FetchOptions) (*WrittenImage, error) {
	const op = "msd.Fetch"
	var o FetchOptions
	if opts != nil {
		o = *opts
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if err := checkFetch(op, address, &o); err != nil {
		return nil, err
	}
	wait := listTimeout(o.ListTimeout)
	if err := m.fetchable(ctx, op, &o, wait); err != nil {
		return nil, err
	}
	written, err := m.fetch(ctx, &call{
		op: op, method: http.MethodPost, path: "/api/msd/write_remote", query: o.query(address), hidden: secretsOf(address),
	}, &o)
	if err != nil {
		return nil, err
	}
	return written, m.confirm(ctx, op, written, wait, nil)
}

// fetchable looks whether the device would begin. Without a name there is less to look at.
func (m *MSD) fetchable(ctx context.Context, op string, o *FetchOptions, wait time.Duration) error {
	if o.Image == "" {
		_, err := m.idle(ctx, op)
		return err
	}
	return m.room(ctx, op, o.Prefix+"/"+o.Image, -1, o.Replace, wait)
}

func checkFetch(op, address string, o *FetchOptions) error {
	switch _, exact := seconds(o.ConnectTimeout); {
	case !remoteURL.MatchString(address):
		return configurationError(op, "address", "not an http or https URL")
	case o.ConnectTimeout < minConnectTimeout:
		return configurationError(op, "ConnectTimeout", "less than 100ms")
	case !exact:
		return configurationError(op, "ConnectTimeout", "too long, or finer than a microsecond")
	case o.Replace && o.Image == "":
		return configurationError(op, "Replace", "needs Image")
	}
	if o.Image != "" {
		if reason := checkImageName(o.Image); reason != "" {
			return configurationError(op, "Image", reason)
		}
	}
	if strings.Trim(o.Prefix, "/") != "" {
		if reason := checkImageName(o.Prefix); reason != "" {
			return configurationError(op, "Prefix", reason)
		}
	}
	return nil
}

func (o *FetchOptions) query(address string) url.Values {
	query := url.Values{"url": {address}}
	if o.Image != "" {
		query.Set("image", o.Image)
	}
	if o.Prefix != "" {
		query.Set("prefix", o.Prefix)
	}
	if o.InsecureSkipTLSVerify {
		query.Set("insecure", "1")
	}
	if o.ConnectTimeout != defaultConnectTimeout {
		text, _ := seconds(o.ConnectTimeout)
		query.Set("timeout", text)
	}
	if !o.KeepIncomplete {
		query.Set("remove_incomplete", "1")
	}
	return query
}

// minHidden is how long the values in a query are that may be secrets: shorter ones would blot out half a text.
const minHidden = 4

// secretsOf returns what in an address gives access to something, as written and as meant: the password, and the values
// of its query, such as signatures. The device repeats addresses in its errors.
func secretsOf(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	var secrets []string
	hide := func(secret string) {
		if len(secret) >= minHidden {
			secrets = append(secrets, secret, url.QueryEscape(secret), url.PathEscape(secret))
		}
	}
	if password, ok := u.User.Password(); ok {
		hide(password)
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		_, value, _ := strings.Cut(pair, "=")
		hide(value)
		if plain, err := url.QueryUnescape(value); err == nil {
			hide(plain)
		}
	}
	return secrets
}

// fetch performs the transfer and follows its lines to the end.
func (m *MSD) fetch(ctx context.Context, k *call, o *FetchOptions) (*WrittenImage, error) {
	p := pace{stall: stallLimit(o.StallTimeout)}
	if m.c.opts.Timeout > 0 {
		p.head = m.c.opts.Timeout + o.ConnectTimeout // the device is silent while it connects
	}
	s, err := m.c.open(ctx, k, p)
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // always nil
	var last *WrittenImage
	lines := newProgressLines(s)
	for {
		e, err := lines.next()
		switch {
		case err == io.EOF: //nolint:errorlint // what readers return
			return last, m.whole(k, s, last)
		case err != nil:
			return nil, m.badProgress(k, s, err)
		case !*e.OK: // whatever becomes of the rest of the body
			return nil, m.c.apiError(k, s.answer, 0, e.refusal())
		}
		var result imageResult
		if err := json.Unmarshal(e.Result, &result); err != nil {
			return nil, m.c.responseError(k, s.answer, err)
		}
		last = result.Image.written()
		if o.Progress != nil {
			o.Progress(*last)
		}
	}
}

// badProgress returns the error of lines that cannot be read.
func (m *MSD) badProgress(k *call, s *stream, err error) error {
	if bad, ok := errors.AsType[*badLine](err); ok {
		return m.c.responseError(k, s.answer, bad.cause)
	}
	return err
}

// whole checks that the lines ended with a complete image.
func (m *MSD) whole(k *call, s *stream, last *WrittenImage) error {
	switch {
	case last == nil:
		return m.c.responseError(k, s.answer, errors.New("no line of progress"))
	case last.Written != last.Size:
		return m.c.responseError(k, s.answer, fmt.Errorf("ended after %d of %d bytes: %w", last.Written, last.Size,
			errkit.Protocol))
	}
	return nil
}
