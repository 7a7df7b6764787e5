package link

import "time"

// Options are the limits of a connection. All must be set; package ngtt holds the defaults.
type Options struct {
	Target          string        // the hub, for errors
	PingInterval    time.Duration // a ping goes out when nothing was written for so long
	PongTimeout     time.Duration // how long nothing may arrive while a ping is unanswered
	ReadIdleTimeout time.Duration // how long nothing may arrive at all
	WriteTimeout    time.Duration // how long one write of at most 64 KiB may take
	MaxBody         int64         // of a frame in either direction, in bytes
}

const (
	// maxQueued bounds what waits to be written, in bytes; one frame may always wait.
	maxQueued = 1 << 20

	// maxWrite is how much one write deadline covers, so that a long frame passes on a slow link.
	maxWrite = 64 << 10

	// maxAtOnce is how many bytes may be on their way, for all that is known, when a caller writes itself. With TLS
	// around small frames they grow to a few times as much, which every network buffer holds.
	maxAtOnce = 4 << 10

	// maxUnproven is the number of marks without proof that calls for a ping at once.
	maxUnproven = 256

	// maxMarks bounds the marks without proof, for a hub that answers no pings and yet lives. The oldest ones never learn
	// of it.
	maxMarks = 1 << 14

	// verdictTimeout is how long a failed write waits for the reader to find out why.
	verdictTimeout = time.Second

	// lingerTimeout bounds the last words of a connection: the proof of what was sent, and the hub's own close.
	lingerTimeout = 5 * time.Second

	// answerInterval is the least time between answers to the hub's own pings, lest two ends that answer
	// everything play ping-pong.
	answerInterval = time.Second
)
