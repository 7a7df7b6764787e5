package redact_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

func TestURLString(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"nothing to hide", "https://kvm.local:8443/api/atx?action=on&wait=1", "https://kvm.local:8443/api/atx?action=on&wait=1"},
		{"IPv6", "wss://[fe80::1]:443/ws", "wss://[fe80::1]:443/ws"},
		{"escaped path stays escaped", "https://h/a%2Fb%20c", "https://h/a%2Fb%20c"},
		{"a host name alone", "kvm.local", "kvm.local"},
		{"password", "https://admin:S3CRET@h/p", "https://admin:***@h/p"},
		{"empty password", "https://admin:@h/p", "https://admin:***@h/p"},
		{"password without user", "https://:S3CRET@h/p", "https://:***@h/p"},
		{"password with an at sign", "https://admin:S3@CRET@h/p", "https://admin:***@h/p"},
		{"user name", "https://admin@h/p", "https://admin@h/p"},
		{"token as user name", "https://ghp_16C7e42F292c6912E7710c838347Ae17@h/p", "https://***@h/p"},
		{"token as user name, dummy password", "https://S3CRET:x-oauth-basic@h/p", "https://***:***@h/p"},
		{"long plain token as user name", "https://abcdefghijklmnopqrstuvwxyz@h/p", "https://***@h/p"},
		{"fragment", "https://h/p#S3CRET", "https://h/p"},
		{"fragment with token", "https://h/p#access_token=S3CRET", "https://h/p"},
		{"query token keeps order", "https://h/p?x=1&token=S3CRET&y=2", "https://h/p?x=1&token=***&y=2"},
		{"Socket.IO session", "https://h/socket.io/?EIO=4&transport=polling&sid=S3CRET", "https://h/socket.io/?EIO=4&transport=polling&sid=***"},
		{"letter case", "https://h/p?ToKeN=S3CRET", "https://h/p?ToKeN=***"},
		{"prefix", "https://h/p?X-Amz-Security-Token=S3CRET&X-Amz-Signature=S3CRET", "https://h/p?X-Amz-Security-Token=***&X-Amz-Signature=***"},
		{"plural", "https://h/p?api-keys=S3CRET", "https://h/p?api-keys=***"},
		{"index", "https://h/p?token[0]=S3CRET&user[password]=S3CRET", "https://h/p?token[0]=***&user[password]=***"},
		{"numbered", "https://h/p?password2=S3CRET", "https://h/p?password2=***"},
		{"key escaped", "https://h/p?%74%6fken=S3CRET", "https://h/p?%74%6fken=***"},
		{"key escaped twice", "https://h/p?%2574oken=S3CRET", "https://h/p?%2574oken=***"},
		{"key with an invalid escape", "https://h/p?%zztoken=S3CRET", "https://h/p?%zztoken=***"},
		{"key with an invisible character", "https://h/p?to%E2%80%8Bken=S3CRET", "https://h/p?to%E2%80%8Bken=***"},
		{"key with the Kelvin sign", "https://h/p?to%E2%84%AAen=S3CRET", "https://h/p?to%E2%84%AAen=***"},
		{"semicolon as separator", "https://h/p?x=1;token=S3CRET;y=2", "https://h/p?x=1;token=***;y=2"},
		{"second question mark", "https://h/p?x=1?token=S3CRET", "https://h/p?x=***"},
		{"equals sign escaped", "https://h/p?token%3DS3CRET", "https://h/p?***"},
		{"ampersand escaped", "https://h/p?x=1%26token%3DS3CRET", "https://h/p?x=***"},
		{"two equals signs", "https://h/p?token==S3CRET", "https://h/p?token=***"},
		{"JSON value", "https://h/p?q=%7B%22token%22%3A%20%22S3CRET%22%7D", "https://h/p?q=***"},
		{"credential header as value", "https://h/p?h=Bearer+S3CRET", "https://h/p?h=***"},
		{"nested address", "https://h/p?url=https%3A%2F%2Fu%3AS3CRET%40m%2Fi.iso%3Ftoken%3DS3CRET%26n%3D1%23S3CRET", "https://h/p?url=https://u:***@m/i.iso?token=***%26n=1"},
		{"nested address, not escaped", "https://h/p?url=https://u:S3CRET@m/i.iso", "https://h/p?url=https://u:***@m/i.iso"},
		{"nested address that cannot be parsed", "https://h/p?url=https://u:S3CRET@m:port", "https://h/p?url=***"},
		{"nested twice", "https://h/p?url=https%3A%2F%2Fm%2F%3Fu%3Dhttps%253A%252F%252Fn%252FS3CRET", "https://h/p?url=https://m/?u=***"},
		{"nested address escaped twice", "https://h/p?url=https%253A%252F%252Fu%253AS3CRET%2540m", "https://h/p?url=***"},
		{"nested address without scheme", "https://h/p?next=//u:S3CRET@m/", "https://h/p?next=***"},
		{"nested path with query", "https://h/p?next=/login%3Ftoken%3DS3CRET", "https://h/p?next=***"},
		{"path parameter", "https://h/p;token=S3CRET/q", "https://h/***/q"},
		{"session in the path", "https://h/p;jsessionid=S3CRET", "https://h/***"},
		{"address in the path", "https://h/proxy/https://u:S3CRET@m/q", "https://h/proxy/https://***/q"},
		{"query escaped in the path", "https://h/p%3Ftoken=S3CRET", "https://h/***"},
		{"scope in the path", "https://h/@scope/pkg", "https://h/@scope/pkg"},
		{"missing slash", "https:/u:S3CRET@h/p", "https:/***/p"},
		{"extra slash", "https:///u:S3CRET@h/p", "https:///***/p"},
		{"no slashes", "https:u:S3CRET@h/p", "<invalid url>"},
		{"backslashes", `https:\\u:S3CRET@h/p`, "<invalid url>"},
		{"no scheme", "u:S3CRET@h/p", "<invalid url>"},
		{"no scheme, no valid one", "u_x:S3CRET@h/p", "<invalid url>"},
		{"no scheme, user only", "S3CRET@h/p", "***/p"},
		{"bad port", "https://u:S3CRET@h:port/?token=S3CRET", "<invalid url>"},
		{"bad escape", "https://u:S3CRET%zz@h/", "<invalid url>"},
		{"space before", " https://u:S3CRET@h/", "<invalid url>"},
		{"control character", "https://u:S3CRET@h/\x7f", "<invalid url>"},
		{"line break", "https://u:S3CRET@h/\n", "<invalid url>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := redact.URLString(tc.in); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if !strings.Contains(tc.want, "***") {
				return
			}
			if again := redact.URLString(tc.want); strings.Contains(again, "S3CRET") {
				t.Errorf("redacted again: %s", again)
			}
		})
	}
}

