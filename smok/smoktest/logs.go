package smoktest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"time"
)

// maxUnpacked bounds a log message after decompression.
const maxUnpacked = 4 << 20

// LogRecord is a record of a device's log.
type LogRecord struct {
	Service    string
	Time       time.Time // to the microsecond
	Level      int       // 10 debug, 20 info, 30 warning, 40 error, 50 critical
	Message    string    // decompressed
	Compressed bool      // whether it came so
	Exception  string
	Traceback  json.RawMessage // decompressed; nil if there is none
	Request    uint64          // number of the request that brought it
}

// Logs returns the log of the device in the order in which it came.
func (d *Device) Logs() []LogRecord {
	return inspect(d, func(s *device) []LogRecord { return s.logs.snapshot() })
}

func putLogs(c *call) (any, error) {
	records, err := decodeList(c, func(f *fields) LogRecord {
		r := LogRecord{
			Service: f.text("service"), Time: f.unix("when", 1e6), Level: int(f.integer("level", math.MinInt32, math.MaxInt32)),
			Exception: f.optionalText("exception_text"), Request: c.req.Number,
		}
		r.Message, r.Compressed = f.message("message")
		if f.has("exception_traceback") {
			r.Traceback = f.unpack("exception_traceback", f.text("exception_traceback"))
			if !json.Valid(r.Traceback) {
				f.fail("exception_traceback", "not JSON")
			}
		}
		return r
	})
	if err != nil {
		return nil, err
	}
	c.device.counts.LogRecords += len(records)
	for _, r := range records {
		when := r.Time.UnixMicro()
		if last, ok := c.device.lastLog[r.Service]; ok && when <= last {
			c.device.counts.LogDisorder++
		}
		if _, ok := c.device.lastLog[r.Service]; ok || len(c.device.lastLog) < c.hub.opts.MaxKept {
			c.device.lastLog[r.Service] = when
		}
		c.device.logs.add(r, c.hub.opts.MaxKept)
	}
	return nil, nil
}

// message reads a text or its compressed form.
func (f *fields) message(key string) (text string, compressed bool) {
	v := f.require(key)
	if text, ok := v.(string); ok {
		return text, false
	}
	packed := newFields(f.where+": "+key, v)
	if packed.text("encoding") != "base64-gzip" {
		packed.fail("encoding", "unknown")
	}
	content := packed.text("content")
	if err := packed.end(); err != nil {
		if f.err == nil {
			f.err = err
		}
		return "", true
	}
	return string(f.unpack(key, content)), true
}

// unpack decodes base64 and gzip.
func (f *fields) unpack(key, content string) []byte {
	if f.err != nil {
		return nil
	}
	packed, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		f.fail(key, "not base64")
		return nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		f.fail(key, "not gzip")
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(reader, maxUnpacked+1))
	if err != nil || len(text) > maxUnpacked {
		f.fail(key, "broken or too long when decompressed")
		return nil
	}
	return text
}
