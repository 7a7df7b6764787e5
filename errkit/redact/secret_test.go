package redact_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	const text = "S3CRET"
	type config struct {
		User     string
		Password redact.Secret
		Old      []redact.Secret
		ByName   map[string]redact.Secret
	}
	s := redact.Secret(text)
	c := config{"admin", s, []redact.Secret{s}, map[string]redact.Secret{"a": s}}
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T"} {
		out = append(out, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, c))
	}
	out = append(out, fmt.Sprint(s, c), s.String(), s.GoString())
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("login", "password", s, "config", c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("login", "password", s, "config", c)
	out = append(out, log.String())
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		b, err := marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	b, err := json.Marshal(map[string]config{"c": c})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range append(out, string(b)) {
		if strings.Contains(shown, text) || strings.Contains(shown, fmt.Sprintf("%x", text)) {
			t.Errorf("it shows: %s", shown)
		}
	}
	if got := s.Reveal(); got != text {
		t.Errorf("Reveal gives %q", got)
	}
	if got := fmt.Sprintf("%v", s); got != "***" {
		t.Errorf("it prints %q", got)
	}
	var read config
	if err := json.Unmarshal([]byte(`{"Password":"S3CRET"}`), &read); err != nil || read.Password.Reveal() != text {
		t.Errorf("read %q, %v from a configuration", read.Password.Reveal(), err)
	}
}
