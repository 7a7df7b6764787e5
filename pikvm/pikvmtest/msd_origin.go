package pikvmtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// origin is where an image is fetched from: the answer of a server, which may be made up.
type origin struct {
	size int64  // negative if the server does not tell
	name string // that the image has there
	body io.ReadCloser
}

// connect asks the server of a URL for an image. ctx ends what it returns.
func (m *msd) connect(ctx context.Context, address *url.URL, insecure bool, limit time.Duration) (*origin, error) {
	if remote, ok := m.opts.Remotes[address.String()]; ok {
		return m.imitate(ctx, address, &remote)
	}
	if !m.opts.mayFetch(address) {
		return nil, unreachable(address, "Connect call failed")
	}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: limit}).DialContext,
			TLSHandshakeTimeout: limit,
			TLSClientConfig:     &tls.Config{InsecureSkipVerify: insecure}, //nolint:gosec // as the caller asked
			DisableCompression:  true,
			DisableKeepAlives:   true, // nothing is left behind
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 10 || !m.opts.mayFetch(r.URL) {
				return errors.New("a redirect to where the device must not fetch")
			}
			return nil
		},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, unreachable(address, err.Error())
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, unreachable(address, errors.Unwrap(err).Error())
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close() // nobody reads it
		return nil, refusedBy(address, answer.StatusCode)
	}
	name := path.Base(address.Path)
	if _, params, err := mime.ParseMediaType(answer.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		name = params["filename"]
	}
	return &origin{answer.ContentLength, name, answer.Body}, nil
}

// mayFetch reports whether the device may really ask for a URL.
func (o *MSDOptions) mayFetch(address *url.URL) bool {
	clean := address.JoinPath().String() // without ".." in its path
	return slices.ContainsFunc(o.FetchFrom, func(begin string) bool { return strings.HasPrefix(clean, begin) })
}

// The errors of a fetch that does not begin, as the device words them.

func unreachable(address *url.URL, why string) error {
	return &apiError{
		http.StatusBadRequest, "ClientConnectorError",
		fmt.Sprintf("Cannot connect to host %s ssl:default [%s]", address.Host, why),
	}
}

func refusedBy(address *url.URL, status int) error {
	return &apiError{
		http.StatusBadRequest, "ClientResponseError",
		fmt.Sprintf("%d, message='%s', url=URL('%s')", status, http.StatusText(status), address),
	}
}

// imitate is the answer of a server that exists for the device only.
func (m *msd) imitate(ctx context.Context, address *url.URL, remote *RemoteImage) (*origin, error) {
	if remote.Status != 0 && remote.Status != http.StatusOK {
		return nil, refusedBy(address, remote.Status)
	}
	o := &origin{size: remote.Size, name: remote.Name, body: &madeUp{server: m.server, ctx: ctx, remote: remote}}
	if remote.NoLength {
		o.size = -1
	}
	if o.name == "" {
		o.name = path.Base(address.Path)
	}
	return o, nil
}

// madeUp is the content of a [RemoteImage]: zeros.
type madeUp struct {
	server *Server
	ctx    context.Context
	remote *RemoteImage
	done   int64
}

// Read takes as long for each piece as the image says.
func (u *madeUp) Read(p []byte) (int, error) {
	if err := u.server.sleep(u.ctx, u.remote.ChunkTime); err != nil {
		return 0, err
	}
	end := u.remote.Size
	if u.remote.BreakAt > 0 {
		end = min(end, u.remote.BreakAt)
	}
	n := int(min(int64(len(p)), end-u.done))
	clear(p[:n])
	if u.done += int64(n); u.done == u.remote.BreakAt && u.remote.BreakAt > 0 {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

// Close does nothing: there is no connection.
func (u *madeUp) Close() error { return nil }
