// Program pikvmctl works PiKVM devices from the command line.
package main
