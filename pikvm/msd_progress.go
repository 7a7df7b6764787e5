package pikvm

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// maxProgressLine bounds a line of progress, in bytes; devices send about a hundred.
const maxProgressLine = 64 << 10

// progressLines reads the lines of a fetch: each is a whole envelope, and the one that is not ok is the last.
type progressLines struct{ r *bufio.Reader }

func newProgressLines(r io.Reader) *progressLines {
	return &progressLines{bufio.NewReaderSize(r, maxProgressLine)}
}

// next returns the next envelope. It is io.EOF where the lines end, and any other error of the reader as it is.
func (l *progressLines) next() (envelope, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return envelope{}, &badLine{fmt.Errorf("a line over %d bytes: %w", maxProgressLine, errkit.TooLarge)}
		case err != nil && len(line) == 0:
			return envelope{}, err
		}
		if line = trimLine(line); len(line) == 0 && err == nil {
			continue
		}
		e, wrong := decodeEnvelope(line)
		switch {
		case wrong == nil:
			return e, nil
		case err != nil && err != io.EOF: //nolint:errorlint // what readers return
			return envelope{}, err // the line was cut off with the rest
		}
		return envelope{}, &badLine{wrong}
	}
}

// badLine is a line that is no envelope.
type badLine struct{ cause error }

func (b *badLine) Error() string { return b.cause.Error() }
func (b *badLine) Unwrap() error { return b.cause }

func trimLine(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}
