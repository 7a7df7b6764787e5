package repo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// sortModules orders modules so that each comes after everything that it requires, and alphabetically where the
// requirements leave a choice.
func sortModules(modules []*Module) ([]*Module, error) {
	slices.SortFunc(modules, func(a, b *Module) int { return cmp.Compare(a.Dir, b.Dir) })
	byPath := make(map[string]*Module, len(modules))
	for _, m := range modules {
		byPath[m.Path] = m
	}
	var (
		sorted []*Module
		done   = make(map[*Module]bool, len(modules))
		visit  func(m *Module, trail []string) error
	)
	visit = func(m *Module, trail []string) error {
		if done[m] {
			return nil
		}
		if slices.Contains(trail, m.Dir) {
			return fmt.Errorf("modules require each other in a circle: %s", strings.Join(append(trail, m.Dir), " -> "))
		}
		for _, req := range m.Siblings() {
			if next := byPath[req.Path]; next != nil {
				if err := visit(next, append(slices.Clone(trail), m.Dir)); err != nil {
					return err
				}
			}
		}
		done[m] = true
		sorted = append(sorted, m)
		return nil
	}
	for _, m := range modules {
		if err := visit(m, nil); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}
