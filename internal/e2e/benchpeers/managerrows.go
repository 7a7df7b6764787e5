package main

// managerRows set a Manager beside what the libraries give without one, and its ways to send beside each other.
var managerRows = []row{
	messages("receive, inline handler, 128 B", 300_000, 0, map[string]float64{"coder": 0.9},
		sockets(receive, 128, inlineLibrary{}, coderLibrary{})),
	messages("receive, inline handler, 4 KiB", 120_000, 0, map[string]float64{"coder": 1.3},
		sockets(receive, 4<<10, inlineLibrary{}, coderLibrary{})),
	messages("receive, queue and iterator, 128 B", 300_000, 1,
		map[string]float64{"coder": 0.6, "coder, Read(ctx)": 1.5, "gorilla": 0.4}, sockets(receive, 128, receivers...)),
	messages("receive, queue and iterator, 4 KiB", 120_000, 1,
		map[string]float64{"coder": 0.75, "coder, Read(ctx)": 2, "gorilla": 1.1}, sockets(receive, 4<<10, receivers...)),
	messages("send, direct, 128 B", 100_000, 0, map[string]float64{"coder": 0.95},
		sockets(send, 128, direct, coderLibrary{})),
	messages("send, direct, 4 KiB", 60_000, 0, map[string]float64{"coder": 0.95},
		sockets(send, 4<<10, direct, coderLibrary{})),
	messages("send, queued, 128 B", 100_000, 1, map[string]float64{"coder": 5, "gorilla": 5, "gws": 5},
		sockets(send, 128, senders...)),
	messages("send, queued, 4 KiB", 120_000, 1, map[string]float64{"coder": 1.8, "gorilla": 0.8, "gws": 0.8},
		sockets(send, 4<<10, senders...)),
	messages("send, at least once, 128 B", 200_000, 1, map[string]float64{"queued": 0.5},
		sockets(sendAcked, 128, acked, queued.as("queued"))),
	messages("send, at least once, 4 KiB", 60_000, 1, map[string]float64{"queued": 0.5},
		sockets(sendAcked, 4<<10, acked, queued.as("queued"))),
	messages("send, spool synced every 200 ms, 128 B", 200_000, -1, map[string]float64{"queued": 0.25},
		sockets(send, 128, spooled, queued.as("queued"))),
	messages("send, spool synced every 200 ms, 16 callers, 128 B", 200_000, -1, map[string]float64{"queued": 0.25},
		sockets(sendTogether, 128, spooled, queued.as("queued"))),
	latency("echo round trip p50, inline handler, 128 B", p50, map[string]float64{"coder": 1.15},
		sockets(bounce, 128, inlineLibrary{}, coderLibrary{})),
	latency("echo round trip p99, inline handler, 128 B", p99, map[string]float64{"coder": 1.5},
		sockets(bounce, 128, inlineLibrary{}, coderLibrary{})),
	latency("echo round trip p50, Receive, 128 B", p50, map[string]float64{"coder": 1.15},
		sockets(roundTrips, 128, direct, coderLibrary{})),
	latency("echo round trip p99, Receive, 128 B", p99, map[string]float64{"coder": 1.5},
		sockets(roundTrips, 128, direct, coderLibrary{})),
	latency("one message to the wire p50, empty queue, 128 B", p50, map[string]float64{"direct": 1.3},
		sockets(toTheWire, 128, queued, direct.as("direct"))),
}

var (
	receivers = []library{direct, coderLibrary{}, idiomaticCoder{}, owningGorilla{}}
	senders   = []library{queued, coderLibrary{}, gorillaLibrary{}, gwsLibrary{}}
)

// messages is a row in which n messages are sent or received, with at most so many allocations each; negative for any.
func messages(name string, n int, most float64, targets map[string]float64, contenders []contender) row {
	return row{
		name: name, contenders: contenders, n: n, things: "messages", lean: most >= 0, most: most,
		figure: perSecond, unit: "K msg/s", targets: targets,
	}
}

// latency is a row of times of single messages.
func latency(name string, figure func(result) float64, targets map[string]float64, contenders []contender) row {
	return row{
		name: name, contenders: contenders, n: 10_000, things: "messages",
		figure: figure, unit: "µs", less: true, targets: targets,
	}
}
