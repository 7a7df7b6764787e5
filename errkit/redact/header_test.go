package redact_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

func TestHeader(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		in, want []string
	}{
		{"Authorization", []string{"Basic dTpTM0NSRVQ="}, []string{"***"}},
		{"authorization", []string{"Bearer S3CRET"}, []string{"***"}},
		{"Proxy-Authorization", []string{"Basic dTpTM0NSRVQ="}, []string{"***"}},
		{"Cookie", []string{"a=b; sid=S3CRET"}, []string{"***"}},
		{"Set-Cookie", []string{"auth_token=S3CRET; Path=/", "theme=dark"}, []string{"***", "***"}},
		{"X-KVMD-User", []string{"admin"}, []string{"admin"}},
		{"X-KVMD-Passwd", []string{"S3CRET"}, []string{"***"}},
		{"X-Kvmd-Passwd", []string{"S3CRET"}, []string{"***"}},
		{"x-kvmd-passwd", []string{"S3CRET"}, []string{"***"}},
		{"X-SSL-Client-Certificate", []string{"-----BEGIN CERTIFICATE-----"}, []string{"27 bytes"}},
		{"X-Api-Key", []string{"S3CRET"}, []string{"***"}},
		{"X-Auth-Token", []string{"S3CRET"}, []string{"***"}},
		{"X-Forwarded-Authorization", []string{"S3CRET"}, []string{"***"}},
		{"X-Original", []string{"Bearer S3CRET"}, []string{"***"}},
		{"Location", []string{"https://u:S3CRET@h/p?token=S3CRET"}, []string{"https://u:***@h/p?token=***"}},
		{"Link", []string{"<https://h/?token=S3CRET>; rel=next"}, []string{"***"}},
		{"Content-Type", []string{"text/html; charset=utf-8"}, []string{"text/html; charset=utf-8"}},
		{"Date", []string{"Mon, 02 Jan 2006 15:04:05 GMT"}, []string{"Mon, 02 Jan 2006 15:04:05 GMT"}},
		{"Cache-Control", []string{"max-age=0, no-store"}, []string{"max-age=0, no-store"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in := http.Header{tc.name: slices.Clone(tc.in)}
			if got := redact.Header(in)[tc.name]; !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if !slices.Equal(in[tc.name], tc.in) {
				t.Errorf("the argument became %q", in[tc.name])
			}
		})
	}
	if got := redact.Header(nil); got == nil || len(got) != 0 {
		t.Errorf("nil became %v", got)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	in := url.Values{
		"user":         {"admin"},
		"passwd":       {"S3CRET", "S3CRET"},
		"API-Key":      {"S3CRET"},
		"url":          {"https://u:S3CRET@h/i.iso?token=S3CRET&n=a b"},
		"note":         {"50 % off + more"},
		"extra":        {`{"password":"S3CRET"}`},
		"token=S3CRET": {"x"},
	}
	want := url.Values{
		"user":    {"admin"},
		"passwd":  {"***", "***"},
		"API-Key": {"***"},
		"url":     {"https://u:***@h/i.iso?token=***&n=a b"},
		"note":    {"50 % off + more"},
		"extra":   {"***"},
		"***":     {"***"},
	}
	if got := redact.Values(in); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
