package diskstore

import (
	"path/filepath"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/budget"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

const (
	lockName  = "lock"
	keyedName = "keyed.db"
	blobsName = "blobs"
)

// The segments of logs: values come in numbers, tables give their room back soon.
const (
	valueSegment = 1 << 20
	tableSegment = 256 << 10
	logsFlush    = time.Second
)

// Open opens the store in the directory dir, and makes it if need be. Nil options mean the defaults. It takes up what a
// crash left. A directory of an older version is brought up to date.
//
// A directory that is open already is a *smok.StoreError of kind Conflict. One that a newer version wrote is a
// *smok.StoreError, and left alone. A disk that cannot be read or written is a *smok.StoreError.
func Open(dir string, opts *Options) (*store.Store, error) {
	return openOn(disk.FS{}, dir, opts, steps)
}

func openOn(fsys disk.FS, dir string, opts *Options, steps []step) (*store.Store, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return nil, smokerr.InvalidArgument("store.open", "dir", "empty", nil)
	}
	p := parts{dir: dir, fs: fsys, opts: o}
	if err := p.open(steps); err != nil {
		_ = p.store.Close() // err counts
		return nil, err
	}
	return &p.store, nil
}

// parts opens one part behind the other.
type parts struct {
	dir   string
	fs    disk.FS
	opts  Options
	store store.Store
}

func (p *parts) open(steps []step) error {
	if err := p.fs.MkdirAll(p.dir); err != nil {
		return smokerr.Store("store.open", "directory", err)
	}
	lock, err := disk.Lock(filepath.Join(p.dir, lockName))
	if err != nil {
		return smokerr.Store("store.open", "directory", err)
	}
	p.store.Lock = lock
	if err := p.migrate(steps); err != nil {
		return smokerr.Store("store.open", "version", err)
	}
	if err := p.openLogs(); err != nil {
		return err
	}
	keyed, err := boltstore.Open(filepath.Join(p.dir, keyedName), &boltstore.Options{
		MaxBytes: p.opts.MaxKeyed, OnReport: p.opts.report,
	})
	if err != nil {
		return err
	}
	p.store.Keyed = keyed
	blobs, err := openBlobs(p.fs, filepath.Join(p.dir, blobsName), p.opts)
	if err != nil {
		return err
	}
	p.store.Blobs = blobs
	return nil
}

func (p *parts) openLogs() error {
	values := spool.Options{MaxBytes: -1, MaxAge: p.opts.MaxAge, SegmentBytes: valueSegment}
	if p.opts.FlushInterval > 0 {
		values.Sync, values.SyncInterval = spool.SyncEvery, p.opts.FlushInterval
		values.CursorInterval = max(p.opts.FlushInterval, time.Second)
	}
	table := spool.Options{MaxBytes: -1, SegmentBytes: tableSegment}
	logs := spool.Options{
		MaxBytes: p.opts.MaxLogs, Policy: spool.DropOldest, SegmentBytes: valueSegment,
		Sync: spool.SyncEvery, SyncInterval: logsFlush,
	}
	writes := spool.Options{MaxBytes: p.opts.MaxWrites, Policy: spool.DropOldest, SegmentBytes: valueSegment}
	for _, l := range []struct {
		area string
		opts spool.Options
		to   *store.Log
	}{
		{"trend", values, &p.store.Trend},
		{"permanent", values, &p.store.Permanent},
		{"events", table, &p.store.Events},
		{"logs", logs, &p.store.Logs},
		{"writes", writes, &p.store.Writes},
		{"journal", table, &p.store.Journal},
		{"state", table, &p.store.State},
	} {
		l.opts.OnReport = p.hook(l.area)
		log, err := openLog(filepath.Join(p.dir, l.area), l.area, &l.opts)
		if err != nil {
			return err
		}
		*l.to = log
	}
	p.store.Trend, p.store.Permanent = budget.Share(p.store.Trend, p.store.Permanent, budget.Options{
		MaxBytes: p.opts.MaxValues, OnLesser: p.hook("trend"), OnGreater: p.hook("permanent"),
	})
	return nil
}

// hook returns what is told the reports of a log.
func (p *parts) hook(area string) func(spool.Report) {
	return func(r spool.Report) { p.opts.report(store.Report{Area: area, Report: r}) }
}
