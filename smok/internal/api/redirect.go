package api

import (
	"net/http"
)

// maxRedirects is how many redirects in a row are followed.
const maxRedirects = 5

// checkRedirect follows redirects of GET requests to the same origin. Others are answers: what was to be changed must not
// become a mere reading on the way (RFC 9110, section 15.4), and no other host gets to see who the device is.
func (c *Client) checkRedirect(next *http.Request, before []*http.Request) error {
	first := before[0]
	if first.Method != http.MethodGet || len(before) > maxRedirects ||
		next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || next.URL.User != nil {
		return http.ErrUseLastResponse
	}
	return nil
}
