package diskstore_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
)

// TestPlantedMissingSync leaves out the syncs of one kind of file or directory at a time: each must be found.
func TestPlantedMissingSync(t *testing.T) {
	t.Parallel()
	if reason := noStrace(t); reason != "" {
		t.Skip(reason)
	}
	sites := map[string]bool{ // the short version
		"file /device/*.db": true, "file /device/trend/*.seg": true, "names in /device/blobs": true,
	}
	steps := 20
	if *full {
		steps = 60
	}
	ops := trace(t, 1, 2, steps)
	if *full {
		for _, site := range sitesOf(ops) {
			sites[site] = true
		}
		delete(sites, "")
		delete(sites, "file /device/logs/*.seg") // log records are synced once a second: nothing is promised
	}
	for _, site := range slices.Sorted(maps.Keys(sites)) {
		t.Run(site, func(t *testing.T) {
			t.Parallel()
			err := missed(t, ops, site)
			t.Logf("without the syncs of %s: %v", site, err)
			if err == nil {
				t.Error("these syncs can be left out without being found")
			}
		})
	}
}

// sitesOf says of each operation what it syncs, "" for those that sync nothing.
func sitesOf(ops []cutdisk.Op) []string {
	names := make(map[int]string)
	sites := make([]string, len(ops))
	for i, op := range ops {
		switch op.Kind {
		case cutdisk.Create:
			names[op.File] = op.Name
		case cutdisk.Rename:
			names[op.File] = op.To
		case cutdisk.Sync:
			sites[i] = "file " + kindOf(names[op.File])
		case cutdisk.SyncDir:
			sites[i] = "names in " + op.Name
		default:
		}
	}
	return sites
}

// kindOf returns what stands for the files of a kind.
func kindOf(name string) string {
	dir, base := filepath.Split(name)
	if strings.HasSuffix(base, ".tmp") && strings.Contains(base, ".blob") {
		return dir + "*.blob"
	}
	return dir + "*" + filepath.Ext(base)
}

// missed returns what is found wrong when the syncs of a site are left out.
func missed(t *testing.T, ops []cutdisk.Op, site string) (found error) {
	t.Helper()
	ops = slices.Clone(ops)
	for i, at := range sitesOf(ops) {
		if at != site {
			continue
		}
		op := cutdisk.Op{Kind: cutdisk.Missed, File: ops[i].File, Name: ops[i].Name}
		ops[i] = op
	}
	r := replay{dir: scratch(t)}
	plan := cutdisk.Plan{Missed: true, Epoch: epochs(ops)}
	plan.Cuts(nil, ops, func(d *cutdisk.Disk, before int) bool {
		r.read(ops[:before])
		if err := r.examine(d); err != nil {
			found = fmt.Errorf("cut before operation %d: %w", before, err)
		}
		return found == nil
	})
	return found
}
