// Package ngtt is the order link of a SMOK device: one mutually authenticated TLS connection over which the hub sends
// orders and the device confirms them.
//
//	credentials, err := ngtt.LoadCredentials("device.crt", "device.key")
//	if err != nil {
//		return err
//	}
//	client, err := ngtt.New(credentials, &ngtt.Options{
//		RootCAs: pool,
//		Handler: func(ctx context.Context, order *ngtt.Order) {
//			execute(order)
//			if err := order.Ack(ctx); err != nil {
//				log.Print(err) // the order comes again and is confirmed then
//			}
//		},
//	})
//	if err != nil {
//		return err
//	}
//	return client.Run(ctx)
//
// # Lifetime
//
// [New] checks everything and does no I/O. [Client.Run] connects and stays connected until its context ends or
// [Client.Shutdown] or [Client.Close] is called. It finds dead connections by pings, waits between attempts for a random
// time that grows to 30 s, and ends by itself only where no attempt can help. All other methods may be called from
// any goroutine.
//
// # Orders
//
// The hub delivers an order again until it is confirmed, so a connection that breaks at the wrong moment makes it come
// twice. Orders have no identity, but the client knows them by their contents and by the connection they came on: what
// was executed is confirmed without being executed again. A [Journal] on a disk extends that to crashes and power cuts.
//
// The handler gets one order at a time. While it works, the connection stays alive; when too many wait, the client stops
// reading, and the network slows the hub down.
//
// # The hub
//
// SMOK's own hubs have certificates of private authorities, which are not part of this module: pass them as
// [Options.RootCAs]. The root authority has an RSA key of 16384 bits. As a trust anchor it works, but package tls refuses
// keys above 8192 bits in what a peer presents: should a hub send its root along, the handshake fails unless the program
// runs with GODEBUG=tlsmaxrsasize=16384, which a line //go:debug tlsmaxrsasize=16384 in package main sets.
//
// The protocol is that of the original device client, package ngtt of github.com/smok-serwis/smok-client, version 0.21;
// package [github.com/fieldlink-go/fieldlink/ngtt/wire] has its frames, package
// [github.com/fieldlink-go/fieldlink/ngtt/minijson] the encoding of bodies. What the original does differently,
// against its own purpose, is not copied: it reads one frame per read, dies of frames that it does not know, and
// forgets confirmations when a connection breaks.
//
// # Errors
//
// Every error matches [Err]. [ConnectionFailedError] says why there is no connection, and with NoInternet whether the
// device's own way to the hub is missing. [ErrOrderConnectionLost] and [ErrNotConnected] are cases of it.
// [InvalidFrameError], [DataStreamSyncFailedError], [InvalidCredentialsError] and [ConfigurationError] tell of bytes,
// data, certificates and options that cannot be used. The kinds of package errkit answer the general questions. No key
// is ever in the text of an error.
package ngtt
