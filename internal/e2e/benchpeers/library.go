package main

// library is a WebSocket library under test, on the client's side.
type library interface {
	name() string
	dial(url string) (conn, error)
}

// conn is one connection of a library. Messages are binary.
type conn interface {
	// send writes a batch, in the way that the library offers for messages that are there already.
	send(batch [][]byte) error
	// receive reads n messages with a buffer that is used again, and returns the sum of their lengths.
	receive(n int) (int64, error)
	// echo writes a message and reads one.
	echo(p []byte) error
	close()
}

var libraries = []library{wsconnLibrary{}, coderLibrary{}, gorillaLibrary{}, gwsLibrary{}}

// sockets are libraries, which do work with messages of a size. Each turn has a connection of its own.
func sockets(work func(l library, n, size int) (result, error), size int, libraries ...library) []contender {
	list := make([]contender, len(libraries))
	for i, l := range libraries {
		list[i] = contender{name: l.name(), start: func() (func(int) (result, error), func() error, error) {
			return func(n int) (result, error) { return work(l, n, size) }, func() error { return nil }, nil
		}}
	}
	return list
}
