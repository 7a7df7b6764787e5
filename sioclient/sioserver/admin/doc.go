// Package admin lets the official admin page (https://admin.socket.io, npm's @socket.io/admin-ui) look into a server and
// act on it:
//
//	page, err := admin.Instrument(srv, &admin.Options{
//		Authenticate: func(_ context.Context, username, password string) bool { … },
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer page.Close()
//
// The page connects to the namespace "/admin" of the server, from another origin: Options.Engine.CORS of the server must
// admit it. In the mode [Development] it is told of every event; what it cannot be told fast enough is dropped, and counted by
// [Admin.Dropped]. While
// nobody looks, nothing but counters is kept.
package admin
