package smok

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// sync brings the objects in step with the hub. What fails for one key does not keep the others back.
func (b *baobs) sync(ctx context.Context) error {
	select {
	case b.syncing <- struct{}{}:
		defer func() { <-b.syncing }()
	case <-ctx.Done():
		return smokerr.Sync("sync", baobsName, context.Cause(ctx))
	}
	defer b.first.Do(func() { close(b.loaded) })
	if err := b.exchange(ctx); err != nil {
		return smokerr.Sync("sync", baobsName, err)
	}
	return nil
}

func (b *baobs) exchange(ctx context.Context) error {
	have := make(map[string]int64)
	var sent []api.BAOBVersion
	for blob := range (BAOBs{b}).All() {
		have[blob.Key] = blob.Version
		sent = append(sent, api.BAOBVersion{Key: blob.Key, Version: blob.Version})
	}
	plan, err := b.api.BAOBs(ctx, sent)
	if err != nil {
		return err
	}
	var first error
	seen := make(map[string]bool)
	for _, job := range []struct {
		what string
		keys []string
		do   func(ctx context.Context, key string, version int64) error
	}{
		{"key to delete", plan.Delete, b.remove},
		{"key to download", plan.Download, b.download},
		{"key to upload", plan.Upload, b.upload},
	} {
		for i, key := range job.keys {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			version, ok := have[key]
			if !ok {
				version = -1
			}
			err := BAOBs{b}.check("sync", key)
			if seen[key] {
				err = errors.New("named twice")
			}
			if err != nil {
				b.report(baobsName, smokerr.BadEntry("sync", job.what, i, "", err))
				continue
			}
			seen[key] = true
			if err := job.do(ctx, key, version); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// upload sends the contents of a key. A version that the hub refused is not sent again.
func (b *baobs) upload(ctx context.Context, key string, version int64) error {
	b.mu.Lock()
	refused, known := b.refused[key]
	b.mu.Unlock()
	if version < 0 || known && refused == version {
		return nil
	}
	blob, contents, err := b.store.Blobs.Open(key)
	if err != nil {
		return err
	}
	defer func() { _ = contents.Close() }() // it is only read
	err = b.api.UploadBAOB(ctx, key, blob.Version, contents, blob.Size)
	if err != nil && rejected(err) {
		b.report(baobsName, smokerr.Sync("upload", baobsName, err))
		b.mu.Lock()
		b.refused[key] = blob.Version
		b.mu.Unlock()
		return nil
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.refused, key)
	own, mine := b.own[key]
	b.mu.Unlock()
	if mine && own.Version == blob.Version && !own.Sent {
		unlock, err := b.lock(ctx, key)
		if err != nil {
			return err
		}
		defer unlock()
		if now, _ := b.ownOf(key); now == own {
			return b.mark(context.WithoutCancel(ctx), key, ownBAOB{Version: own.Version, Sent: true})
		}
	}
	return nil
}

// Ends of a download that are no failures.
var (
	errChanged  = errors.New("changed here during the download")
	errOversize = errors.New("known to be too large")
)

// download replaces the contents of a key by those of the hub. They are stored while they come; the program may write the
// key meanwhile, and then what it wrote stays: the next exchange decides.
func (b *baobs) download(ctx context.Context, key string, version int64) error {
	d := &incoming{area: b, ctx: ctx, key: key, before: version}
	_, err := b.api.DownloadBAOB(ctx, key, d, b.opts.MaxBAOB)
	err = d.end(err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errOversize):
		return nil
	case errors.Is(err, errChanged):
		b.task.wake()
		return nil
	case errors.Is(err, errkit.TooLarge): // and will be, as long as the hub has this version
		b.mu.Lock()
		b.oversize[key] = d.version
		b.mu.Unlock()
		b.report(baobsName, smokerr.Sync("download", baobsName, err))
		return nil
	case rejected(err) || errors.Is(err, smokerr.ErrNotFound):
		b.report(baobsName, smokerr.Sync("download", baobsName, err)) // gone again, or never there: the next list says
		return nil
	}
	return err
}

// incoming stores the contents of a key while they come.
type incoming struct {
	area   *baobs
	ctx    context.Context //nolint:containedctx // it lives as long as the call of download
	key    string
	before int64 // the version that the hub compared with

	version int64
	pipe    *io.PipeWriter // nil before the version is known
	done    sync.WaitGroup
	stored  error
	unlock  func() // the key, if it is locked
	kept    bool   // there is a backup of what was there
	clash   bool   // the hub had not seen what was there
}

// WriteVersion begins to store.
func (d *incoming) WriteVersion(version int64) error {
	if version < d.before {
		return smokerr.BadEntry("download", "baob", 0, "its version is below that of the device", nil)
	}
	d.area.mu.Lock()
	oversize, known := d.area.oversize[d.key]
	d.area.mu.Unlock()
	if known && oversize == version {
		return errOversize
	}
	d.version = version
	r, w := io.Pipe()
	d.pipe = w
	d.done.Go(func() {
		_, d.stored = d.area.store.Blobs.Put(d.ctx, d.key, version, &gated{r, d.gate})
		_ = r.CloseWithError(d.stored) // never fails; lets the download end if nobody reads any more
	})
	return nil
}

func (d *incoming) Write(p []byte) (int, error) { return d.pipe.Write(p) }

// gate is called when all contents have come, before they take the place of the old ones. It locks the key.
func (d *incoming) gate() error {
	if d.unlock != nil {
		return nil
	}
	unlock, err := d.area.lock(d.ctx, d.key)
	if err != nil {
		return err
	}
	d.unlock = unlock
	now, err := d.area.version(d.key)
	if err != nil {
		return err
	}
	if now != d.before {
		return errChanged
	}
	own, mine := d.area.ownOf(d.key)
	if d.clash = mine && !own.Sent; d.clash {
		d.kept, err = d.area.keepBackup(d.ctx, d.key)
	}
	return err
}

// end waits until the contents are stored, or drops them because of an error.
func (d *incoming) end(failure error) error {
	if d.pipe != nil {
		_ = d.pipe.CloseWithError(failure) // nil is the end of the contents
		d.done.Wait()
	}
	if d.unlock != nil {
		defer d.unlock()
	}
	if errors.Is(d.stored, errChanged) {
		return d.stored
	}
	if failure != nil {
		return failure
	}
	if d.stored != nil {
		return d.stored
	}
	if d.clash {
		d.area.report(baobsName, smokerr.ErrConflict.Errorf("download", "%q", d.key))
	}
	d.area.tell(BAOBChange{Key: d.key, Version: d.version, Backup: d.kept})
	return d.area.unmark(context.WithoutCancel(d.ctx), d.key)
}

// gated reads and asks a gate before it says that there is no more.
type gated struct {
	io.Reader
	gate func() error
}

func (g *gated) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		if refusal := g.gate(); refusal != nil {
			return n, refusal
		}
	}
	return n, err
}

// sysctl executes the orders of the hub that concern BAOBs. It reports whether this is one.
func (b *baobs) sysctl(ctx context.Context, opType, opArgs string) (bool, error) {
	switch opType {
	case "baob-updated", "baob-created":
		if err := b.allow(opType, b.opts.Disable.BAOBs); err != nil {
			return true, err
		}
		b.task.wake()
		b.task.retry()
		return true, nil
	case "baob-deleted":
		if err := (BAOBs{b}).check(opType, opArgs); err != nil {
			return true, err
		}
		return true, b.remove(ctx, opArgs, anyVersion)
	}
	return false, nil
}
