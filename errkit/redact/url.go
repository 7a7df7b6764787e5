package redact

import (
	"net/url"
	"strings"
)

// invalid is shown instead of an address that cannot be parsed. The parser's message repeats the input.
const invalid = "<invalid url>"

// URLString returns the address rawURL for texts, as [URL] does, and "<invalid url>" if it cannot be parsed. An
// empty one stays empty.
func URLString(rawURL string) string {
	if rawURL == "" {
		return ""
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return invalid
	}
	return URL(u)
}

// URL returns the address u for texts: "***" stands for a password, for a user name that may be a token, for the
// values of query parameters with telling names (token, api_key, X-Amz-Signature, sid, code and the like) and for
// parts of the path that hold such a pair. A query value that is an address itself is redacted too, one level
// deep; below it, all that may hide a secret is hidden. The fragment is left out. An opaque address such as
// "user:password@host" without "//" is "<invalid url>".
func URL(u *url.URL) string { return urlText(u, 0) }

// maxNesting is how many addresses inside an address are shown.
const maxNesting = 1

func urlText(u *url.URL, nesting int) string {
	if u == nil || u.Opaque != "" || strings.ContainsAny(u.Host, "@/?#") {
		return invalid // the last one was not parsed but put together
	}
	var b strings.Builder
	if u.Scheme != "" {
		b.WriteString(u.Scheme + ":")
	}
	if u.Host != "" || u.User != nil || u.Scheme != "" && !u.OmitHost {
		b.WriteString("//" + userText(u.User) + u.Host)
		if u.Path != "" && u.Path[0] != '/' {
			b.WriteByte('/')
		}
	}
	b.WriteString(pathText(u.EscapedPath()))
	if query, _, _ := strings.Cut(u.RawQuery, "#"); query != "" {
		b.WriteString("?" + queryText(query, nesting))
	}
	return b.String()
}

// userText returns what may be shown of the part before the "@".
func userText(user *url.Userinfo) string {
	if user == nil {
		return ""
	}
	name := mask
	if isPlainName(user.Username()) {
		name = user.Username()
	}
	if _, has := user.Password(); has {
		return name + ":" + mask + "@"
	}
	return name + "@"
}

// isPlainName tells a user name from a token that stands in its place: "https://<token>@host" and
// "https://<token>:x-oauth-basic@host" are customary.
func isPlainName(name string) bool {
	const longest = 15
	for i := range len(name) {
		letter := name[i]|0x20 >= 'a' && name[i]|0x20 <= 'z'
		if !letter && name[i] != '.' && name[i] != '-' {
			return false
		}
	}
	return len(name) <= longest
}

// pathText masks the segments of an escaped path that hold a secret: an address with a password, or a pair such
// as ";token=...".
func pathText(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		plain := decode(s)
		at := strings.Index(plain, "@")
		if at > 0 || hasSecret(plain) {
			segments[i] = mask
		}
	}
	return strings.Join(segments, "/")
}

// queryText masks the values of a query that are secret, and keeps its order and form. Servers take ";" for "&".
func queryText(query string, nesting int) string {
	var b strings.Builder
	for query != "" {
		end := strings.IndexAny(query, "&;")
		pair, separator := query, ""
		if end >= 0 {
			pair, separator = query[:end], query[end:end+1]
		}
		b.WriteString(pairText(pair, nesting) + separator)
		query = query[len(pair)+len(separator):]
	}
	return b.String()
}

func pairText(pair string, nesting int) string {
	name, value, ok := strings.Cut(pair, "=")
	switch {
	case hasSecret(name):
		return mask
	case !ok:
		return pair
	case isSecretName(name):
		return name + "=" + mask
	}
	return name + "=" + valueText(value, nesting)
}

// valueText returns what may be shown of an escaped query value.
func valueText(value string, nesting int) string {
	if plain, err := url.QueryUnescape(value); err == nil && strings.Contains(plain, "://") && nesting < maxNesting {
		if nested, err := url.Parse(plain); err == nil && nested.Host != "" {
			return escapeValue(urlText(nested, nesting+1))
		}
		return mask
	}
	if hasSecret(value) || strings.Contains(decode(value), "://") {
		return mask
	}
	return value
}

// escapeValue escapes what would end a query value, and leaves an address readable.
func escapeValue(s string) string {
	return strings.NewReplacer("%", "%25", "&", "%26", ";", "%3B", "#", "%23", "+", "%2B", " ", "%20").Replace(s)
}
