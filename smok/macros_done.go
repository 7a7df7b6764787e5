package smok

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// The states of a mark.
const (
	markBegun     = "begun"     // the first write may have been made
	markDone      = "done"      // it was carried out, and the hub is to know
	markConfirmed = "confirmed" // the hub knows
	markRefused   = "refused"   // the hub does not want to know, or it cannot be carried out
	markMissed    = "missed"    // it was too late
)

// mark is what is remembered of an occurrence, so that it is not carried out again.
type mark struct {
	ID    string `json:"id"`
	At    int64  `json:"at"` // seconds since 1970, as the hub has it
	State string `json:"state"`
}

func macroKey(id string, at time.Time) string {
	return fmt.Sprintf("%s/%d/%s", macrosName, at.Unix(), id)
}

// load takes up the macros that the hub has sent, and what became of them. What had begun when the program ended counts as
// carried out.
func (m *macros) load() error {
	var doubtful []mark
	for key, value := range m.state.All() {
		if !strings.HasPrefix(key, macrosName+"/") {
			continue
		}
		done := new(mark)
		if err := json.Unmarshal(value, done); err != nil || macroKey(done.ID, time.Unix(done.At, 0)) != key {
			m.report(macrosName, smokerr.Corrupt("load", macrosName, err))
			continue
		}
		m.marks[key] = done
		if done.State == markBegun {
			doubtful = append(doubtful, mark{done.ID, done.At, markDone})
			m.report(macrosName, smokerr.ErrInDoubt.Wrap("execute", done.ID, nil))
		}
	}
	m.loadList()
	if err := m.change(context.Background(), doubtful...); err != nil {
		m.report(macrosName, err)
		for _, done := range doubtful {
			m.over[macroKey(done.ID, time.Unix(done.At, 0))] = true
		}
	}
	return nil
}

// change records what became of occurrences; an empty state forgets them.
func (m *macros) change(ctx context.Context, marks ...mark) error {
	edits := make([]store.Edit, 0, len(marks))
	for _, done := range marks {
		value, err := json.Marshal(done)
		if err != nil {
			return smokerr.Store("put", macrosName, err)
		}
		key := macroKey(done.ID, time.Unix(done.At, 0))
		edits = append(edits, store.Edit{Key: key, Value: value, Delete: done.State == ""})
	}
	for some := range slices.Chunk(edits, maxEdits) {
		if err := m.state.Apply(ctx, some...); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, e := range edits {
		if e.Delete {
			delete(m.marks, e.Key)
			continue
		}
		m.marks[e.Key] = &marks[i]
	}
	return nil
}

// review returns what changes by a list of the hub: marks that are needed no longer are forgotten, and what was
// confirmed before the hub was asked, while it says that it was not, is to be confirmed again. The caller holds m.mu.
func (m *macros) review(list []api.Macro, told map[string]bool, now time.Time) (changes []mark) {
	completed := make(map[string]bool)
	for _, macro := range list {
		for _, o := range macro.Occurrences {
			completed[macroKey(macro.ID, o.Time)] = o.Completed
		}
	}
	late := now.Add(-m.opts.Macros.MaxLateness)
	oldest := now.Add(-max(macroMemory, m.opts.Macros.MaxLateness))
	for key, done := range m.marks {
		known, listed := completed[key]
		switch at := time.Unix(done.At, 0); {
		case m.active[key]:
		case at.Before(oldest), known && at.Before(late):
			changes = append(changes, mark{ID: done.ID, At: done.At})
		case listed && !known && told[key]:
			changes = append(changes, mark{done.ID, done.At, markDone})
		}
	}
	return changes
}

// confirmed returns the keys of what the hub should know. The caller holds m.mu.
func (m *macros) confirmed() map[string]bool {
	told := make(map[string]bool)
	for key, done := range m.marks {
		if done.State == markConfirmed {
			told[key] = true
		}
	}
	return told
}

// settle takes note of what was carried out while the store could not.
func (m *macros) settle(ctx context.Context) error {
	var late []mark
	m.mu.Lock()
	for key := range m.over {
		if done := m.marks[key]; done != nil && done.State == markBegun {
			late = append(late, mark{done.ID, done.At, markDone})
		} else {
			delete(m.over, key)
		}
	}
	m.mu.Unlock()
	if err := m.change(ctx, late...); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, done := range late {
		delete(m.over, macroKey(done.ID, time.Unix(done.At, 0)))
	}
	return nil
}

// inState returns the marks that have a state, oldest first.
func (m *macros) inState(state string) []mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []mark
	for _, done := range m.marks {
		if done.State == state {
			all = append(all, *done)
		}
	}
	slices.SortFunc(all, func(a, b mark) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (m *macros) unconfirmed() int { return len(m.inState(markDone)) }

// macroList is what the store has of the hub's list.
type macroList struct {
	Fetched     int64             `json:"fetched"` // seconds since 1970
	Occurrences []macroOccurrence `json:"occurrences"`
}

type macroOccurrence struct {
	ID       string         `json:"id"`
	At       int64          `json:"at"`
	Commands []macroCommand `json:"commands"`
}

type macroCommand struct {
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// The place of the list among what the hub can send again.
const macroListKey = "list"

// save stores the list, for a start without the hub.
func (m *macros) save() error {
	m.mu.Lock()
	list := macroList{Fetched: m.fetched.Unix(), Occurrences: []macroOccurrence{}}
	for _, o := range m.ahead {
		stored := macroOccurrence{ID: o.id, At: o.at.Unix(), Commands: []macroCommand{}}
		for _, c := range o.commands {
			stored.Commands = append(stored.Commands, macroCommand(c))
		}
		list.Occurrences = append(list.Occurrences, stored)
	}
	m.mu.Unlock()
	body, err := minijson.Marshal(list)
	if err != nil {
		return smokerr.Store("put", macrosName, err)
	}
	return m.store.Keyed.Apply(store.Change{Area: macrosName, Key: macroListKey, Value: body})
}

// loadList takes up the list. Without it the hub is asked anyway.
func (m *macros) loadList() {
	body, err := m.store.Keyed.Get(macrosName, macroListKey)
	if errors.Is(err, smokerr.ErrNotFound) {
		return
	}
	var list macroList
	if err == nil {
		err = minijson.Unmarshal(body, &list)
	}
	if err != nil {
		m.report(macrosName, smokerr.Corrupt("load", macrosName, err))
		return
	}
	m.fetched = time.Unix(list.Fetched, 0)
	for _, stored := range list.Occurrences {
		o := occurrence{id: stored.ID, at: time.Unix(stored.At, 0)}
		for _, c := range stored.Commands {
			o.commands = append(o.commands, order.Command(c))
		}
		m.ahead = append(m.ahead, o)
	}
}
