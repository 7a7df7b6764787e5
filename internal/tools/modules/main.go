// Modules treats each module of the repository as its users will meet it: alone, by version, without go.work.
//
//	modules plan                     which modules changed since their last tag, and the version that would come next
//	modules tidy                     write tidy go.mod and go.sum files
//	modules tidy-check               fail if tidy would change a file
//	modules check [m...]             go mod tidy -diff, go vet, go test in each module alone, with an empty module cache
//	modules api-check                compare each module's API with its last tag
//	modules consumer [m[@version]...] fetch each module by version through git and run a program that uses it
//	modules notes m@version          print the changelog section of a version
//	modules release m=version...     check, commit and tag a release; pushes nothing
//
// Versions of siblings that have no tag yet are served from the working tree, out of a throw-away clone and a file
// tree that acts as module proxy. Only release and tidy change the repository.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

type command struct {
	name string
	run  func(ctx context.Context, root string, out io.Writer, args []string) error
}

var commands = []command{
	{"plan", printPlan},
	{"tidy", tidy},
	{"tidy-check", tidyCheck},
	{"check", check},
	{"api-check", apiCheck},
	{"consumer", consumer},
	{"notes", notes},
	{"release", release},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "modules:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	i := -1
	if len(args) > 0 {
		i = slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	}
	if i < 0 {
		return errors.New("usage: modules plan|tidy|tidy-check|check|api-check|consumer|notes|release")
	}
	// A git hook sets these, and then every git command would work on the repository instead of on its clone.
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	return commands[i].run(ctx, root, out, args[1:])
}
