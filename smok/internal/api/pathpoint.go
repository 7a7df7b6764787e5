package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Storage levels of a pathpoint.
const (
	StoragePermanent = 0 // values are kept for ever
	StorageTrend     = 1 // values are kept for two weeks
)

// PathpointDef is the definition of a pathpoint.
type PathpointDef struct {
	Path         string
	StorageLevel int // StoragePermanent or StorageTrend
}

// SyncPathpoints tells the hub all pathpoints of the device and returns those that the hub knows.
func (c *Client) SyncPathpoints(ctx context.Context, defs []PathpointDef) ([]PathpointDef, error) {
	k := &call{op: "hub.SyncPathpoints", method: http.MethodPut, path: "/v1/device/pathpoints"}
	var err error
	if k.body, err = encodeList(k.op, defs, writePathpointDef); err != nil {
		return nil, err
	}
	var known []PathpointDef
	err = c.list(ctx, k, "pathpoint", func(entry json.RawMessage) error {
		def, err := decodePathpointDef(entry)
		if err == nil {
			known = append(known, def)
		}
		return err
	})
	return known, err
}

func writePathpointDef(e *encoder, d *PathpointDef) {
	e.object(2)
	e.member("path", d.Path)
	e.number("storage_level", int64(d.StorageLevel))
}

func decodePathpointDef(entry json.RawMessage) (PathpointDef, error) {
	d := struct {
		Path         text    `json:"path"`
		StorageLevel integer `json:"storage_level"`
	}{StorageLevel: StorageTrend}
	if err := json.Unmarshal(entry, &d); err != nil {
		return PathpointDef{}, err
	}
	switch {
	case d.Path == "":
		return PathpointDef{}, missing("path")
	case d.StorageLevel != StoragePermanent && d.StorageLevel != StorageTrend:
		return PathpointDef{}, errors.New("unknown storage_level")
	}
	return PathpointDef{Path: string(d.Path), StorageLevel: int(d.StorageLevel)}, nil
}
