package siotest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
)

// polling is the server's end of a session over polling.
type polling struct {
	out chan []string // payloads that wait for a request
}

func newPolling() *polling { return &polling{out: make(chan []string, maxWaiting)} }

func (p *polling) send(done <-chan struct{}, packets []string) error {
	select {
	case <-done:
		return ErrEnded
	default:
	}
	select {
	case p.out <- packets:
		return nil
	case <-done:
		return ErrEnded
	}
}

func (p *polling) serve(s *Session, w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			return
		}
		for _, packet := range splitPayload(string(body), s.protocol) {
			s.arrived(packet)
		}
		answer(w, http.StatusOK, "ok")
		return
	}
	packets := p.waiting()
	if packets == nil {
		select {
		case first := <-p.out:
			packets = append(first, p.waiting()...)
		case <-s.done:
			answer(w, http.StatusBadRequest, `{"code":1,"message":"Session ID unknown"}`)
			return
		case <-r.Context().Done():
			s.end(r.Context().Err())
			return
		}
	}
	answer(w, http.StatusOK, joinPayload(packets, s.protocol))
}

// waiting returns the packets that wait.
func (p *polling) waiting() (packets []string) {
	for {
		select {
		case next := <-p.out:
			packets = append(packets, next...)
		default:
			return packets
		}
	}
}

// separator stands between the packets of a payload (Engine.IO protocol, revision 4, "Packet encoding").
const separator = "\x1e"

// joinPayload puts packets into one body. Revision 3 puts the length in UTF-16 units in front of each packet; its binary
// packets are b4 and base64.
func joinPayload(packets []string, protocol int) string {
	if protocol != 3 {
		return strings.Join(packets, separator)
	}
	var b strings.Builder
	for _, p := range packets {
		if rest, ok := strings.CutPrefix(p, "b"); ok {
			p = "b4" + rest
		}
		b.WriteString(strconv.Itoa(len(utf16.Encode([]rune(p)))) + ":" + p)
	}
	return b.String()
}

func splitPayload(body string, protocol int) []string {
	if protocol != 3 {
		return strings.Split(body, separator)
	}
	var packets []string
	for body != "" {
		head, rest, ok := strings.Cut(body, ":")
		n, err := strconv.Atoi(head)
		units := utf16.Encode([]rune(rest))
		if !ok || err != nil || n < 0 || n > len(units) {
			return append(packets, body) // a test will see that it is not what it wants
		}
		p := string(utf16.Decode(units[:n]))
		body = string(utf16.Decode(units[n:]))
		if encoded, binary := strings.CutPrefix(p, "b4"); binary {
			p = "b" + encoded
		}
		packets = append(packets, p)
	}
	return packets
}

// sidOf returns the session id in an open packet.
func sidOf(packet string) string {
	var open struct {
		SID string `json:"sid"`
	}
	if len(packet) == 0 || json.Unmarshal([]byte(packet[1:]), &open) != nil {
		return ""
	}
	return open.SID
}
