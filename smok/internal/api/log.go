package api

import (
	"context"
	"net/http"
	"time"
)

// EncodingGzip is the encoding of a log message that is compressed with gzip and written in base64.
const EncodingGzip = "base64-gzip"

// LogRecord is one record of a log.
type LogRecord struct {
	Service       string    // which program of the device
	When          time.Time // microseconds count
	Message       string
	Encoding      string // of Message: empty for plain text, or EncodingGzip
	Level         int    // as in Python: 10 debug, 20 info, 30 warning, 40 error, 50 critical
	ExceptionText string // empty if there is none
}

// UploadLogs sends records. Nothing is sent if there are none.
func (c *Client) UploadLogs(ctx context.Context, records []LogRecord) error {
	k := &call{op: "hub.UploadLogs", method: http.MethodPut, path: "/v1/device/device_logs"}
	return upload(ctx, c, k, records, writeLogRecord)
}

// AppendLogRecord appends r to dst as it stands in the body of an upload.
func AppendLogRecord(dst []byte, r *LogRecord) ([]byte, error) {
	return appendOne(dst, "hub.AppendLogRecord", r, writeLogRecord)
}

func writeLogRecord(e *encoder, r *LogRecord) {
	members := 4
	if r.ExceptionText != "" {
		members++
	}
	e.object(members)
	e.member("service", r.Service)
	e.number("when", r.When.UnixMicro())
	e.key("message")
	if r.Encoding == "" {
		e.text(r.Message)
	} else {
		e.object(2)
		e.member("encoding", r.Encoding)
		e.member("content", r.Message)
	}
	e.number("level", int64(r.Level))
	if r.ExceptionText != "" {
		e.member("exception_text", r.ExceptionText)
	}
}
