package store

import (
	"encoding/binary"
	"errors"
)

// A record of a table is a version, and changes one behind the other: an operation, the entry's ordinal, key and value,
// with their lengths before them. All numbers are unsigned varints. Checksums are the log's concern.

// change is a change as it is written.
type change struct {
	Edit
	ordinal uint64
}

const (
	tableVersion = 1
	opPut        = 1
	opDelete     = 2
)

// maxEditHead is the most that a change takes beside key and value.
const maxEditHead = 1 + 3*binary.MaxVarintLen64

var (
	errTableVersion = errors.New("written by a newer version")
	errTableRecord  = errors.New("not a record of a table")
)

func encodeChanges(list []change) []byte {
	size := 1
	for _, c := range list {
		size += len(c.Key) + len(c.Value) + maxEditHead
	}
	b := append(make([]byte, 0, size), tableVersion)
	for _, c := range list {
		op := byte(opPut)
		if c.Delete {
			op = opDelete
		}
		b = append(b, op)
		b = binary.AppendUvarint(b, c.ordinal)
		b = binary.AppendUvarint(b, uint64(len(c.Key)))
		b = append(b, c.Key...)
		if !c.Delete {
			b = binary.AppendUvarint(b, uint64(len(c.Value)))
			b = append(b, c.Value...)
		}
	}
	return b
}

// decodeChanges decodes a record. Values are parts of b.
func decodeChanges(b []byte) ([]change, error) {
	if len(b) == 0 {
		return nil, errTableRecord
	}
	if b[0] > tableVersion {
		return nil, errTableVersion
	}
	d := changeReader{rest: b[1:], ok: b[0] == tableVersion}
	var list []change
	for d.ok && len(d.rest) > 0 {
		op := d.rest[0]
		d.rest = d.rest[1:]
		c := change{ordinal: d.number()}
		c.Key = string(d.text())
		switch op {
		case opPut:
			c.Value = d.text()
		case opDelete:
			c.Delete = true
		default:
			d.ok = false
		}
		list = append(list, c)
	}
	if !d.ok {
		return nil, errTableRecord
	}
	return list, nil
}

// changeReader takes a record apart. ok is false once something was missing.
type changeReader struct {
	rest []byte
	ok   bool
}

func (d *changeReader) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.ok = false
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *changeReader) text() []byte {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.ok = false
		return nil
	}
	text := d.rest[:n:n]
	d.rest = d.rest[n:]
	return text
}
