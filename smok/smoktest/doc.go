// Package smoktest is a SMOK hub for tests: the REST API and the order link that devices use, over one state for many
// devices, which breaks on demand.
//
// A [Hub] listens on 127.0.0.1, or wherever [Options.Listen] says, with a throw-away authority that also issues the
// certificates of devices:
//
//	hub := smoktest.New(nil)
//	if err := hub.Start(); err != nil {
//		return err
//	}
//	defer hub.Close()
//	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
//	// run the device: REST at hub.URL(), orders at hub.NGTTAddr(), trusting hub.RootCAs()
//	pump := hub.Device("pump-1")
//	_, err = pump.Enqueue(smoktest.Section{Orders: []smoktest.Order{smoktest.Write("W1", 5)}})
//	err = hub.Wait(ctx, func() bool { return pump.Counts().Orders.Confirmed == 1 })
//
// # State
//
// A [Device] shows what has come from one device and sets what it gets to see: info, pathpoints, samples, archives,
// sensors and the log of writes to them, orders, messages, macros, predicates, alarms, metadata, BAOBs, slave devices and
// logs. A device is who its certificate says, in the TLS handshake or in the header X-SSL-Client-Certificate.
//
// Samples are one for each pathpoint and time, however often they come, and alarms one for each provisional uuid.
// [Counts] tells of the repetitions. An order leaves by whichever side asks first.
//
// The hub is strict: bodies are exactly one MiniJSON document, with all members that are needed, none that is unknown,
// and of the right types. Otherwise the answer is 400 and nothing has changed. How the real hub decides is not known; a
// device that passes here sends what the documents ask for.
//
// # Faults
//
// [Hub.Inject] spoils chosen exchanges, before or after they take effect: statuses with or without Retry-After, answers
// that never come, come late or slowly, break off, or are no JSON or the wrong one, and connections that are reset.
// [Hub.Down], [Hub.Up] and [Hub.Restart] take a side off the network, with its state kept; [Hub.ResetConnections] cuts.
// The order link has faults of its own: see [Hub.NGTT].
//
// # What happened
//
// [Hub.Requests] is the journal of requests. [Hub.Wait] waits until something is as it should be.
//
// # Time
//
// All waiting goes through package time, so a hub whose listeners are in memory runs inside a testing/synctest bubble.
// The certificates are good for both clocks.
package smoktest
