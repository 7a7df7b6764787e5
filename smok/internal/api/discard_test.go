package api_test

import (
	"io"
	"log"
)

// discard returns the logger of servers whose clients break off on purpose.
func discard() *log.Logger { return log.New(io.Discard, "", 0) }
