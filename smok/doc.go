// Package smok is the client of a SMOK device: a program on a gateway that shows named, typed variables to the SMOK
// cloud, executes its orders, and keeps what it measured until the cloud has it.
//
//	credentials, err := ngtt.LoadCredentials("device.crt", "device.key")
//	if err != nil {
//		return err
//	}
//	store, err := diskstore.Open("/var/lib/gateway", nil)
//	if err != nil {
//		return err
//	}
//	device, err := smok.New(credentials, &smok.Options{Store: store, NGTT: &ngtt.Options{}})
//	if err != nil {
//		return errors.Join(err, store.Close())
//	}
//	defer device.Close()
//	pressure, err := device.Register("d1", smok.Trend, nil)
//	if err != nil {
//		return err
//	}
//	if err := pressure.Set(ctx, time.Time{}, 4.25); err != nil { // nil: it is on the disk
//		return err
//	}
//	return device.Run(ctx)
//
// A [Device] is made once per process, without any use of the network, and takes values, events and the like from then on.
// [Device.Run] does everything that it does on its own: it brings them to the hub, gets orders, macros, definitions and
// predicates, and reads what the hub wants archived. Each area has a loop of its own; what fails in one is told to
// [Options.OnError] and tried again, and never ends the loop or touches another. [Device.Shutdown] ends it in order.
//
// All methods of all types may be called from several goroutines at once. Handlers and hooks of the program are called
// without a lock, and their panics are reported as [ErrPanic].
//
// # What is kept
//
// A call that returns nil has stored what it was given, as durably as [Options.Store] promises: see package diskstore for
// one that survives power cuts, and its bounds. What has to be dropped for want of room, or was damaged, is reported. The
// hub gets values once by pathpoint and time, events once by a provisional uuid in their metadata; both may be sent again
// after an answer was lost.
//
// # Orders
//
// An order of the hub is in the journal before it is carried out, and is carried out once, across restarts. Only a crash
// between its effect and the record of that lets a read or write come again; its handler then gets the same [OrderID].
// Message and sysctl orders are not repeated, but reported as [ErrInDoubt].
//
// # Clocks
//
// Intervals count on the monotonic clock. Samples that are taken before the wall clock was set wait for that and get their
// right times then; macros and silencing wait too. Wire times are in milliseconds for samples and in seconds for the rest.
//
// # Errors
//
// Every error matches [Err]; the classes below it have the names of the original client. The kinds of package errkit answer
// the general questions: whether it may work later (errkit.Transient), and whether it is certain that nothing was sent
// (errkit.NotSent). No text holds a key or a certificate.
//
// The platform has no public description; wire facts come from the original client, github.com/smok-serwis/smok-client.
package smok
