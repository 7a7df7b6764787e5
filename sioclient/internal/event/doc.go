// Package event is what clients and servers have in common above the packets: events and their handlers, the table of
// listeners, the queue in which handlers run, and the table of pending acknowledgements.
package event
