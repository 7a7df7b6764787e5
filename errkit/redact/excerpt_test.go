package redact_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"a page", "<html>\r\n <body>\t502   Bad Gateway</body>\n</html>\n", "<html> <body> 502 Bad Gateway</body> </html>"},
		{"terminal escapes", "\x1b[31mred\x1b[0m\u009b1m", "[31mred [0m 1m"},
		{"direction of text", "abc\u202egpj.exe", "abc gpj.exe"},
		{"invalid UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"binary", "\x89PNG\r\n\x1a\n\x00\x00", ""},
		{"secret", "no user with password HUNTER22 here", "no user with password *** here"},
		{"secret at the end of what is looked at", strings.Repeat(" ", 4090) + "hunter22", "***…"},
		{"exactly 200 bytes", strings.Repeat("x", 200), strings.Repeat("x", 200)},
		{"longer", strings.Repeat("x", 201), strings.Repeat("x", 197) + "…"},
		{"longer, cut in a character", strings.Repeat("é", 150), strings.Repeat("é", 98) + "…"},
		{"much longer", strings.Repeat("x", 10<<20), strings.Repeat("x", 197) + "…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := redact.Excerpt([]byte(tc.in), "hunter22")
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if len(got) > 200 || !utf8.ValidString(got) {
				t.Errorf("%d bytes, valid UTF-8: %v", len(got), utf8.ValidString(got))
			}
		})
	}
}
