package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

const metadataPath = "/v1/device/metadata/plain/"

// Metadata returns the value of a key and when it was written; the zero time if the hub does not say. A key without a
// value is a *[smokerr.NotFoundError].
func (c *Client) Metadata(ctx context.Context, key string) (string, time.Time, error) {
	k := &call{op: "hub.Metadata", method: http.MethodGet}
	escaped, err := c.metadataSegment(k.op, key)
	if err != nil {
		return "", time.Time{}, err
	}
	k.path = metadataPath + escaped
	var d struct {
		Value     *text    `json:"value"`
		Timestamp *seconds `json:"timestamp"`
	}
	if err := c.get(ctx, k, &d); err != nil {
		return "", time.Time{}, notFound(err, "metadata", key)
	}
	var value string
	var at time.Time
	if d.Value != nil {
		value = string(*d.Value)
	}
	if d.Timestamp != nil {
		at = d.Timestamp.time()
	}
	return value, at, nil
}

// PutMetadata sets the value of a key, unless the hub has one that was written after at. Seconds count.
func (c *Client) PutMetadata(ctx context.Context, key, value string, at time.Time) error {
	k := &call{op: "hub.PutMetadata", method: http.MethodPut}
	escaped, err := c.metadataSegment(k.op, key)
	if err != nil {
		return err
	}
	k.path = metadataPath + escaped
	var e encoder
	e.object(2)
	e.member("value", value)
	e.seconds("unless_timestamp_higher", at)
	if e.err != nil {
		return smokerr.InvalidArgument(k.op, "value", "cannot be encoded", e.err)
	}
	k.body = e.out
	return c.send(ctx, k)
}

// DeleteMetadata removes a key. One that does not exist is no error.
func (c *Client) DeleteMetadata(ctx context.Context, key string) error {
	k := &call{op: "hub.DeleteMetadata", method: http.MethodDelete}
	escaped, err := c.metadataSegment(k.op, key)
	if err != nil {
		return err
	}
	k.path = metadataPath + escaped
	err = c.send(ctx, k)
	if response, ok := errors.AsType[*smokerr.ResponseError](err); ok && response.StatusCode == http.StatusNotFound {
		return nil
	}
	return err
}

// notFound returns a *[smokerr.NotFoundError] in place of the answer 404, with that as its cause.
func notFound(err error, what, key string) error {
	response, ok := errors.AsType[*smokerr.ResponseError](err)
	if !ok || response.StatusCode != http.StatusNotFound {
		return err
	}
	return &smokerr.NotFoundError{
		Info: errkit.Info{Class: smokerr.ErrNotFound, Op: response.Op, Target: response.Target, Err: err},
		What: what, Key: key,
	}
}
