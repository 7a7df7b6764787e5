// Package pikvmtest is a PiKVM for tests: a server that speaks the PiKVM HTTP API and event socket, keeps the state
// that a real device keeps, and models the host computer behind it.
//
// A [Server] listens on 127.0.0.1, or on any net.Listener, plain or with TLS and a throw-away certificate:
//
//	kvm := pikvmtest.New(&pikvmtest.Options{TLS: true})
//	if err := kvm.Start(); err != nil {
//		return err
//	}
//	defer kvm.Close()
//	runMyProgram(kvm.URL(), "admin", "admin", kvm.Fingerprint())
//	if !kvm.HostPower() {
//		return errors.New("my program did not switch the host on")
//	}
//
// It answers with the statuses, texts and timing of a device of the chosen version ([Options.Version]): all ways to
// authenticate, the redirects of the router, the pages of the web server in front, the two ATX lines with their busy
// times, keyboard and mouse with a host that takes text, video with a screen of text, the media sockets with H.264 of
// numbered frames, the mass storage with its list that is a second behind, GPIO, the
// switch, Redfish, metrics, the journal, and the event socket with its full states and changes. It packs no images: downloads
// with lzma are answered 501, and those with zstd are frames of raw blocks.
//
// # Faults
//
// [Server.Inject] spoils chosen answers, [Server.Restart] and [Server.SetDown] take the daemon away, [Server.DropSockets],
// [Server.SilenceSockets] and [Server.StallPings] break event sockets, [Server.HoldATX] keeps an ATX line busy, and
// [Server.SetPowerLED] makes the power LED lie. [Server.HoldMSD], [Server.SetMSDOnline] and [Server.LockDrive] get in the way
// of the storage, [Server.HoldGPIO] and [Server.SetGPIOOnline] of a channel; a [RemoteImage] can break off, and
// [MSDOptions].FetchFrom lets the device fetch from real servers.
// [Server.SetHIDOnline], [Server.SetHIDBusy] and [Server.SetHIDLEDs] are what a host does to keyboard and mouse,
// [Server.SetSignal] and [Server.SetScreenText] what it shows. [Server.SetMedia], [Server.DropMedia], [Server.SilenceMedia] and
// [Server.EmitMedia] break the media sockets.
//
// # What happened
//
// [Server.Requests], [Server.PowerLog], [Server.HIDLog], [Server.Typed], [Server.Pressed], [Server.GPIOLog], [Server.Images],
// [Server.ImageContent] and [Server.Drive] tell.
//
// # Time
//
// All waiting goes through package time, so a server whose listener is in memory runs inside a testing/synctest
// bubble. [Options.TimeScale] speeds up the ATX lines and the host where time is real.
//
// # Concurrency
//
// All methods may be called from several goroutines. There is no global state: servers do not know of each other.
package pikvmtest
