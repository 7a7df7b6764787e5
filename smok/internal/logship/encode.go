package logship

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
)

// Compression of the original client.
const (
	plainRunes = 1000 // longer messages are compressed
	gzipLevel  = 8
)

// encode returns a record as it is to be sent: without the secrets, and with a long message compressed if that makes it
// shorter.
func (q *Queue) encode(r api.LogRecord) api.LogRecord {
	if len(q.cfg.Secrets) > 0 {
		r.Message = redact.Error(errors.New(r.Message), q.cfg.Secrets...).Error()
		if r.ExceptionText != "" {
			r.ExceptionText = redact.Error(errors.New(r.ExceptionText), q.cfg.Secrets...).Error()
		}
	}
	if len(r.Message) <= plainRunes || utf8.RuneCountInString(r.Message) <= plainRunes {
		return r
	}
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzipLevel) // the level exists, and a buffer takes everything
	_, _ = z.Write([]byte(r.Message))
	_ = z.Close()
	if content := base64.StdEncoding.EncodeToString(packed.Bytes()); len(content) < len(r.Message) {
		r.Message, r.Encoding = content, api.EncodingGzip
	}
	return r
}
