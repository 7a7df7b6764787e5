package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// computer is what the simulated device has at its cables: it shows texts on the screen, takes keys, and boots from its
// disk or from the drive. Power and buttons are the device's part.
type computer struct {
	device *pikvmtest.Server
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu        sync.Mutex
	installed []string
}

func startComputer(device *pikvmtest.Server) *computer {
	ctx, stop := context.WithCancel(context.Background())
	c := &computer{device: device, stop: stop}
	c.done.Go(func() { c.run(ctx) })
	return c
}

func (c *computer) close() {
	c.stop()
	c.done.Wait()
}

// installations returns the images that were installed.
func (c *computer) installations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.installed)
}

// Times of the computer.
const (
	selfTest    = time.Second     // nobody listens to keys
	menuTime    = 3 * time.Second // to press the key of the boot menu
	installTime = 800 * time.Millisecond
	glance      = 20 * time.Millisecond // between two looks at the cables
)

// run boots whenever the computer is switched on or reset.
func (c *computer) run(ctx context.Context) {
	for ctx.Err() == nil {
		turn := c.turns()
		life, end := context.WithCancel(ctx)
		var booting sync.WaitGroup
		booting.Go(func() { c.boot(life) })
		c.until(ctx, limit, func() bool { return c.turns() != turn })
		end()
		booting.Wait()
	}
}

// turns counts how often the computer went on, went off or was reset.
func (c *computer) turns() int {
	n := 0
	for _, event := range c.device.PowerLog() {
		switch event.Kind {
		case pikvmtest.HostOn, pikvmtest.HostOff, pikvmtest.HostReset:
			n++
		}
	}
	return n
}

// boot is what happens after a start. The context ends with the next one.
func (c *computer) boot(ctx context.Context) {
	if !c.device.HostPower() {
		c.show(ctx, "")
		return
	}
	c.show(ctx, "ACME firmware\nself-test")
	c.until(ctx, selfTest, never)
	before := len(c.device.HIDLog())
	c.show(ctx, "ACME firmware\nF12 chooses what to boot")
	if !c.until(ctx, menuTime, func() bool { return c.pressed("F12", before) }) {
		c.show(ctx, "disk\nlogin:")
		return
	}
	typed := len(c.device.Typed())
	drive := c.device.Drive()
	c.show(ctx, "Boot Menu\n disk\n cdrom "+drive.Image+"\nboot:")
	if !c.until(ctx, limit, func() bool { return strings.Contains(c.device.Typed()[typed:], "\n") }) {
		return
	}
	command, _, _ := strings.Cut(c.device.Typed()[typed:], "\n")
	if command != bootCommand || !drive.Connected {
		c.show(ctx, "no such system: "+command)
		return
	}
	c.show(ctx, "installer of "+drive.Image+"\ninstalling")
	if c.until(ctx, installTime, never); ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	c.installed = append(c.installed, drive.Image)
	c.mu.Unlock()
	c.show(ctx, "installer of "+drive.Image+"\ninstalling\nInstallation complete.\nRemove the disc and restart.")
}

func (c *computer) show(ctx context.Context, text string) {
	if ctx.Err() == nil {
		c.device.SetScreenText(text)
	}
}

// pressed says whether a key went down since that many events.
func (c *computer) pressed(key string, since int) bool {
	return slices.ContainsFunc(c.device.HIDLog()[since:], func(event pikvmtest.HIDEvent) bool {
		return event.Kind == pikvmtest.HIDKey && event.Name == key && event.Pressed
	})
}

func never() bool { return false }

// until looks again and again until it is so. False means that the time or the context has ended before.
func (c *computer) until(ctx context.Context, most time.Duration, so func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	look := time.NewTicker(glance)
	defer look.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
