package cutdisk

import (
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
)

// Sector and Page are the units in which a write may reach the disk.
const (
	Sector = 512
	Page   = 4096
)

// Plan says which disks [Cuts] makes.
type Plan struct {
	Random int    // random subsets of what was not synced, per operation
	Seed   uint64 // of the randomness
	Brief  bool   // nothing, everything and everything but one are enough
	Missed bool   // the like of Brief, of the disks that the syncs that were left out would have ruled out

	// Epoch says what is expected before an operation. The same disk is looked at again when more is expected of it.
	// Nil means that the same is expected always.
	Epoch func(before int) int

	seen     map[seen]bool
	distinct map[uint64]bool
}

// seen is a disk at a time.
type seen struct {
	sum   uint64
	epoch int
}

// pending is an operation that a power cut may undo.
type pending struct {
	Op
	due bool // a sync that was left out would have made it last
}

// share is how much of a pending operation is on the disk.
type share func(op *Op, m image)

func none(*Op, image)       {}
func whole(op *Op, m image) { m.apply(op) }

// Cuts calls visit with the disks that a power cut could leave: before each operation and after the last one, of what
// was not synced then nothing, everything, everything but one, only one, one torn at sectors or at pages, and random
// subsets. before says how many operations had been done. A disk is not made twice for one epoch of a plan. It stops
// when visit returns false.
func (p *Plan) Cuts(base *Disk, ops []Op, visit func(d *Disk, before int) bool) {
	if p.seen == nil {
		p.seen, p.distinct = make(map[seen]bool), make(map[uint64]bool)
	}
	if p.Epoch == nil {
		p.Epoch = func(int) int { return 0 }
	}
	rng := rand.New(rand.NewPCG(p.Seed, 1))
	safe := newImage()
	if base != nil {
		safe = base.image.clone()
	}
	var open []pending
	for i := 0; ; i++ {
		for _, shares := range p.choices(open, rng) {
			if d := p.disk(safe, open, shares, p.Epoch(i)); d != nil && !visit(d, i) {
				return
			}
		}
		if i == len(ops) {
			return
		}
		open = settle(safe, open, ops[i])
	}
}

// Distinct returns checksums of the different disks that were made, comparable in one process.
func (p *Plan) Distinct() map[uint64]bool { return p.distinct }

// settle adds op to what is open, or does to the image what a sync makes safe.
func settle(safe image, open []pending, op Op) []pending {
	switch op.Kind {
	case Scar:
		safe.apply(&op)
	case Sync, SyncDir:
		return slices.DeleteFunc(open, func(o pending) bool {
			lasts := op.covers(&o.Op)
			if lasts {
				safe.apply(&o.Op)
			}
			return lasts
		})
	case Missed:
		for i := range open {
			open[i].due = open[i].due || op.covers(&open[i].Op)
		}
	case Note:
	default:
		return append(open, pending{Op: op})
	}
	return open
}

// covers reports whether op, a sync, makes o last.
func (op *Op) covers(o *Op) bool {
	if op.Name == "" {
		return o.onContents() && o.File == op.File
	}
	dir, names := o.dir()
	return names && dir == op.Name
}

// choices returns what of the pending operations is on each disk.
func (p *Plan) choices(open []pending, rng *rand.Rand) [][]share {
	n := len(open)
	if p.Missed && !slices.ContainsFunc(open, func(o pending) bool { return o.due }) {
		return nil
	}
	all := slices.Repeat([]share{whole}, n)
	list := [][]share{slices.Repeat([]share{none}, n)}
	if !p.Missed {
		list = append(list, all)
	}
	for i := range open {
		if p.Missed && !open[i].due {
			continue
		}
		list = append(list, with(all, i, none))
		if p.Brief || p.Missed {
			continue
		}
		list = append(list, with(slices.Repeat([]share{none}, n), i, whole))
		if open[i].Kind != Write {
			continue
		}
		for _, unit := range []int64{Sector, Page} {
			for end := open[i].Off/unit*unit + unit; end < open[i].Off+int64(len(open[i].Data)); end += unit {
				head := prefix(end)
				list = append(list, with(all, i, head), with(slices.Repeat([]share{none}, n), i, head),
					with(all, i, suffix(end)))
			}
		}
		list = append(list, with(all, i, zeros))
	}
	if n > 0 && !p.Brief && !p.Missed {
		for range p.Random {
			list = append(list, randomShares(n, rng))
		}
	}
	return list
}

