// Depscheck holds the repository to its rules on dependencies and layout. It reads files only: no module is loaded,
// nothing is downloaded. Each broken rule is printed on a line of its own.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// A tree is the repository as the rules see it.
type tree struct {
	*repo.Repo
	all []*repo.Module // every module in the tree, those outside of go.work too
}

// rules are checked in this order.
var rules = []struct {
	name  string
	check func(*tree) ([]string, error)
}{
	{"go.work", checkWork},
	{"go.mod", checkMod},
	{"files", checkFiles},
	{"imports", checkImports},
	{"reasons", checkReasons},
	{"actions", checkActions},
	{"dependabot", checkDependabot},
}

func main() {
	broken, err := run(os.Stdout, ".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "depscheck:", err)
		os.Exit(1)
	}
	if broken > 0 {
		fmt.Fprintf(os.Stderr, "depscheck: %d broken\n", broken)
		os.Exit(1)
	}
}

// run prints what is broken in the repository at root and counts it.
func run(out io.Writer, root string) (broken int, err error) {
	r, err := repo.Open(root)
	if err != nil {
		return 0, err
	}
	t := &tree{Repo: r}
	if t.all, err = findModules(root); err != nil {
		return 0, err
	}
	for _, rule := range rules {
		problems, err := rule.check(t)
		if err != nil {
			return broken, fmt.Errorf("%s: %w", rule.name, err)
		}
		for _, problem := range problems {
			fmt.Fprintf(out, "%s: %s\n", rule.name, problem)
		}
		broken += len(problems)
	}
	return broken, nil
}
