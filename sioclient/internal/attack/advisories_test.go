package attack_test

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/internal/advisory"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// advisories are those of the GitHub advisory database on socket.io, socket.io-parser, engine.io, engine.io-client and ws.
// Details that an advisory does not tell are those of the change that mended it.
var advisories = map[string]attack{
	// ws < 1.0.1: a ping with a number for a payload sent that many bytes of memory that nobody had written to. On the
	// wire: what comes back for a ping is what was in it, and nothing comes for one that is not complete.
	"CVE-2016-10518 memory disclosed by pings": func(a *arena) {
		p := a.join()
		p.send("\x89\x85\x00\x00\x00\x00hello" + "\x89\x80\x00\x00\x00\x00")
		p.await("\x8a\x05hello\x8a\x00")
		p.send("\x89\xfd\x00\x00\x00\x00only this")
		synctest.Wait()
		a.ask()
		if p.pending() != "" {
			a.Error("half a ping was answered")
		}
		q := a.join() // more than a ping can hold, RFC 6455, section 5.5
		q.send("\x89\xfe\x03\xe8\x00\x00\x00\x00hello")
		q.closed(protocolError)
	},

	// ws < 1.1.1: no limit to the size of a message.
	"CVE-2016-10542 message of any size": func(a *arena) {
		const announced = advisory.Gigabyte
		for _, head := range []string{
			announced, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", // 2^63-1 bytes
			"\x81\xff\x00\x00\x00\x00\x00\x0f\x42\x41\x00\x00\x00\x00", // one byte too much
		} {
			p := a.join()
			p.send(head + strings.Repeat("x", 1_000_001))
			p.closed(tooBig)
		}
		for range 10 { // announced alone it takes nothing
			a.join().send(announced + "4")
		}
		p := a.join() // the parts count together
		p.send("\x01\xff\x00\x00\x00\x00\x00\x07\xa1\x20\x00\x00\x00\x00" + strings.Repeat("4", 500_000))
		p.send("\x00\xff\x00\x00\x00\x00\x00\x07\xa1\x20\x00\x00\x00\x00" + strings.Repeat("4", 500_000))
		p.send("\x80\x81\x00\x00\x00\x00x")
		p.closed(tooBig)
		for _, bomb := range []string{bomb(3_000_000), bomb(1_000_001)} { // what counts is the size in memory
			p := a.dial()
			p.send(upgradeHead + "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\r\n")
			p.await("Sec-Websocket-Extensions: permessage-deflate")
			p.await(`"maxPayload":1000000}`)
			p.send(bomb)
			p.closed(tooBig)
		}
		p = a.join() // the sign of a length, RFC 6455, section 5.2
		p.send("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00x")
		p.end()
	},

	// ws 2 and 3 < 3.3.1 and < 1.1.5 (GHSA-5v72-xg48-5rpm): names that every JavaScript object has, as extensions.
	"the WebSocket extension header of 2017": func(a *arena) {
		for _, value := range []string{
			advisory.Extension, ",;constructor", "__proto__; hasOwnProperty=1", "permessage-deflate; constructor",
			"permessage-deflate; toString=1, valueOf", `x; y=",permessage-deflate; client_max_window_bits,"`,
			"permessage-deflate; server_max_window_bits=99999999999999999999", strings.Repeat(",", 100_000),
			strings.Repeat("permessage-deflate; client_max_window_bits, ", 10_000), `x="` + strings.Repeat(`\b`, 100_000),
		} {
			p := a.dial()
			p.send(upgradeHead + "Sec-WebSocket-Extensions: " + value + "\r\n\r\n")
			p.await("HTTP/1.1 ")
			p.hangUp()
			// Version 8 is not served.
			raw := strings.Replace(upgradeHead, "Version: 13", "Version: 8", 1)
			p = a.dial()
			p.send(raw + "Sec-WebSocket-Extensions: " + value + "\r\n\r\n")
			p.await("HTTP/1.1 4")
			p.hangUp()
		}
	},

	// socket.io < 0.9.7: session ids that can be foretold.
	"CVE-2017-16031 predictable ids": func(a *arena) {
		const sessions, prefix = 20, 8
		seen := map[string]bool{}
		for range sessions {
			p := a.session()
			raw, err := base64.RawURLEncoding.DecodeString(p.sid)
			if err != nil || len(raw) != 15 {
				a.Fatalf("id %q: %d bytes, %v", p.sid, len(raw), err)
			}
			for _, part := range []string{"first" + string(raw[:prefix]), "last" + string(raw[len(raw)-prefix:])} {
				if seen[part] {
					a.Fatalf("half of the id %q came before", p.sid)
				}
				seen[part] = true
			}
			p.hangUp()
		}
		// The public id of a socket is not the secret one of its connection.
		p := a.session()
		p.text("40")
		p.await(`40{"sid":"`)
		public := p.take(`"`)
		a.answered(a.get("/socket.io/?EIO=4&transport=polling&sid="+public), "400", `{"code":1,"message":"Session ID unknown"}`)
	},

	// engine.io <= 3.5 (GHSA-j4f2-536g-r55m): a poll with very many small packets took minutes and gigabytes.
	"CVE-2020-36048 payload of many packets": func(a *arena) {
		const size = 250_000
		for _, body := range []string{
			advisory.ManyPackets(250_000), strings.Repeat("1:6", size/3), strings.Repeat("1:2", size/3), strings.Repeat("0:", size/2),
			"1000000:", "99999999999999999999:4", strings.Repeat("9", size), strings.Repeat(":", size), "-1:4",
		} {
			a.post(a.polling("3"), "", body)
			a.ask()
		}
		for _, body := range []string{
			strings.Repeat("4\x1e", size/2), strings.Repeat("6\x1e", size/2), strings.Repeat("\x1e", size),
			strings.Repeat("b\x1e", size/2), "b" + strings.Repeat("A", size-1), strings.Repeat("3\x1e", size/2) + "3",
		} {
			a.post(a.polling("4"), "", body)
			a.ask()
		}
		for _, body := range []string{
			strings.Repeat("\x00\x01\xff4", size/4), strings.Repeat("\x01\x00\xff", size/3), "\x00" + strings.Repeat("\x09", 310) + "\xff4",
			"\x01" + strings.Repeat("\x09", size-1),
		} {
			a.post(a.polling("3"), "Content-Type: application/octet-stream\r\n", body)
			a.ask()
		}
	},

	// socket.io-parser < 3.4.1 (GHSA-xfhh-g9f5-x4m4): the parser went through long packets by the character, and copied.
	"CVE-2020-36049 long header of a packet": func(a *arena) {
		const size = 999_990
		for _, packet := range []string{
			advisory.LongID(size), "45" + strings.Repeat("1", size), "45" + strings.Repeat("1", size) + "-[]",
			"42/" + strings.Repeat("a", size), "42/" + strings.Repeat("a", size-10) + `,["a"]`,
			"4" + strings.Repeat("2", size), "42[" + strings.Repeat(" ", size), `42["` + strings.Repeat(`\u0041`, size/7),
		} {
			p := a.join()
			p.text(packet)
			p.end()
			a.ask()
		}
		p := a.join()
		name := "/" + strings.Repeat("?", size)
		p.text("40" + name)
		p.await("44" + name + `,{"message":"Invalid namespace"}`)
	},

	// socket.io < 2.4.0: every origin was allowed.
	"CVE-2020-28481 any origin": func(a *arena) {
		foreign := "Origin: " + advisory.Origin + "\r\n"
		got := a.request("GET /socket.io/?EIO=4&transport=polling" + closing + foreign + "\r\n")
		a.answered(got, "200", "}")
		if strings.Contains(strings.ToLower(got), "access-control-allow") {
			a.Errorf("a foreign page may read %q", got)
		}
		got = a.request("OPTIONS /socket.io/?EIO=4&transport=polling" + closing + foreign + "Access-Control-Request-Method: POST\r\n\r\n")
		if strings.Contains(strings.ToLower(got), "access-control-allow") {
			a.Errorf("a foreign page may post, by %q", got)
		}
		p := a.dial()
		p.send(upgradeHead + foreign + "\r\n")
		p.await("HTTP/1.1 403")
	},

	// ws < 7.4.6: the time that spaces in this header took grew with the square of their number.
	"CVE-2021-32640 spaces between subprotocols": func(a *arena) {
		for _, value := range []string{
			advisory.Spaces(15_000), advisory.Spaces(32_000), "b" + strings.Repeat(" ,", 100_000) + "x", strings.Repeat(" ", 500_000) + ",",
		} {
			p := a.dial()
			p.send(upgradeHead + "Sec-WebSocket-Protocol: " + value + "\r\n\r\n")
			p.await("HTTP/1.1 ")
			p.hangUp()
			a.ask()
		}
	},

	// socket.io-parser < 4.2.1: the number of a placeholder was taken for an index whatever it was, so that arguments
	// became functions of an array.
	"CVE-2022-2421 placeholder that is no number": func(a *arena) {
		for _, num := range []string{
			`"splice"`, `"constructor"`, `"__proto__"`, `"length"`, `"0"`, `null`, `true`, `0.5`, `-1`, `1`, `1e3`, `1e999`, `[0]`, `{}`,
			`18446744073709551616`, `{"_placeholder":true,"num":0}`,
		} {
			p := a.join()
			p.text(`451-["echo",{"_placeholder":true,"num":` + num + `}]`)
			p.binary("x")
			p.end()
			p = a.join()
			p.text(`461-7[{"a":[{"num":` + num + `,"_placeholder":true}]}]`)
			p.binary("x")
			p.end()
		}
		p := a.join()
		p.text(advisory.Splice)
		p.binary("x")
		if got := p.end(); strings.Contains(got, "431") {
			a.Errorf("acknowledged by %q", got)
		}
		p = a.join()
		p.text(`451-["echo",{"_placeholder":true}]`)
		p.binary("x")
		p.end()
	},

	// engine.io 4 < 4.1.2, 5 < 5.2.1, 6 < 6.1.1: a frame that is not legal before anybody listened for errors.
	"CVE-2022-21676 frame with reserved bits at once": func(a *arena) {
		for _, frame := range []string{
			advisory.Reserved, "\xb1\x81\x00\x00\x00\x00x", "\xa1\x80\x00\x00\x00\x00", "\x83\x80\x00\x00\x00\x00",
			"\x8f\x80\x00\x00\x00\x00", "\x80\x80\x00\x00\x00\x00", "\x09\x80\x00\x00\x00\x00", "\x81\x01x", "\xc1\x81\x00\x00\x00\x00x",
		} {
			p := a.dial()
			p.send(upgradeHead + "\r\n" + frame)
			p.await(switching)
			p.end() // with a close frame or without, if nothing has been sent yet
			target := strings.Replace(a.polling("4"), "polling", "websocket", 1)
			p = a.dial()
			p.send(strings.Replace(upgradeHead, "/socket.io/?EIO=4&transport=websocket", target, 1) + "\r\n" + frame)
			p.await(switching)
			p.end()
			a.answered(a.post(strings.Replace(target, "websocket", "polling", 1), "", "40"), "200", "ok")
		}
	},

	// engine.io < 3.6.1, 6 < 6.2.1: an upgrade to something else, and a reset while it was being refused.
	"CVE-2022-41940 reset of an upgrade": func(a *arena) {
		for _, target := range []string{"/", "/socket.io/", "/socket.io/?EIO=4&transport=websocket", "/socket.io/?EIO=4&transport=polling"} {
			for _, method := range []string{"HEAD", "GET", "POST"} {
				p := a.dial()
				p.send(method + " " + target + " HTTP/1.1\r\nHost: sio.test\r\nConnection: Upgrade, HTTP2-Settings\r\n" +
					"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
				p.reset()
			}
		}
		for cut := range len(upgradeHead) / 16 {
			p := a.dial()
			p.send((upgradeHead + "\r\n")[:cut*16])
			p.reset()
		}
		p := a.dial()
		p.send(upgradeHead + "\r\n")
		p.reset()
		p = a.join()
		p.send("\x81\x85\x00\x00\x00\x0042[")
		p.reset()
	},

	// engine.io 5.1 to 6.4.1: a WebSocket for a transport that takes none.
	"CVE-2023-31125 upgrade of another transport": func(a *arena) {
		sid := strings.TrimPrefix(a.polling("4"), "/socket.io/?EIO=4&transport=polling")
		for _, query := range []string{
			"EIO=4", "EIO=4&transport=polling", "EIO=4&transport=webtransport", "EIO=4&transport=constructor", advisory.OtherTransport,
			"EIO=4&transport=", "EIO=4&transport=polling&transport=websocket", "transport=websocket", "EIO=5&transport=websocket",
			"EIO=4&transport=websocket&sid=constructor", "EIO=4&transport=websocket&sid=__proto__", "EIO=4&transport=websocket&sid=",
			"EIO=4&transport=polling" + sid, "EIO=3&transport=websocket" + sid, "EIO=4&transport=webtransport" + sid, "%zz", "EIO=4;transport=websocket",
		} {
			p := a.dial()
			p.send(strings.Replace(upgradeHead, "EIO=4&transport=websocket", query, 1) + "\r\n")
			p.await("HTTP/1.1 400")
			p.hangUp()
		}
	},

	// socket.io-parser < 4.2.3: an event whose name is an object with a toString of its own.
	"CVE-2023-32695 event name that is no text": func(a *arena) {
		for _, packet := range []string{
			advisory.NoName, `42[{"toString":1,"valueOf":2}]`, `42[{}]`, `42[[]]`, `42[["a"]]`, `42[true]`, `42[null]`,
			`42[{"__proto__":null}]`, `42/,[{"toString":"foo"},1]`, `421[{"toString":"foo"}]`,
		} {
			p := a.join()
			p.text(packet)
			p.end()
		}
	},

	// ws < 8.17.1: more headers than the limit of the server hid the one that was looked for.
	"CVE-2024-37890 very many headers": func(a *arena) {
		var headers strings.Builder
		for i := range 2000 {
			fmt.Fprintf(&headers, "%c%c%c: x\r\n", 'a'+i%26, 'a'+i/26%26, 'a'+i/676)
		}
		p := a.dial()
		p.send(upgradeHead + headers.String() + "\r\n")
		p.await("HTTP/1.1 101")
		p = a.dial()
		p.send(strings.Replace(upgradeHead, "Upgrade: websocket\r\n", "", 1) + advisory.Headers(2000) + "Upgrade: websocket\r\n\r\n")
		p.await("HTTP/1.1 101")
		p = a.dial()
		p.send(upgradeHead + strings.Repeat("x: "+strings.Repeat("y", 1000)+"\r\n", 2000) + "\r\n")
		p.await("HTTP/1.1 431")
		p = a.dial() // without the header in question
		p.send(strings.Replace(upgradeHead, "Upgrade: websocket\r\n", "", 1) + headers.String() + "\r\n")
		p.await("HTTP/1.1 400")
	},

	// socket.io < 4.6.2 and 2 < 2.5.1: an error packet, or an event of that name, to which nobody listened.
	"CVE-2024-38355 error packet": func(a *arena) {
		for _, packet := range []string{`44`, `44{}`, `44"error"`, `44{"message":"x"}`, `44/custom,{}`, `44[]`, `44null`} {
			p := a.join()
			p.text(packet)
			p.end()
		}
		p := a.join()
		p.text(advisory.ErrorEvent, `42["error",{"message":"x"}]`, `42["error",null]`, `421["echo"]`)
		p.await("431[]")
	},

	// socket.io-parser < 4.2.6: as many attachments as a packet announces.
	"CVE-2026-33151 any number of attachments": func(a *arena) {
		for _, packet := range []string{`4511-["a"]`, advisory.ManyAttachments, `459000000000000-["a"]`, `4518446744073709551617-["a"]`, `4699-1[]`} {
			p := a.join()
			p.text(packet)
			for range 50 {
				p.binary(attachment)
			}
			p.end()
		}
	},

	// ws 8 < 8.20.1: a typed array as the reason of a close sent memory that nobody had written to. On the wire: a close
	// frame is answered with its own code and nothing else.
	"CVE-2026-45736 memory disclosed by close frames": func(a *arena) {
		for _, payload := range []string{"", "\x03\xe8", "\x03\xe8my reason", "\x0b\xb8" + strings.Repeat("r", 123)} {
			p := a.join()
			p.send(string([]byte{0x88, 0x80 | byte(len(payload))}) + "\x00\x00\x00\x00" + payload)
			got := p.end()
			if len(got) < 2 || got[0] != 0x88 || int(got[1]) != len(got)-2 || !strings.HasPrefix(payload, got[2:]) {
				a.Errorf("close frame with %q answered with %q", payload, got)
			}
		}
		for _, frame := range []string{"\x88\x81\x00\x00\x00\x00x", "\x88\xfe\x00\x7e\x00\x00\x00\x00\x03\xe8" + strings.Repeat("r", 124), "\x88\x82\x00\x00\x00\x00\x00\x00"} {
			p := a.join()
			p.send(frame)
			if got := p.end(); len(got) > 2+125 {
				a.Errorf("%q answered with %d bytes", frame, len(got))
			}
		}
	},

	// ws < 8.21.0: a message in very many fragments, each kept with all that belongs to it.
	"CVE-2026-48779 very many fragments": func(a *arena) {
		tiny := a.join()
		tiny.send(advisory.FirstFragment)
		for range 30 {
			tiny.send(strings.Repeat(advisory.Fragment, 1000))
		}
		empty := a.join()
		empty.send("\x02\x80\x00\x00\x00\x00")
		for range 30 {
			empty.send(strings.Repeat("\x00\x80\x00\x00\x00\x00", 1000))
		}
		pinged := a.join() // with pings in between
		pinged.send("\x01\x80\x00\x00\x00\x00")
		for range 5 {
			pinged.send(strings.Repeat("\x00\x80\x00\x00\x00\x00\x89\x80\x00\x00\x00\x00", 1000))
			pinged.await(strings.Repeat("\x8a\x00", 1000))
		}
	},

	// socket.io-parser < 4.2.7: a packet that announces no attachments and is waited for in vain, with all that comes.
	"CVE-2026-69185 no attachments": func(a *arena) {
		for _, packet := range []string{advisory.NoAttachments, `450-["a",{"_placeholder":true,"num":0}]`, `460-1[]`, `4500-["a"]`, `45-["a"]`} {
			p := a.join()
			p.text(packet)
			for range 50 {
				p.binary(attachment)
			}
			p.end()
		}
	},

	// engine.io < 6.6.7: a binary POST that was refused without an answer, so that the connection stayed.
	"CVE-2026-59725 binary POST": func(a *arena) {
		for range 20 {
			target := a.polling("4")
			got := a.post(target, "Content-Type: application/octet-stream\r\n", advisory.BinaryPost)
			a.answered(got, "400", `{"code":3,"message":"Bad request"}`)
			a.answered(a.get(target), "400", `{"code":1,"message":"Session ID unknown"}`)
		}
	},
}

// attachment is one of which 50 are more than maxMemory.
var attachment = strings.Repeat("x", 30_000)

// bomb returns a frame with a compressed text of that many bytes (RFC 7692, section 7.2.1).
func bomb(size int) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // the level is a valid one
	_, _ = w.Write(bytes.Repeat([]byte("4"), size))
	_ = w.Flush()
	raw := bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
	return string(wstest.Frame{Opcode: wstest.OpText, RSV: 4, Payload: raw, Masked: true}.Bytes())
}