func with(list []share, i int, s share) []share {
	list = slices.Clone(list)
	list[i] = s
	return list
}

func randomShares(n int, rng *rand.Rand) []share {
	shares := make([]share, n)
	for i := range shares {
		switch rng.IntN(5) {
		case 0, 1:
			shares[i] = none
		case 2, 3:
			shares[i] = whole
		default:
			shares[i] = sectors(rng.Uint64())
		}
	}
	return shares
}

// prefix is what of a write lies before end.
func prefix(end int64) share {
	return func(op *Op, m image) { m.write(op.File, op.Off, op.Data[:end-op.Off]) }
}

// suffix is what of a write lies behind start; what is before is as it was, or zero.
func suffix(start int64) share {
	return func(op *Op, m image) { m.write(op.File, start, op.Data[start-op.Off:]) }
}

// zeros is a write whose length is on the disk and whose data is not.
func zeros(op *Op, m image) {
	if end := op.Off + int64(len(op.Data)); end > int64(len(m.files[op.File])) {
		m.resize(op.File, end)
	}
}

// sectors is the sectors of a write whose bits are set; other operations are done if the lowest bit is.
func sectors(bits uint64) share {
	return func(op *Op, m image) {
		if op.Kind != Write {
			if bits&1 != 0 {
				m.apply(op)
			}
			return
		}
		for off, n := op.Off, uint(0); off < op.Off+int64(len(op.Data)); n++ {
			end := min(off/Sector*Sector+Sector, op.Off+int64(len(op.Data)))
			if bits>>(n%64)&1 != 0 {
				m.write(op.File, off, op.Data[off-op.Off:end-op.Off])
			}
			off = end
		}
	}
}

// disk makes one disk, nil if it was made before for the epoch.
func (p *Plan) disk(safe image, open []pending, shares []share, epoch int) *Disk {
	// Contents are shared with the safe image until they are changed.
	m := image{dirs: maps.Clone(safe.dirs), names: maps.Clone(safe.names), files: maps.Clone(safe.files)}
	for i := range open {
		if op := &open[i]; op.onContents() {
			m.files[op.File] = slices.Clone(safe.files[op.File])
		}
	}
	for i := range open {
		shares[i](&open[i].Op, m)
	}
	maps.DeleteFunc(m.dirs, func(dir string, _ bool) bool { return !m.holds(dir) })
	maps.DeleteFunc(m.names, func(name string, _ int) bool { return !m.holds(name) })
	sum := m.sum()
	key := seen{sum, epoch}
	if p.seen[key] {
		return nil
	}
	p.seen[key], p.distinct[sum] = true, true
	d := New()
	for _, file := range m.names {
		d.image.files[file] = slices.Clone(m.files[file])
		d.last = max(d.last, file)
	}
	d.image.dirs, d.image.names = m.dirs, m.names
	return d
}

// seed is that of all checksums.
var seed = maphash.MakeSeed()

// sum returns a checksum of what a program can see.
func (m image) sum() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, dir := range slices.Sorted(maps.Keys(m.dirs)) {
		_, _ = h.WriteString(dir)
		_ = h.WriteByte(0)
	}
	for _, name := range slices.Sorted(maps.Keys(m.names)) {
		b := m.files[m.names[name]]
		_, _ = h.WriteString(name)
		_ = h.WriteByte(0)
		maphash.WriteComparable(&h, len(b))
		_, _ = h.Write(b)
	}
	return h.Sum64()
}
