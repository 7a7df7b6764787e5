package smok

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/logship"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// LogOptions are the settings of a [Device.LogHandler]. The zero value is good for use.
type LogOptions struct {
	// Level is the least level that is taken. Nil means [slog.LevelInfo].
	Level slog.Leveler

	// JSON writes the attributes of a record behind its message as a JSON object, and not as key=value.
	JSON bool

	// ReplaceAttr may change or, by the zero Attr, drop an attribute before it is written, as that of
	// [slog.HandlerOptions] does. It does not get time, level and message. It must not log.
	ReplaceAttr func(groups []string, a slog.Attr) slog.Attr

	// Secrets are texts that must not leave the device, such as passwords that the program was given. They become "***"
	// wherever they appear.
	Secrets []string

	// MaxRecords and MaxBytes bound what waits in memory. The oldest records go first, and the hub is told how many. Zero
	// means 20,000 records and 8 MiB.
	MaxRecords int
	MaxBytes   int64
}

// LogHandler returns a handler whose records are sent to the hub. The service tells several programs of one device apart.
// Nil options mean the defaults.
//
// It never blocks and never fails: records wait in memory, bounded, until the hub has them; those that wait when the
// program ends without [Device.Shutdown] are lost. Attributes stand behind the message. The first one that is an error
// becomes the exception text, together with one of the name "stack". Attributes whose names speak of secrets (password,
// token, key and the like) are "***", and so is what looks like a secret in a text. What the device itself has to say
// about the sending of logs is not taken, so its own [Options.Logger] may have this handler as well.
//
// With the logs switched off the handler takes nothing. At most 64 services can be told apart; the handlers of one service
// are independent of each other. An option that cannot be used is an *[InvalidArgumentError].
func (d *Device) LogHandler(service string, opts *LogOptions) (slog.Handler, error) {
	const op = "logHandler"
	if err := d.allow(op, false); err != nil {
		return nil, err
	}
	if d.opts.Disable.Logs {
		return slog.DiscardHandler, nil
	}
	var o LogOptions
	if opts != nil {
		o = *opts
	}
	return d.logs.add(op, service, o)
}

// LogStats are the numbers of the log handlers of a device.
type LogStats struct {
	Queued   int    // records that wait
	Bytes    int64  // that they take, about
	Shipped  uint64 // records that the hub has
	Dropped  uint64 // records that found no room
	Rejected uint64 // records that the hub did not want
}

// Limits and names of logs.
const (
	logsName    = "logs"
	maxQueues   = 64
	gatherLogs  = time.Second // that the first record waits for more
	rejectEvery = time.Minute // between two reports of rejected records
)

// logs is the area that brings logs to the hub.
type logs struct {
	bare
	*host
	task *task

	mu       sync.Mutex
	queues   []*logship.Queue
	reported time.Duration // when a rejection was reported last, by the monotonic clock
	rejects  bool          // one was
}

func newLogs(h *host) *logs {
	l := &logs{host: h}
	l.task = &task{name: logsName, gather: gatherLogs, run: l.ship}
	return l
}

func (l *logs) name() string   { return logsName }
func (l *logs) tasks() []*task { return []*task{l.task} }

func (l *logs) flush(ctx context.Context) error {
	if !l.online() {
		return nil
	}
	var errs []error
	for _, q := range l.all() {
		errs = append(errs, q.Flush(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return smokerr.Sync("flush", logsName, err)
	}
	return nil
}

// ship sends what waits, a batch of each handler in turn.
func (l *logs) ship(ctx context.Context) error {
	for waiting := true; waiting; {
		waiting = false
		for _, q := range l.all() {
			if q.Stats().Queued == 0 {
				continue
			}
			waiting = true
			if err := q.Ship(ctx); err != nil {
				return smokerr.Sync("sync", logsName, err)
			}
		}
	}
	return nil
}

// rejected reports records that the hub does not want, not each of them.
func (l *logs) rejected(_ api.LogRecord, cause error) {
	now := l.clock.look().mono
	l.mu.Lock()
	due := !l.rejects || now-l.reported >= rejectEvery
	if due {
		l.rejects, l.reported = true, now
	}
	l.mu.Unlock()
	if due {
		l.report(logsName, smokerr.Sync("sync", logsName, cause))
	}
}

// secretsOf returns what of the credentials must not be in a log: the key, and the certificate, by which alone some requests
// prove which device they are of. They are cut as PEM text is, into lines.
func secretsOf(cert tls.Certificate) []string {
	var secrets []string
	for _, der := range append([][]byte{keyOf(cert)}, cert.Certificate...) {
		text := base64.StdEncoding.EncodeToString(der)
		for line := range slices.Chunk([]byte(text), pemLine) {
			if len(line) == pemLine { // the last one may be too short to mean anything
				secrets = append(secrets, string(line))
			}
		}
	}
	return secrets
}

// pemLine is the length of a line of PEM text (RFC 7468, section 2).
const pemLine = 64

// keyOf returns the private key, nil if it is in a security module.
func keyOf(cert tls.Certificate) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil
	}
	return der
}

func (l *logs) status(s *Status) {
	for _, q := range l.all() {
		one := q.Stats()
		s.Logs.Queued += one.Queued
		s.Logs.Bytes += one.Bytes
		s.Logs.Shipped += one.Shipped
		s.Logs.Dropped += one.Dropped
		s.Logs.Rejected += one.Rejected
	}
}

func (l *logs) all() []*logship.Queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.queues)
}

func (l *logs) add(op, service string, o LogOptions) (slog.Handler, error) {
	if service == "" {
		return nil, smokerr.InvalidArgument(op, "service", "empty", nil)
	}
	q, err := logship.New(logship.Config{
		Upload: l.api.UploadLogs, Service: service, Level: o.Level, JSON: o.JSON, ReplaceAttr: o.ReplaceAttr,
		Secrets: slices.Concat(o.Secrets, secretsOf(l.credentials.Certificate())), MaxRecords: o.MaxRecords, MaxBytes: o.MaxBytes,
		OnReady: l.task.wake, OnReject: l.rejected,
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queues) == maxQueues {
		return nil, smokerr.QueueFull(op, "log handlers", maxQueues)
	}
	l.queues = append(l.queues, q)
	return q.Handler(), nil
}
