// Package pikvm is a client for PiKVM, the open KVM over IP: it switches the computer behind the device on and off,
// tells what the device knows, and follows its events.
//
//	kvm, err := pikvm.New("https://pikvm.local", &pikvm.Options{Password: password, PinnedSHA256: pin})
//	if err != nil {
//		return err
//	}
//	defer kvm.Close()
//	if err := kvm.ATX.PowerOn(ctx, nil); err != nil {
//		return err
//	}
//
// A [Client] is made once per device, checks its options without any I/O, and may be used by several goroutines at
// once; so may all that it hands out. [Client.Close] interrupts what is under way and leaves nothing behind.
//
// # Trust
//
// The certificate of a device is verified by default, and that of most devices is self-signed: fetch its fingerprint
// with [Fingerprint], compare it, and pin it with [Options.PinnedSHA256], or set [Options.RootCAs]. Requests and
// sockets share the policy. Redirects are never followed, so the password goes to no other host.
//
// # Limits
//
// A request takes at most [Options.Timeout], or as long as the deadline of its context allows. Answers are read up to
// [Options.MaxBody]. Nothing is repeated unless [Options.Retry] or the BusyWait of a call asks for it; the press of a
// button is never repeated when its answer is lost.
//
// # Power and events
//
// [ATX.PowerOn], [ATX.PowerOff], [ATX.PowerCycle] and [ATX.ForceReset] press what has to be pressed, never twice, and
// look at the LED until it shows the effect; [PowerOptions] says how hard they try, and its OnStep hears of each step.
// [Client.Events] opens a [Session]: an event socket that reconnects by itself and knows the [State] of the device.
//
// # Keyboard and mouse
//
// [HID] presses keys and buttons, moves the mouse, types text on the layout of the host ([HID.Type], [Layouts]), and lets
// the device type. Keys are named by their place: [Key]. A [Session] does all but the last as well, without waiting for
// answers: [Input] is what they have in common. [Client.RunMacro] plays what the web interface has recorded.
//
// # Screen
//
// [Streamer] takes pictures of the screen, lets the device read the text on it, and follows its MJPEG stream. The device
// has a picture only while somebody watches: open a [Session] with [EventOptions].Stream, or take [Client.Screenshot], which
// watches for its own time, as [Client.WaitForText], [Client.WaitForScreenChange] and [Client.WaitSignal] do. [Media] is the
// video as H.264, frame by frame or recorded.
//
// # Images
//
// [MSD] moves disk images of any size in constant memory. An upload checks first whether the device would refuse, and
// ends when the device lists the image; [MSD.Mount] shows it to the host and looks whether that is so. Transfers have no
// limit in time but one on standing still.
//
// # Errors
//
// Every error matches [Err]. [ErrAuth], [ErrBusy], [ErrUnavailable], [ErrDisabled] and their like tell what the device
// said: all of them are an [APIError]. [ErrConnect] and [ErrConnectionTimeout] tell that it was not reached or did not
// answer, [ErrWebSocket] that a socket broke, [ErrPower] that the LED did not show what was asked for, [ErrScreen] that the
// screen did not, [ErrMSD] that an operation on images did not reach its end, [ErrTyping] that a text was typed in part,
// [ErrMacro] that a macro stopped, [ErrConfiguration] that an option or argument was wrong. The kinds of package errkit
// answer the general questions: whether it may work later (errkit.Transient), and whether it is certain that nothing was
// sent (errkit.NotSent). No text holds a password, a code or a token.
//
// Wire facts come from the PiKVM API as documented at https://docs.pikvm.org/api/ and as observed on kvmd 4.197.
package pikvm
