package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// ArchiveEntry says which pathpoints are to be read at an interval.
type ArchiveEntry struct {
	Interval   time.Duration // above 0
	Pathpoints []string
}

// ArchiveList returns what the device shall read by itself.
func (c *Client) ArchiveList(ctx context.Context) ([]ArchiveEntry, error) {
	k := &call{op: "hub.ArchiveList", method: http.MethodGet, path: "/v1/device/pathpoints/archived"}
	var entries []ArchiveEntry
	err := c.list(ctx, k, "archive", func(entry json.RawMessage) error {
		e, err := decodeArchiveEntry(entry)
		if err == nil {
			entries = append(entries, e)
		}
		return err
	})
	return entries, err
}

func decodeArchiveEntry(entry json.RawMessage) (ArchiveEntry, error) {
	var d struct {
		Interval   seconds `json:"interval"`
		Pathpoints []text  `json:"pathpoints"`
	}
	if err := json.Unmarshal(entry, &d); err != nil {
		return ArchiveEntry{}, err
	}
	e := ArchiveEntry{Interval: d.Interval.duration()}
	if e.Interval <= 0 {
		return ArchiveEntry{}, errors.New("interval not above 0")
	}
	for _, path := range d.Pathpoints {
		if path == "" {
			return ArchiveEntry{}, errors.New("a pathpoint without a name")
		}
		e.Pathpoints = append(e.Pathpoints, string(path))
	}
	return e, nil
}
