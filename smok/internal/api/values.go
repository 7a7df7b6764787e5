package api

import (
	"context"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Series are readings of one pathpoint, oldest first.
type Series struct {
	Path    string
	Samples []Sample
}

// Sample is one reading: a value, or why there is none.
type Sample struct {
	Time   time.Time      // milliseconds count
	Value  any            // bool, int64, float64 or string
	Reason smokerr.Reason // of a reading that failed; empty for a value
}

// UploadValues sends readings. Nothing is sent if there are none.
func (c *Client) UploadValues(ctx context.Context, series []Series) error {
	k := &call{op: "hub.UploadValues", method: http.MethodPost, path: "/v1/device/pathpoints"}
	return upload(ctx, c, k, series, writeSeries)
}

// AppendSeries appends s to dst as it stands in the body of an upload.
func AppendSeries(dst []byte, s *Series) ([]byte, error) {
	return appendOne(dst, "hub.AppendSeries", s, writeSeries)
}

// AppendSample appends s to dst as it stands in the body of an upload, inside its series.
func AppendSample(dst []byte, s *Sample) ([]byte, error) {
	return appendOne(dst, "hub.AppendSample", s, writeSample)
}

func writeSeries(e *encoder, s *Series) {
	e.object(2)
	e.member("path", s.Path)
	e.key("values")
	e.list(len(s.Samples))
	for i := range s.Samples {
		writeSample(e, &s.Samples[i])
	}
}

func writeSample(e *encoder, s *Sample) {
	if s.Reason != "" {
		e.list(3)
		e.bool(false)
		e.millis(s.Time)
		e.text(string(s.Reason))
		return
	}
	e.list(2)
	e.millis(s.Time)
	e.value(s.Value)
}

// upload sends entries with k and wants to hear no more than yes. Nothing is sent if there are none.
func upload[T any](ctx context.Context, c *Client, k *call, entries []T, write func(*encoder, *T)) error {
	if len(entries) == 0 {
		return nil
	}
	var err error
	if k.body, err = encodeList(k.op, entries, write); err != nil {
		return err
	}
	return c.send(ctx, k)
}