// TestAdvisory are the attacks of the advisories.
func TestAdvisory(t *testing.T) {
	run(t, advisories)
	t.Run("CVE-2016-10536 certificates are not verified", func(t *testing.T) {
		synctest.Test(t, impersonate)
	})
}

// impersonate is a server in the middle, with a certificate that nobody vouches for. engine.io-client < 1.6.9 talked to it
// when it was not told whether to verify.
func impersonate(t *testing.T) {
	ca, err := certs.NewCA("nobody knows this authority")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("sio.test")
	if err != nil {
		t.Fatal(err)
	}
	network := netem.New(nil)
	listener, err := network.Listen("sio.test:443")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0), // handshakes that fail
		Handler:  http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the client asks for %s", r.URL) }),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}}))
	}()
	defer func() {
		_ = server.Close()
		<-done
	}()
	for _, config := range []*tls.Config{nil, {}, {ServerName: "sio.test"}} {
		for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
			opts := &sioclient.Options{
				Engine: engineio.DialOptions{
					DialContext: network.DialContext, Transports: []string{transport}, TLSConfig: config,
				},
				Socket: sioclient.SocketOptions{Auth: map[string]string{"token": "secret"}},
			}
			_, err := sioclient.Dial(context.Background(), "https://sio.test", opts)
			if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
				t.Errorf("%s: got %v", transport, err)
			}
		}
	}
}
