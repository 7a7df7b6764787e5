package errkittest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

const rounds = 100

// checkAllocations checks that errors are cheap: one allocation to build, none to look at. The race detector
// allocates on its own account, so there is nothing to count then.
func checkAllocations(_ *Module, s *Sample) (p problems) {
	if raceDetector {
		return nil
	}
	var sink error
	if got, want := testing.AllocsPerRun(rounds, func() { sink = s.Build("", nil) }), max(s.Allocs, 1); int(got) > want {
		p.addf("Build makes %v allocations, want at most %d", got, want)
	}
	_ = sink
	var kinds error = s.Kinds
	for _, f := range forms(s.Err)[:3] {
		for name, look := range map[string]func(){
			"errors.Is with a kind":  func() { errors.Is(f.err, kinds) },
			"errors.Is with a class": func() { errors.Is(f.err, s.Class) },
			"errors.Is with Err":     func() { errors.Is(f.err, errkit.Err) },
			"Classify":               func() { errkit.Classify(f.err) },
			"KindOf":                 func() { errkit.KindOf(f.err) },
			"Transient":              func() { errkit.Transient(f.err) },
		} {
			if got := testing.AllocsPerRun(rounds, look); got > 0 {
				p.addf("%s: %s makes %v allocations", f.name, name, got)
			}
		}
	}
	return p
}

// checkRace lets 16 goroutines look at one error. Under the race detector a method that writes is found; a
// text that differs is found always.
func checkRace(_ *Module, s *Sample) (p problems) {
	const goroutines = 16
	shared := s.Build("target", errors.New("cause"))
	want := look(shared)
	got := make([]string, goroutines)
	var group sync.WaitGroup
	for i := range goroutines {
		group.Go(func() { got[i] = look(shared) })
	}
	group.Wait()
	for _, text := range got {
		if text != want {
			p.addf("two goroutines saw different errors:\n%s\n%s", want, text)
			break
		}
	}
	return p
}

// look asks an error everything that can be asked.
func look(err error) string {
	found, _ := errors.AsType[errkit.Error](err)
	return fmt.Sprintln(err.Error(), errors.Is(err, errkit.Timeout), errors.Is(err, errkit.Err), found.ErrorInfo().Op,
		errkit.KindOf(err), errkit.Transient(err), errkit.Detail(err), errkit.Attr(err).Value.Resolve(),
		string(encode(errkit.NewReport(err))))
}
