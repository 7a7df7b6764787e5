// Package backlog keeps what pathpoints measured until the hub has it, and for as long after that as the device wants.
//
// Values are records of two logs, one for each storage level. They are known by the numbers that the logs give them, not
// by their times. They go out in batches, the oldest first; when there is more than a batch can hold, every other request
// carries what is new instead, so that the hub sees the present while the past is on its way.
package backlog
