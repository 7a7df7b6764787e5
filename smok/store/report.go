package store

import (
	"strconv"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// Report tells of a loss in a part of a store, or of what else its owner should know. See [spool.Report] for the fields of
// a log. Of keyed state and blobs, Kind is Damaged or Failed, File is where the damaged data was set aside, and Reason what
// is wrong with it. What was damaged there is gone from the store, and has to be fetched anew.
type Report struct {
	Area string // the part: "trend", "permanent", "events", "logs", "writes", "journal", "state", "keyed" or "blobs"

	// Key is what is lost of keyed state, as area and key with a slash between them, or the blob's key. It is empty if it
	// is unknown, or more than one: then anything may be missing.
	Key string

	spool.Report
}

// String returns the report on one line.
func (r Report) String() string {
	text := r.Area + ": " + r.Report.String()
	if r.Key != "" {
		text += " key " + strconv.Quote(r.Key)
	}
	return text
}
