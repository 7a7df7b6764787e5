package errkit_test

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	request := &url.Error{Op: "Get", URL: "https://h/?token=S3CRET", Err: io.EOF}
	for _, tc := range []struct {
		name   string
		info   errkit.Info
		detail string
		want   string
	}{
		{"nothing", errkit.Info{}, "", ""},
		{"class", errkit.Info{Class: lampHot}, "", "lamp: too hot"},
		{"class without text", errkit.Info{Class: lampErr}, "", "lamp"},
		{"op", errkit.Info{Class: lampHot, Op: "on"}, "", "lamp: on: too hot"},
		{"target", errkit.Info{Class: lampHot, Target: "kitchen"}, "", "lamp: kitchen: too hot"},
		{"all", errkit.Info{Class: lampHot, Op: "on", Target: "kitchen", Attempts: 3, Err: io.EOF}, "90 °C", "lamp: on kitchen: too hot after 3 attempts: 90 °C: EOF"},
		{"all but a class text", errkit.Info{Class: lampErr, Op: "on", Target: "kitchen", Err: io.EOF}, "90 °C", "lamp: on kitchen: 90 °C: EOF"},
		{"one attempt", errkit.Info{Class: lampHot, Attempts: 1}, "", "lamp: too hot"},
		{"cause with an address", errkit.Info{Class: lampHot, Err: request}, "", "lamp: too hot: EOF"},
		{"cause around an address", errkit.Info{Class: lampHot, Err: fmt.Errorf("x: %w", request)}, "", "lamp: too hot: EOF"},
		{"joined causes with addresses", errkit.Info{Class: lampHot, Err: errors.Join(request, errTest)}, "", "lamp: too hot: EOF test"},
		{"line breaks and escapes", errkit.Info{Class: lampHot, Op: "a\r\nb", Target: "c\u2028d\u0085e"}, "f\x1b[31m\x00\u009b\x7fg", "lamp: a  b c d e: too hot: f [31m   g"},
		{"invalid UTF-8", errkit.Info{Class: lampHot}, "a\xffb", "lamp: too hot: a\uFFFDb"},
		{"spaces at the end", errkit.Info{Class: lampHot, Err: errors.New("done\n")}, "", "lamp: too hot: done"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := errkit.Message(&tc.info, tc.detail); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

func TestMessageLength(t *testing.T) {
	t.Parallel()
	const limit = 1024
	prefix := len("lamp: too hot: ")
	for _, tc := range []struct {
		name string
		text string
		want int // length of the message
		cut  bool
	}{
		{"far below", "x", prefix + 1, false},
		{"just fits", strings.Repeat("x", limit-prefix-3), limit - 3, false},
		{"far above", strings.Repeat("x", 10<<20), limit, true},
		{"cut between characters", strings.Repeat("é", limit), limit - 1, true},
		{"cut between long characters", strings.Repeat("🔥", limit), limit - 2, true},
		{"invalid bytes grow", strings.Repeat("\xff", limit), limit, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, info := range []errkit.Info{{Class: lampHot}, {Class: lampHot, Err: errors.New(tc.text)}} {
				detail := tc.text
				if info.Err != nil {
					detail = ""
				}
				got := errkit.Message(&info, detail)
				if len(got) > limit || !utf8.ValidString(got) || strings.HasSuffix(got, "…") != tc.cut {
					t.Errorf("%d bytes, valid %v, ends in %q", len(got), utf8.ValidString(got), got[len(got)-4:])
				}
				if len(got) < tc.want-4 {
					t.Errorf("%d bytes are kept, want about %d", len(got), tc.want)
				}
			}
		})
	}
}
