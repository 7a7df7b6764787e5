// Program errkit makes a typed error and asks it the questions of the error model, from outside of the repository.
package main

import (
	"context"
	"errors"
	"log"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func main() {
	base := errkit.NewClass("lamp", "", 0)
	busy := base.New("busy", "still warming up", errkit.Unavailable)
	err := busy.Wrap("lamp.Switch", "porch", context.DeadlineExceeded)
	if !errors.Is(err, base) || !errors.Is(err, errkit.Err) || !errors.Is(err, errkit.Timeout) || !errkit.Transient(err) {
		log.Fatalf("%v has the kinds %v", err, errkit.KindOf(err))
	}
	if e, ok := errors.AsType[*errkit.Basic](err); !ok || e.Op != "lamp.Switch" || e.Target != "porch" {
		log.Fatalf("%v has lost its fields", err)
	}
}
