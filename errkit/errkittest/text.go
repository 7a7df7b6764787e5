package errkittest

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
)

const maxText = 1 << 10

// checkText checks the text of the sample, and that the parts a peer or a caller chooses cannot spoil a text.
func checkText(m *Module, s *Sample) (p problems) {
	if got := s.Err.Error(); got != s.Text {
		p.addf("the text is\n\t%s\nwant\n\t%s", got, s.Text)
	}
	p = append(p, compareText(m, "the text", s.Err.Error())...)
	hostile := errors.New("first\r\nsecond\x1b[31m\xff" + long())
	p = append(p, compareText(m, "the text with a hostile cause", s.Build("tar\nget", hostile).Error())...)
	p = append(p, compareText(m, "the text without target and cause", s.Build("", nil).Error())...)
	return p
}

// long returns 10 MB that JSON must escape.
var long = sync.OnceValue(func() string { return strings.Repeat("é<", 10<<20/3) })

func compareText(m *Module, what, text string) (p problems) {
	if want := m.Base.Code() + ": "; !strings.HasPrefix(text, want) {
		p.addf("%s begins with %.40q, not with %q", what, text, want)
	}
	if len(text) > maxText {
		p.addf("%s is %d bytes long, more than 1 KiB", what, len(text))
	}
	if !utf8.ValidString(text) {
		p.addf("%s is not valid UTF-8", what)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		p.addf("%s has control characters: %.200q", what, text)
	}
	if strings.Contains(text, "%!") {
		p.addf("%s was formatted wrongly: %.200q", what, text)
	}
	return p
}

const (
	secret       = "S3CRET"
	secretTarget = "https://user:S3CRET@h/p?token=S3CRET&x=1#S3CRET"
)

// checkSecrets checks that the secrets of an address appear nowhere.
func checkSecrets(_ *Module, s *Sample) (p problems) {
	request := &url.Error{Op: "Get", URL: secretTarget, Err: errors.New("connection refused")}
	_, parse := url.Parse(secretTarget + "\x7f")
	for _, c := range []struct {
		name  string
		cause error
	}{
		{"no cause", nil},
		{"a request error", request},
		{"a wrapped request error", fmt.Errorf("sending: %w", request)},
		{"joined request errors", errors.Join(request, request)},
		{"an address that cannot be parsed", parse},
	} {
		err := s.Build(secretTarget, c.cause)
		for what, text := range views(err) {
			if strings.Contains(text, secret) {
				p.addf("with %s: a secret is in %s: %.300s", c.name, what, text)
			}
		}
	}
	return p
}

// views returns every text that can be made of err.
func views(err error) map[string]string {
	v := map[string]string{
		"Error()": err.Error(),
		"Detail":  errkit.Detail(err),
		"%+v":     fmt.Sprintf("%+v", err),
		"%#v":     fmt.Sprintf("%#v", err),
		"Report":  string(encode(errkit.NewReport(err))),
	}
	if i := info(err); i != nil {
		v["Info"] = fmt.Sprintf("%+v", *i)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Warn("test", errkit.Attr(err))
	slog.New(slog.NewTextHandler(&log, nil)).Warn("test", errkit.Attr(err))
	v["Attr"] = log.String()
	for layer := range errkit.Walk(err) {
		v[fmt.Sprintf("the layer %T", layer)] = layer.Error()
	}
	return v
}
