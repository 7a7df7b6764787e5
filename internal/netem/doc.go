// Package netem is the network that tests run on: connections that can be stalled, slowed, cut at any byte, reset or
// left half-open, at a moment that the test chooses.
//
// A [Network] lives in memory. It blocks only in ways that testing/synctest understands and keeps no goroutine, so
// programs with timers run on it under a fake clock:
//
//	synctest.Test(t, func(t *testing.T) {
//		network := netem.New(nil)
//		listener, err := network.Listen("kvm.test:443")
//		// serve on listener, dial with network.DialContext
//		network.Links()[0].Stall(netem.Down) // the server's bytes no longer arrive
//		time.Sleep(time.Minute)              // at once, on the fake clock
//		network.Links()[0].Cut(netem.RST)
//	})
//
// A [Proxy] stands before a real TCP server on 127.0.0.1 and has the same controls.
//
// # Links
//
// Each connection is one [Link] with two directions: [Up] from the end that dialled to the end that accepted, [Down]
// back. Bytes that an end writes wait in a buffer until the other end has read them; when the buffer, the window, is
// full, writes block. Between the two ends lies the wire, which bytes cross in order, at once unless the link is
// stalled or has a latency or a bandwidth. Every fault happens on the wire: what has crossed can be read whatever
// happens later, what has not crossed when the link is cut is lost.
//
// # Faithfulness
//
// Errors have the form that package net gives them: a [net.OpError] around os.ErrDeadlineExceeded, net.ErrClosed or a
// system call's ECONNRESET, EPIPE or ECONNREFUSED; the end of a stream is a bare io.EOF. Ends behave as TCP sockets
// do on Linux, and the tests compare the two: closing an end whose received bytes were not all read resets the
// connection, writing to a closed end succeeds once and fails with EPIPE from then on, bytes that came before a reset
// stay readable. One difference is wanted: Linux tells of a reset once, to whoever asks first, and reports the end of
// the stream or EPIPE from then on; here every later call reports ECONNRESET, so that a test does not depend on who
// asked first.
package netem