// Every name for which values are hidden, as it is and as the end of a longer one.
func TestURLStringNames(t *testing.T) {
	t.Parallel()
	for _, name := range secretNames {
		for _, key := range []string{name, strings.ToUpper(name), "x_" + name, "x-" + name} {
			in := "https://h/p?" + key + "=S3CRET"
			if got, want := redact.URLString(in), "https://h/p?"+key+"=***"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

var secretNames = []string{
	"token", "access_token", "refresh_token", "auth", "auth_token", "authorization", "passwd", "password", "pass", "pwd",
	"secret", "key", "api_key", "apikey", "signature", "sig", "otp", "totp", "code", "session", "sid",
}

func TestURL(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		in   *url.URL
		want string
	}{
		{"nil", nil, "<invalid url>"},
		{"opaque", &url.URL{Scheme: "mailto", Opaque: "u:S3CRET@h"}, "<invalid url>"},
		{"password in the host field", &url.URL{Scheme: "https", Host: "u:S3CRET@h"}, "<invalid url>"},
		{"query in the host field", &url.URL{Scheme: "https", Host: "h/?token=S3CRET"}, "<invalid url>"},
		{"fragment in the query field", &url.URL{Scheme: "https", Host: "h", RawQuery: "x=1#S3CRET"}, "https://h?x=1"},
		{"path without slash", &url.URL{Scheme: "https", Host: "h", Path: "p"}, "https://h/p"},
		{"user", &url.URL{Scheme: "https", Host: "h", User: url.UserPassword("u", "S3CRET")}, "https://u:***@h"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := redact.URL(tc.in); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestURLDoesNotChangeItsArgument(t *testing.T) {
	t.Parallel()
	const text = "https://u:S3CRET@h/p;token=1?token=S3CRET#S3CRET"
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	redact.URL(u)
	if got := u.String(); got != text {
		t.Errorf("it became %s", got)
	}
}

// FuzzURLString puts a secret into the places for secrets of an otherwise arbitrary address.
func FuzzURLString(f *testing.F) {
	f.Add("https", "user", "h:80", "/p/q;x=1", "x=1", "", "y=2", 3)
	f.Add("wss", "", "[::1]", "", "token", "%26", "url=https://h/", 0)
	f.Add("https", "", "h", "", "token", "%2%6", "url=https://h/", 2) // decoded, %6a takes the a of the name
	f.Add("http+unix", "a%40b", "h", "//", "a[]", ";", "&&", 20)
	f.Fuzz(func(t *testing.T, scheme, user, host, path, before, prefix, after string, name int) {
		const marker = "S3CRETmarker"
		for _, s := range []string{scheme, user, host, path, before, prefix, after} {
			if strings.Contains(s, marker) {
				t.Skip("the marker in a place for names")
			}
		}
		if strings.ContainsAny(prefix, "=?#") || strings.ContainsAny(scheme+user+host+path+before, "?#") {
			t.Skip("the marker would no longer stand in its place")
		}
		key := secretNames[uint(name)%uint(len(secretNames))]
		query := "?" + before + "&" + prefix + key + "=" + marker + "&" + after + "&url=" +
			url.QueryEscape("https://u:"+marker+"@n/?"+key+"="+marker+"#"+marker)
		for _, in := range []string{
			scheme + "://" + user + ":" + marker + "@" + host + path + query + "#" + marker,
			"https://" + user + ":" + marker + "@h/" + path + query + "#" + marker,
			"https://h/" + query,
			"https://h/?url=" + url.QueryEscape("https://"+user+":"+marker+"@"+host+"/"+query+"#"+marker),
		} {
			if out := redact.URLString(in); strings.Contains(out, marker) {
				t.Errorf("URLString(%q) = %q", in, out)
			}
		}
	})
}

// What a peer sends is not blown up.
func TestURLStringHostileLength(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"@", "=", ":", "%25", "&;", "//", "a@", "%", "'", " ", "https://", "sid=&", "sid=%26", "a:b@/"} {
		long := strings.Repeat(part, 1<<15/len(part))
		for _, in := range []string{"https://h/?x=" + long, "https://h/" + long, "https://h/?url=https%3A%2F%2F" + long} {
			if got := redact.URLString(in); len(got) > 3*len(in) {
				t.Errorf("%d bytes of %q became %d", len(in), part, len(got))
			}
		}
	}
}
