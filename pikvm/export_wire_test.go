package pikvm

import "io"

// Decoders that have tests of their own.
var (
	ParseMetrics   = parseMetrics
	CheckImageName = checkImageName
	StoredName     = storedName
)

// ReadLog reads all records.
func ReadLog(r io.Reader) ([]LogRecord, error) {
	l := newLogReader(r)
	var records []LogRecord
	for {
		record, err := l.next()
		if err != nil {
			return records, err
		}
		records = append(records, record)
	}
}

// ReadProgress reads all lines of progress: for each, whether it is a success, and its result.
func ReadProgress(r io.Reader) (oks []bool, results []string, err error) {
	l := newProgressLines(r)
	for {
		e, err := l.next()
		if err != nil {
			return oks, results, err
		}
		oks = append(oks, *e.OK)
		results = append(results, string(e.Result))
	}
}

// MaxProgressLine and MaxLogRecord are bounds, in bytes.
const (
	MaxProgressLine = maxProgressLine
	MaxLogRecord    = maxLogRecord
)
