//go:build interop

package siointerop_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/advisory"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// fallen is a published attack, and an old version that falls to it.
type fallen struct {
	old    settings
	strike func(*striker) (seen string)
	fall   fall
}

// fall is how a server is lost: by one of these.
type fall struct {
	crash     string        // the process ends, with this in its last words
	memory    int           // it needs so many MiB more
	processor time.Duration // it is busy for so long
	says      string        // it says this to the attacker
	silent    bool          // it says nothing
}

// String says it in a few words.
func (f fall) String() string {
	switch {
	case f.crash != "":
		return "ends: " + f.crash
	case f.memory > 0:
		return fmt.Sprintf("needs more than %d MiB", f.memory)
	case f.processor > 0:
		return fmt.Sprintf("is busy for more than %v", f.processor)
	case f.says != "":
		return "says " + f.says
	}
	return "says nothing"
}

// patience is how long an old version gets to say nothing.
const patience = 5 * time.Second

// standing are advisories without an old version that falls here.
var standing = map[string]string{
	"CVE-2016-10518 memory disclosed by pings":        "ws 1.0.0 runs: the mistake is in a call of its own program, and Node.js 20 hands out zeros",
	"CVE-2016-10536 certificates are not verified":    "engine.io-client 1.6.8 runs: Node.js 20 verifies, whatever that does not ask for",
	"CVE-2017-16031 predictable ids":                  "socket.io 0.9.6 does not run with Node.js 20",
	"CVE-2026-45736 memory disclosed by close frames": "ws 8.20.0 runs: the mistake is in a call of its own program",
}

// oldVersions are by advisory.
var oldVersions = map[string]fallen{
	"CVE-2016-10542 message of any size": {
		settings{Package: "ws-1.1.0"},
		func(s *striker) string {
			l := s.webSocket(eio4)
			l.send(advisory.Gigabyte)
			for range 200 {
				l.send(strings.Repeat("x", 1<<20))
			}
			return ""
		},
		fall{memory: 120},
	},
	"the WebSocket extension header of 2017": {
		settings{Package: "ws-3.3.0"},
		func(s *striker) string {
			s.dial().send(head(eio4) + "Sec-WebSocket-Extensions: " + advisory.Extension + "\r\n\r\n")
			return ""
		},
		fall{crash: "TypeError"},
	},
	"CVE-2020-28481 any origin": {
		settings{Package: "socket.io-2.3.0"},
		func(s *striker) string {
			l := s.dial()
			l.send("GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: sio.test\r\nOrigin: " + advisory.Origin + "\r\n\r\n")
			return l.answer()
		},
		fall{says: "Access-Control-Allow-Origin: " + advisory.Origin},
	},
	"CVE-2020-36048 payload of many packets": {
		settings{Package: "engine.io-3.5.0"},
		func(s *striker) string {
			s.post(s.polling("EIO=3&transport=polling"), "text/plain;charset=UTF-8", advisory.ManyPackets(2_500_000))
			return ""
		},
		fall{crash: "heap out of memory"},
	},
	"CVE-2020-36049 long header of a packet": {
		settings{Package: "socket.io-2.3.0", Parser: "socket.io-parser-3.4.0"},
		func(s *striker) string {
			s.join(eio3).text(advisory.LongID(10_000_000))
			return ""
		},
		fall{crash: "heap out of memory"},
	},
	"CVE-2021-32640 spaces between subprotocols": {
		settings{Package: "ws-7.4.5"},
		func(s *striker) string {
			for range 20 {
				l := s.dial()
				l.send(head(eio4) + "Sec-WebSocket-Protocol: " + advisory.Spaces(15_000) + "\r\n\r\n")
				l.answer()
			}
			return ""
		},
		fall{processor: 1500 * time.Millisecond},
	},
	"CVE-2022-2421 placeholder that is no number": {
		settings{Package: "socket.io", Parser: "socket.io-parser-4.2.0"},
		func(s *striker) string {
			l := s.join(eio4)
			l.text(advisory.Splice)
			l.frame(wstest.Binary([]byte("x")))
			return l.await("431")
		},
		fall{says: "431[null]"},
	},
	"CVE-2022-21676 frame with reserved bits at once": {
		settings{Package: "engine.io-6.1.0"},
		func(s *striker) string {
			s.dial().send(head(eio4) + "\r\n" + advisory.Reserved)
			return ""
		},
		fall{crash: "RSV"},
	},
	"CVE-2022-41940 reset of an upgrade": {
		settings{Package: "engine.io-6.2.0"},
		func(s *striker) string {
			for range 20 {
				l := s.dial()
				l.send("GET / HTTP/1.1\r\nHost: sio.test\r\n" + upgrade + "\r\n")
				other := s.dial() // its request is read after that one
				other.send("GET / HTTP/1.1\r\nHost: sio.test\r\n\r\n")
				other.answer()
				l.reset()
			}
			return ""
		},
		fall{crash: "ECONNRESET"},
	},
	"CVE-2023-31125 upgrade of another transport": {
		settings{Package: "engine.io-6.4.1"},
		func(s *striker) string {
			s.dial().send(head(advisory.OtherTransport) + "\r\n")
			return ""
		},
		fall{crash: "handlesUpgrades"},
	},
	"CVE-2023-32695 event name that is no text": {
		settings{Package: "socket.io", Parser: "socket.io-parser-4.2.2"},
		func(s *striker) string { s.join(eio4).text(advisory.NoName); return "" },
		fall{crash: "TypeError"},
	},
	"CVE-2024-37890 very many headers": {
		settings{Package: "ws-8.17.0"},
		func(s *striker) string {
			whole := head(eio4)
			first, _, _ := strings.Cut(whole, upgrade)
			s.dial().send(first + advisory.Headers(2000) + upgrade + "\r\n")
			return ""
		},
		fall{crash: "TypeError"},
	},
	"CVE-2024-38355 error packet": {
		settings{Package: "socket.io-4.6.1"},
		func(s *striker) string { s.join(eio4).text(advisory.ErrorEvent); return "" },
		fall{crash: "Unhandled error"},
	},
	"CVE-2024-38355 error packet, of the old protocol": {
		settings{Package: "socket.io-2.5.0"},
		func(s *striker) string { s.join(eio3).text(advisory.ErrorEvent); return "" },
		fall{crash: "Unhandled error"},
	},
	"CVE-2026-33151 any number of attachments": {
		settings{Package: "socket.io", Parser: "socket.io-parser-4.2.5"},
		func(s *striker) string { return attach(s, advisory.ManyAttachments) },
		fall{memory: 120},
	},
	"CVE-2026-48779 very many fragments": {
		settings{Package: "ws-8.20.0"},
		func(s *striker) string {
			l := s.webSocket(eio4)
			l.send(advisory.FirstFragment)
			for range 999 {
				l.send(strings.Repeat(advisory.Fragment, 1000))
			}
			return ""
		},
		fall{memory: 60},
	},
	"CVE-2026-69185 no attachments": {
		settings{Package: "socket.io", Parser: "socket.io-parser-4.2.6"},
		func(s *striker) string { return attach(s, advisory.NoAttachments) },
		fall{memory: 120},
	},
	"CVE-2026-59725 binary POST": {
		settings{Package: "engine.io-6.6.6"},
		func(s *striker) string {
			return s.post(s.polling("EIO=4&transport=polling"), "application/octet-stream", advisory.BinaryPost).perhaps()
		},
		fall{silent: true},
	},
}

