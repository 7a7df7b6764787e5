package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// childEnv names the variable that makes this program one that judges the store in it, in the working directory.
const childEnv = "BITROT_CHILD"

// patience is how long one verdict may take.
const patience = 20 * time.Second

// compare damages copies of all stores and counts the verdicts.
func compare(d damage, seed uint64) (map[string]tally, error) {
	tallies := make(map[string]tally)
	for _, s := range stores {
		t, err := run(s, d, rand.New(rand.NewPCG(seed, 1)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		tallies[s.name] = t
	}
	return tallies, nil
}

// The directories of a run.
const (
	soundDir  = "sound"
	brokenDir = "broken"
)

// run damages copies of one store in turn and has each judged by a child, a new one whenever it died.
func run(s store, d damage, rng *rand.Rand) (t tally, err error) {
	dir, err := os.MkdirTemp("", "bitrot-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	sound := filepath.Join(dir, soundDir)
	if err := os.Mkdir(sound, 0o750); err != nil {
		return t, err
	}
	if err := s.fill(sound); err != nil {
		return t, err
	}
	files, err := load(sound)
	if err != nil {
		return t, err
	}
	var c *child
	defer func() { err = errors.Join(err, c.stop()) }()
	for range d.n {
		if c == nil {
			if c, err = startChild(s, dir); err != nil {
				return t, err
			}
		}
		v, lost, err := c.judge(d.pick(files, rng))
		if err != nil {
			_ = c.stop() // it died
			c, v, lost = nil, died, records-removed
		}
		t.verdicts[v]++
		t.lost += lost
	}
	return t, nil
}

// child is a process that judges damaged copies.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startChild(s store, dir string) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(exe)}
	c.cmd.Dir = dir
	c.cmd.Env = append(os.Environ(), childEnv+"="+s.name)
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, c.cmd.Start()
}

// judge has one copy judged. An error means that the process died or hung.
func (c *child) judge(s spot) (v verdict, lost int, err error) {
	hung := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer hung.Stop()
	if _, err := fmt.Fprintln(c.in, s); err != nil {
		return 0, 0, err
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(line, &v, &lost)
	return v, lost, err
}

// stop ends the process, if there is one.
func (c *child) stop() error {
	if c == nil {
		return nil
	}
	_ = c.in.Close() // the process ends then, if it has not
	return c.cmd.Wait()
}

// childStore returns the store that this process has to judge, if it is a child.
func childStore() (store, bool) {
	name := os.Getenv(childEnv)
	i := slices.IndexFunc(stores, func(s store) bool { return s.name == name })
	if i < 0 {
		return store{}, false
	}
	return stores[i], true
}

// judgeAll reads spots and answers each with a verdict.
func judgeAll(s store, in io.Reader, out io.Writer) {
	files, err := load(soundDir)
	if err != nil {
		panic(err)
	}
	for scan := bufio.NewScanner(in); scan.Scan(); {
		spot, err := parseSpot(scan.Text())
		if err == nil {
			err = write(brokenDir, files, spot)
		}
		if err != nil {
			panic(err)
		}
		v, lost := s.judge(brokenDir)
		if _, err := fmt.Fprintln(out, int(v), lost); err != nil {
			return // nobody asks any more
		}
	}
}
