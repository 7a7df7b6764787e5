// Program pikvmctl works PiKVM devices from the command line: power, keyboard and mouse, the screen, disk images, events
// and logs of a computer through the box behind it.
//
//	pikvmctl atx cycle
//
// Its help tells the rest: pikvmctl --help.
package main
