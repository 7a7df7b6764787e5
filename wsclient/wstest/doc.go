// Package wstest supplies peers for the tests of programs that use WebSockets.
//
// [Start] runs a well-behaved server: an echo, or a handler of your own, on 127.0.0.1 or on any listener.
//
// [Play] runs scripts: functions that decide about every byte of a connection. They refuse or botch the upgrade, break
// frames anywhere, fall silent, send a close code, reset the connection.
//
//	peer, err := wstest.Play(nil, func(s *wstest.Session) error {
//		if err := s.Upgrade(nil); err != nil {
//			return err
//		}
//		s.Send(wstest.Text("hello"))
//		s.Send(wstest.CloseFrame(1012, "service restart"))
//		return s.Discard()
//	})
//
// [NewMemory] makes a network in memory, for tests that run in a bubble of testing/synctest, where real connections
// keep time from passing.
//
// [Connect] is the other side: a scripted client, for tests of servers.
package wstest
