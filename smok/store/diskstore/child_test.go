package diskstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/strace"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
)

// lifeEnv names the variable that makes the test binary one life of a device, told in it, in the directory that the
// process is in.
const lifeEnv = "DISKSTORE_TEST_LIFE"

// life says what a life is like.
type life struct {
	Seed   uint64
	Number int
	Steps  int
	Last   bool // closes the store; others often kill themselves
}

// note is what a life says of what it does, before and after.
type note struct {
	Do   string // "try", "ok", "remove", "removed"
	Area string
	ID   int               `json:",omitempty"` // of the first record of a log, or the last that is removed
	N    int               `json:",omitempty"` // records
	Set  map[string]string `json:",omitempty"` // keys and new values; "" is none
}

const deviceDir = "device"

func runChild() bool {
	text := os.Getenv(lifeEnv)
	if text == "" {
		return false
	}
	var l life
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		panic(err)
	}
	notes, err := os.OpenFile(strace.Notes, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	defer notes.Close()
	(&teller{life: l, notes: notes, rng: rand.New(rand.NewPCG(l.Seed, uint64(l.Number)))}).live()
	return true
}

// teller lives a life and takes notes.
type teller struct {
	life
	notes *os.File
	rng   *rand.Rand
	store *store.Store
	table *store.Table
	count int
	ops   int // operations on files of its own that are left
}

func (l *teller) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (l *teller) note(n note) {
	b, err := json.Marshal(n)
	l.must(err)
	_, err = l.notes.Write(b)
	l.must(err)
}

// kill ends the process as a crash does.
func (l *teller) kill() {
	self, err := os.FindProcess(os.Getpid())
	l.must(err)
	l.must(self.Kill())
	select {}
}

// id returns a number that no life used before.
func (l *teller) id(n int) int {
	first := 100_000*l.Number + l.count + 1
	l.count += n
	return first
}

// record is what record id of an area holds.
func record(area string, id int) string {
	return fmt.Sprintf("%s %d %s", area, id, strings.Repeat("x", id*37%211))
}

func (l *teller) live() {
	if !l.Last {
		l.ops = 1 + l.rng.IntN(60)
	}
	s, err := diskstore.OpenOn(func(disk.Op, string) error {
		if l.ops--; l.ops == 0 {
			l.kill()
		}
		return nil
	}, deviceDir, nil)
	l.must(err)
	l.store = s
	l.table, err = store.OpenTable(s.Journal, nil)
	l.must(err)
	for range l.Steps {
		switch n := l.rng.IntN(20); {
		case n < 4:
			l.append("trend", s.Trend, 1+l.rng.IntN(5))
		case n < 6:
			l.append("permanent", s.Permanent, 1+l.rng.IntN(3))
		case n < 7:
			l.appendOther()
		case n < 8:
			l.remove("trend", s.Trend)
		case n < 9:
			l.remove("permanent", s.Permanent)
		case n < 13:
			l.edit()
		case n < 17:
			l.apply()
		default:
			l.blob()
		}
	}
	if !l.Last && l.rng.IntN(2) == 0 {
		l.kill()
	}
	l.must(s.Close())
}

// appendOther appends to one of the logs that are used less.
func (l *teller) appendOther() {
	switch l.rng.IntN(3) {
	case 0:
		l.append("writes", l.store.Writes, 1)
	case 1:
		l.append("events", l.store.Events, 1)
	default:
		l.append("state", l.store.State, 1)
	}
}

func (l *teller) append(area string, to store.Log, n int) {
	first := l.id(n)
	batch := make([]store.Entry, n)
	for i := range batch {
		batch[i].Payload = []byte(record(area, first+i))
	}
	l.note(note{Do: "try", Area: area, ID: first, N: n})
	_, err := to.AppendBatch(context.Background(), batch)
	l.must(err)
	l.note(note{Do: "ok", Area: area, ID: first, N: n})
}

func (l *teller) remove(area string, from store.Log) {
	records, err := from.PeekFrom(0, 1+l.rng.IntN(5))
	l.must(err)
	if len(records) == 0 {
		return
	}
	last := records[len(records)-1]
	n := note{Do: "remove", Area: area, ID: idOf(string(last.Payload))}
	l.note(n)
	l.must(from.Remove(last.Seq))
	if l.rng.IntN(2) == 0 {
		l.must(from.Sync())
		n.Do = "removed"
		l.note(n)
	}
}

// idOf returns the number of a record.
func idOf(text string) (id int) {
	_, rest, _ := strings.Cut(text, " ")
	if _, err := fmt.Sscan(rest, &id); err != nil {
		panic(err)
	}
	return id
}

// value returns a new value, "" for none.
func (l *teller) value() string {
	if l.rng.IntN(5) == 0 {
		return ""
	}
	n := l.rng.IntN(300)
	if l.rng.IntN(8) == 0 {
		n = 6000
	}
	return fmt.Sprint(l.id(1), " ", strings.Repeat("v", n))
}

// changes returns new values for some keys; x and y always have the same one.
func (l *teller) changes() map[string]string {
	set := make(map[string]string)
	for range 1 + l.rng.IntN(3) {
		set[fmt.Sprint("key", l.rng.IntN(12))] = l.value()
	}
	if l.rng.IntN(3) == 0 {
		both := l.value()
		set["x"], set["y"] = both, both
	}
	return set
}

// edit changes the table.
func (l *teller) edit() {
	set := l.changes()
	var list []store.Edit
	for key, text := range set {
		list = append(list, store.Edit{Key: key, Value: []byte(text), Delete: text == ""})
	}
	l.note(note{Do: "try", Area: "journal", Set: set})
	l.must(l.table.Apply(context.Background(), list...))
	l.note(note{Do: "ok", Area: "journal", Set: set})
}

// apply changes the keyed state.
func (l *teller) apply() {
	set := l.changes()
	var list []store.Change
	for key, text := range set {
		list = append(list, store.Change{Area: "area", Key: key, Value: []byte(text), Delete: text == ""})
	}
	l.note(note{Do: "try", Area: "keyed", Set: set})
	l.must(l.store.Keyed.Apply(list...))
	l.note(note{Do: "ok", Area: "keyed", Set: set})
}

// blob changes one blob.
func (l *teller) blob() {
	key, text := fmt.Sprint("blob", l.rng.IntN(3)), l.value()
	n := note{Do: "try", Area: "blobs", Set: map[string]string{key: text}}
	l.note(n)
	if text == "" {
		l.must(l.store.Blobs.Delete(key))
	} else {
		_, err := l.store.Blobs.Put(context.Background(), key, int64(len(text)), io.LimitReader(strings.NewReader(text), 1<<20))
		l.must(err)
	}
	n.Do = "ok"
	l.note(n)
}