// attach sends a packet and 200 MB of attachments.
func attach(s *striker, packet string) string {
	l := s.join(eio4)
	l.text(packet)
	for range 200 {
		l.frame(wstest.Binary(make([]byte, 999_000)))
	}
	return ""
}

// happened reports whether a server has fallen.
func (f fall) happened(p *process, before usage, seen string) bool {
	switch {
	case f.crash != "":
		return p.ended() && strings.Contains(p.said.String(), f.crash)
	case f.says != "":
		return strings.Contains(seen, f.says)
	case f.silent:
		return seen == ""
	}
	now, err := p.usage()
	return err == nil &&
		(f.memory > 0 && now.memory-before.memory > f.memory || f.processor > 0 && now.processor-before.processor > f.processor)
}

// TestOldVersions sends each attack to an old version, which must fall, and to the server of this repository, which must
// not. What came of it is in oldversions.txt afterwards.
func TestOldVersions(t *testing.T) {
	t.Parallel()
	results := struct {
		sync.Mutex
		rows map[string]string
	}{rows: maps.Clone(standing)}
	t.Cleanup(func() {
		var text strings.Builder
		for _, name := range slices.Sorted(maps.Keys(results.rows)) {
			fmt.Fprintf(&text, "%-50s %s\n", name, results.rows[name])
		}
		if err := os.WriteFile(programs+"/oldversions.txt", []byte(text.String()), 0o644); err != nil {
			t.Error(err)
		}
	})
	for name, row := range oldVersions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs, ours := row.fell(t), row.survived(t)
			results.Lock()
			defer results.Unlock()
			results.rows[name] = fmt.Sprintf("%s %s; %s", row.old, theirs, ours)
		})
	}
}

// fell attacks the old version and waits for its fall.
func (r fallen) fell(t *testing.T) string {
	t.Helper()
	old := oldServer(t, r.old)
	before, err := old.usage()
	if err != nil {
		t.Fatal(err)
	}
	seen := r.strike(&striker{t, old.address, patience})
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		ended := old.ended()
		if r.fall.happened(old, before, seen) {
			return r.fall.String()
		}
		if ended {
			t.Fatalf("%s ended otherwise: %v: %s", r.old, old.err, &old.said)
		}
		if time.Now().After(end) {
			now, err := old.usage()
			t.Fatalf("%s did not fall: it said %q and has needed %v, %v before (%v)", r.old, seen, now, before, err)
		}
	}
}

// survived attacks the server of this repository, and asks it then as an honest client does.
func (r fallen) survived(t *testing.T) string {
	t.Helper()
	server := ourServer(t)
	before, err := server.usage()
	if err != nil {
		t.Fatal(err)
	}
	seen := r.strike(&striker{t, server.address, limit})
	s, err := sioclient.Dial(t.Context(), "http://"+server.address, &sioclient.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if answer, err := sioclient.Call1[int](t.Context(), s, "echo", 7); err != nil || answer != 7 {
		t.Errorf("an honest client is answered %v, %v", answer, err)
	}
	if r.fall.happened(server, before, seen) {
		t.Errorf("fell: %v", r.fall)
	}
	now, err := server.usage()
	if err != nil {
		t.Fatal(err)
	}
	now.memory, now.processor = now.memory-before.memory, now.processor-before.processor
	if now.memory > maxMemory || now.processor > maxProcessor {
		t.Errorf("needs %v more", now)
	}
	return fmt.Sprintf("ours needs %v more", now)
}

// What an attack and the honest client after it may cost the server of this repository.
const (
	maxMemory    = 32 // MiB
	maxProcessor = 3 * time.Second
)
