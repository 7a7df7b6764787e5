package smok

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// SensorWrite is the record of somebody having written a sensor. The zero Time means now, no HRSensor the FQTS, no HRValue
// the Value.
type SensorWrite = api.SensorWrite

// Limits of sensor writes.
const (
	writesName   = "sensor writes"
	writesBatch  = 200       // in one request
	writesBytes  = 256 << 10 // of its body
	maxWriteText = 64 << 10  // of one record
	maxRefused   = 32        // records one after the other: then the fault is rather with the hub, which is left alone for a while
)

// LogSensorWrite records that somebody has written a sensor, for the hub. With a nil error the record is stored as
// durably as the store promises, and reaches the hub when that can be reached. If the answer to an upload is lost, the
// hub gets the records twice. Records that the hub refuses are set aside and reported.
func (d *Device) LogSensorWrite(ctx context.Context, w SensorWrite) error {
	const op = "logSensorWrite"
	if err := d.allow(op, d.opts.Disable.SensorWrites); err != nil {
		return err
	}
	return d.writes.add(ctx, op, w)
}

// writes is the area of the audit of sensor writes.
type writes struct {
	bare
	*host
	task    *task
	refused int // records one after the other that the hub did not want; of the task, and of flush after it
}

func newWrites(h *host) *writes {
	w := &writes{host: h}
	w.task = &task{name: writesName, every: h.opts.Intervals.SensorWrites, run: w.sync}
	return w
}

func (w *writes) name() string   { return writesName }
func (w *writes) tasks() []*task { return []*task{w.task} }

func (w *writes) add(ctx context.Context, op string, record SensorWrite) error {
	if record.FQTS == "" {
		return smokerr.InvalidArgument(op, "FQTS", "empty", nil)
	}
	if record.Time.IsZero() {
		record.Time = w.clock.now()
	}
	record.HRSensor, record.HRValue = cmp.Or(record.HRSensor, record.FQTS), cmp.Or(record.HRValue, record.Value)
	wire, err := api.AppendSensorWrite(nil, &record)
	if err != nil {
		return smokerr.InvalidArgument(op, "SensorWrite", "cannot be sent", err)
	}
	if len(wire) > maxWriteText {
		return smokerr.InvalidArgument(op, "SensorWrite", "longer than 64 KiB", nil)
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return smokerr.InvalidArgument(op, "SensorWrite", "cannot be stored", err)
	}
	if _, err := w.store.Writes.Append(ctx, store.Entry{Payload: raw}); err != nil {
		return err
	}
	w.task.wake()
	return nil
}

// numbered is a record and its number in the log.
type numbered struct {
	seq uint64
	SensorWrite
}

func (w *writes) flush(ctx context.Context) error {
	if !w.online() {
		return nil
	}
	return w.sync(ctx)
}

// sync uploads everything, oldest first.
func (w *writes) sync(ctx context.Context) error {
	for {
		batch, err := w.batch()
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := w.upload(ctx, batch); err != nil {
			return smokerr.Sync("sync", writesName, err)
		}
	}
}

// batch returns the oldest records, as many as one request takes. Those that cannot be read are set aside.
func (w *writes) batch() ([]numbered, error) {
	for {
		records, err := w.store.Writes.PeekFrom(0, writesBatch)
		if err != nil || len(records) == 0 {
			return nil, err
		}
		var batch []numbered
		var body []byte
		for _, r := range records {
			n := numbered{seq: r.Seq}
			if err := json.Unmarshal(r.Payload, &n.SensorWrite); err != nil {
				if err := w.setAside(r.Seq, smokerr.Corrupt("sync", writesName, err)); err != nil {
					return nil, err
				}
				continue
			}
			body, _ = api.AppendSensorWrite(body, &n.SensorWrite) // it could be encoded when it was accepted
			if len(body) > writesBytes && len(batch) > 0 {
				break
			}
			batch = append(batch, n)
		}
		if len(batch) > 0 {
			return batch, nil
		}
	}
}

// upload sends records, in halves if the hub does not want them together, and takes them out of the log.
func (w *writes) upload(ctx context.Context, batch []numbered) error {
	records := make([]SensorWrite, len(batch))
	for i, n := range batch {
		records[i] = n.SensorWrite
	}
	err := w.api.UploadSensorWrites(ctx, records)
	switch {
	case err == nil:
		w.refused = 0
		return w.store.Writes.Remove(batch[len(batch)-1].seq)
	case !rejected(err):
		return err
	case w.refused >= maxRefused:
		w.refused = 0
		return err
	case len(batch) == 1:
		w.refused++
		return w.setAside(batch[0].seq, smokerr.Sync("sync", writesName, err))
	}
	if err := w.upload(ctx, batch[:len(batch)/2]); err != nil {
		return err
	}
	return w.upload(ctx, batch[len(batch)/2:])
}

// setAside takes a record out that nobody wants.
func (w *writes) setAside(seq uint64, cause error) error {
	w.report(writesName, cause)
	return w.store.Writes.Quarantine(seq, cause.Error())
}

// rejected reports whether the hub refused the data, and will again: trying again is of no use.
func rejected(err error) bool {
	if response, ok := errors.AsType[*smokerr.ResponseError](err); ok {
		return response.Rejected()
	}
	return errors.Is(err, smokerr.ErrInvalidArgument)
}
