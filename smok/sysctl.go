package smok

import (
	"context"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
)

// SysctlHandler does what the program makes of sysctl orders, one at a time. The orders baob-updated, baob-created and
// baob-deleted, of which the first argument is the name, never reach it: they are about BAOBs, and the device's own.
type SysctlHandler interface {
	// Sysctl carries out an order, and reports whether it knows it. An order that is not known is skipped. It should return
	// when ctx is done, which is after 10min. [OrderID] tells the order's identity.
	Sysctl(ctx context.Context, opType, opArgs string) (handled bool, err error)

	// Disruptive reports whether an order may end the program, such as a reboot. The hub is told that such an order is
	// done before it is carried out, behind all others that came with it: else it would come again after each reboot. If
	// the program ends in between, it is not carried out.
	Disruptive(opType, opArgs string) bool
}

// SysctlFunc is a [SysctlHandler] for which the conventional orders reboot and update are disruptive.
type SysctlFunc func(ctx context.Context, opType, opArgs string) (handled bool, err error)

// Sysctl calls f.
func (f SysctlFunc) Sysctl(ctx context.Context, opType, opArgs string) (bool, error) {
	return f(ctx, opType, opArgs)
}

// Disruptive reports whether opType is reboot or update.
func (SysctlFunc) Disruptive(opType, _ string) bool { return opType == "reboot" || opType == "update" }

// SectionExecutor carries out sections in place of the device's own executor: all of them, of the hub, of the program, of
// macros and of archiving, those of the hub first. What the device's own executor does is then up to it, attempts and
// times included; [Device.Pathpoint] leads to the handlers.
//
// ExecuteSection takes one section on. It is called for one at a time, may return before the section has ended, and sees
// to it that done is called once when it has: with what became of each order, or nil if all were carried out. [Abandoned]
// says that an order is to come again. Its context ends when the section is cancelled and when the device is closed.
//
// SyncSections returns when all sections have ended that were taken on before. It is called before a section that cannot
// be joined; the next one is handed over when that one has ended.
type SectionExecutor = executor.Replacement

// sysctl is what the executor calls for a sysctl order.
func (d *Device) sysctl(ctx context.Context, opType, opArgs string) (bool, error) {
	if handled, err := d.baobs.sysctl(ctx, opType, opArgs); handled {
		return true, err
	}
	if d.opts.Sysctl == nil {
		return false, nil
	}
	return d.opts.Sysctl.Sysctl(ctx, opType, opArgs)
}

// disruptive reports whether a sysctl order may end the program.
func (d *Device) disruptive(opType, opArgs string) bool {
	return d.opts.Sysctl != nil && d.opts.Sysctl.Disruptive(opType, opArgs)
}
