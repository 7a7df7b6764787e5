package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	uses   = regexp.MustCompile(`(?m)^[\s-]*uses:\s*(\S+)`)
	pinned = regexp.MustCompile(`@[0-9a-f]{40}$`)
)

// checkActions wants the actions of the workflows pinned by commit: a tag can be moved.
func checkActions(t *tree) ([]string, error) {
	var problems []string
	names, err := filepath.Glob(filepath.Join(t.Root, ".github", "workflows", "*.yml"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		name = ".github/workflows/" + filepath.Base(name)
		text, err := t.read(name)
		if err != nil {
			return nil, err
		}
		for _, match := range uses.FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(match[1]) && !strings.HasPrefix(match[1], "./") {
				problems = append(problems, fmt.Sprintf("%s uses %s, which is not pinned by commit", name, match[1]))
			}
		}
	}
	return problems, nil
}

// checkDependabot wants every module to be watched.
func checkDependabot(t *tree) ([]string, error) {
	text, err := t.read(".github/dependabot.yml")
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, m := range t.all {
		if !regexp.MustCompile(`(?m)["' ]/` + regexp.QuoteMeta(m.Dir) + `["',\]]*\s*$`).MatchString(text) {
			problems = append(problems, ".github/dependabot.yml does not watch "+m.Dir)
		}
	}
	return problems, nil
}
