package pikvm

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"
	"time"
)

// LogRecord is one record of the journal.
type LogRecord struct {
	Time    time.Time // by the clock of the device, in its own time zone, which it does not tell: the zone says UTC
	Unit    string    // "kvmd", without ".service"
	Message string    // may have several lines
	Cut     bool      // the record was longer than 1 MiB and is cut

	// Text is the record as it came, but for what is no UTF-8. A record in another form has nothing else, and it is the
	// Message too.
	Text string
}

// maxLogRecord bounds a record, in bytes.
const maxLogRecord = 1 << 20

// logHead is the begin of a record: [2026-08-22 07:04:05 kvmd.service] --- text.
var logHead = regexp.MustCompile(`(?s)\A\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\S+?)(?:\.service)?\] --- (.*)\z`)

// parseLogRecord reads a record without its end of line.
func parseLogRecord(text string) LogRecord {
	text = strings.ToValidUTF8(text, "\ufffd")
	record := LogRecord{Message: text, Text: text}
	parts := logHead.FindStringSubmatch(text)
	if parts == nil {
		return record
	}
	at, err := time.Parse(time.DateTime, parts[1])
	if err != nil {
		return record
	}
	record.Time, record.Unit, record.Message = at, parts[2], parts[3]
	return record
}

// logReader splits the journal into records, which end with CR and LF; a message may have LFs of its own.
type logReader struct{ r *bufio.Reader }

func newLogReader(r io.Reader) *logReader { return &logReader{bufio.NewReaderSize(r, 32<<10)} }

// next returns the next record. Its errors are those of the reader; a record that one cuts off is lost with it, but for
// io.EOF.
func (l *logReader) next() (LogRecord, error) {
	var (
		text []byte
		cut  bool
		last byte // of the piece before
	)
	for {
		piece, err := l.r.ReadSlice('\n')
		switch room := maxLogRecord - len(text); {
		case len(piece) <= room:
			text = append(text, piece...)
		default:
			text = append(text, piece[:room]...)
			cut = true
		}
		ended := bytes.HasSuffix(piece, []byte("\r\n")) || string(piece) == "\n" && last == '\r'
		switch {
		case err == nil && ended, err == io.EOF && len(text) > 0: //nolint:errorlint // what readers return
			record := parseLogRecord(strings.TrimSuffix(string(text), "\r\n"))
			record.Cut = cut
			return record, nil
		case err != nil && err != bufio.ErrBufferFull: //nolint:errorlint // what readers return
			return LogRecord{}, err
		}
		last = piece[len(piece)-1]
	}
}
