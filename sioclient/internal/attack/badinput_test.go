package attack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// badInput is what a hostile peer may try besides. The official server is hurt by a burst of CONNECTs, ended by the nesting
// and by the arguments.
var badInput = map[string]attack{
	"attachment bombs": func(a *arena) {
		const two = `452-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`
		for _, packet := range []string{
			`4511-["a"]`, `451-["a",{"_placeholder":true,"num":0}`, `45-1-["a"]`, `451.0-["a"]`, `451e1-["a"]`, `45 1-["a"]`, `45+1-["a"]`,
		} {
			p := a.join()
			p.text(packet)
			p.end()
		}
		p := a.join() // a text in between
		p.text(two)
		p.binary(attachment)
		p.text(`421["echo"]`)
		p.end()
		p = a.join() // more than announced
		p.text(two)
		p.binary("a", "b", "c")
		p.end()
		p = a.join() // one that is too large
		p.text(two)
		p.binary(strings.Repeat("x", 1_000_001))
		p.closed(tooBig)
		p = a.join() // never complete
		p.text(two)
		p.binary(attachment)
		target := a.polling("4") // as base64
		a.answered(a.post(target, "", "40"), "200", "ok")
		synctest.Wait()
		a.answered(a.post(target, "", two+"\x1eb!!!!"), "400", `{"code":3,"message":"Bad request"}`)
	},
	"JSON 100,000 deep": func(a *arena) {
		const depth = 100_000
		for _, nested := range []string{
			strings.Repeat("[", depth) + strings.Repeat("]", depth), strings.Repeat("[", depth),
			strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth), strings.Repeat(`[{"a":`, depth/2),
		} {
			for _, packet := range []string{`42["echo",` + nested + "]", "421" + nested, "43" + nested, "40/custom," + nested, `451-["a",` + nested + "]"} {
				p := a.join()
				p.text(packet)
				p.end()
				a.ask()
			}
		}
	},
	"200,000 arguments": func(a *arena) {
		args := strings.Repeat(",1", 200_000)
		for _, packet := range []string{`42["echo"` + args + "]", `421["echo"` + args + "]", `43[1` + args + "]", `421["echo"` + strings.Repeat(`,""`, 200_000) + "]"} {
			p := a.join()
			p.text(packet)
			p.end()
			a.ask()
		}
	},
	"huge numbers": func(a *arena) {
		for _, packet := range []string{
			`4299999999999999999999["echo"]`, `4218446744073709551616["echo"]`, "42" + strings.Repeat("9", 100_000) + `["echo"]`, `42-1["echo"]`, `42 1["echo"]`,
		} {
			p := a.join()
			p.text(packet)
			p.end()
		}
		p := a.join()
		p.text(`4218446744073709551615["echo",` + strings.Repeat("9", 1000) + `]`)
		p.await(`4318446744073709551615[` + strings.Repeat("9", 1000) + `]`)
		for i := range 10_000 { // acknowledgements of nothing
			p.text(fmt.Sprintf("43%d[]", int64(i)*1e12))
		}
		p.text(`421["echo"]`)
		p.await("431[]")
	},
	"oversized polls": func(a *arena) {
		target := a.polling("4")
		a.answered(a.post(target, "", "4"+strings.Repeat("x", 1_000_000)), "413", "\r\n\r\n")
		a.answered(a.get(target), "400", `{"code":1,"message":"Session ID unknown"}`)
		p := a.dial() // announced alone
		p.send("POST " + a.polling("4") + closing + "Content-Length: 1000000000000\r\n\r\n4")
		q := a.dial() // in pieces, without an end
		target = a.polling("4")
		q.send("POST " + target + closing + "Transfer-Encoding: chunked\r\n\r\n")
		for range 17 {
			q.send("10000\r\n" + strings.Repeat("4", 1<<16) + "\r\n")
		}
		q.refused("413")
		a.answered(a.get(target), "400", `{"code":1,"message":"Session ID unknown"}`)
	},
	"slow polls": func(a *arena) {
		target := a.polling("4")
		begin := time.Now()
		p := a.dial()
		p.send("POST " + target + closing + "Content-Length: 1000\r\n\r\n")
		for time.Since(begin) < 44*time.Second { // one byte at a time, and no poll
			p.send("4")
			a.ask()
			time.Sleep(time.Second)
		}
		p.send("4")
		synctest.Wait()
		time.Sleep(2 * time.Second) // the heartbeat has been missed
		p.end()
		a.answered(a.get(target), "400", `{"code":1,"message":"Session ID unknown"}`)
	},
	"polls that overlap": func(a *arena) {
		target := a.polling("4")
		first := a.dial()
		first.send("GET " + target + closing + "\r\n")
		synctest.Wait()
		second := a.get(target)
		a.answered(second, "400", "\r\n\r\n")
		if got := first.end(); !strings.HasSuffix(got, "\r\n\r\n1") {
			a.Errorf("the first poll got %q", got)
		}
		target = a.polling("4")
		p := a.dial() // one after the other, without waiting
		line := "POST " + target + " HTTP/1.1\r\nHost: sio.test\r\nContent-Length: 2\r\n\r\n40"
		p.send(line + line + "GET " + target + closing + "\r\n")
		p.end()
	},
	"wrong content types": func(a *arena) {
		for _, kind := range []string{"application/octet-stream", "application/octet-stream; charset=utf-8", "APPLICATION/OCTET-STREAM"} {
			target := a.polling("4")
			a.answered(a.post(target, "Content-Type: "+kind+"\r\n", "40"), "400", `{"code":3,"message":"Bad request"}`)
			a.answered(a.get(target), "400", `{"code":1,"message":"Session ID unknown"}`)
		}
		for _, kind := range []string{"application/json", "multipart/form-data; boundary=x", ";;;=", strings.Repeat("x", 10_000), ""} {
			a.answered(a.post(a.polling("4"), "Content-Type: "+kind+"\r\n", "40"), "200", "ok")
		}
	},
	"wrong session ids": func(a *arena) {
		const unknown = `{"code":1,"message":"Session ID unknown"}`
		for _, sid := range []string{"", "constructor", "__proto__", strings.Repeat("x", 100_000), "%00", "AAAAAAAAAAAAAAAAAAAA", "../..", "*", "%ff%fe"} {
			for _, transport := range []string{"polling", "websocket"} {
				a.answered(a.get("/socket.io/?EIO=4&transport="+transport+"&sid="+sid), "400", unknown)
			}
			a.answered(a.post("/socket.io/?EIO=4&transport=polling&sid="+sid, "", "40"), "400", unknown)
		}
		p := a.session() // over another transport than its own
		a.answered(a.get("/socket.io/?EIO=4&transport=polling&sid="+p.sid), "400", `{"code":3,"message":"Bad request"}`)
		a.answered(a.post("/socket.io/?EIO=4&transport=polling&sid="+p.sid, "", "40"), "400", `{"code":3,"message":"Bad request"}`)
		p.text("40")
		p.await(`40{"sid"`)
	},
	"forged upgrades": func(a *arena) {
		steal := func(sid string) *attacker {
			p := a.dial()
			p.send(strings.Replace(upgradeHead, "websocket HTTP", "websocket&sid="+sid+" HTTP", 1) + "\r\n")
			p.send("\x81\x86\x00\x00\x00\x002probe\x81\x81\x00\x00\x00\x005\x81\x82\x00\x00\x00\x0041")
			return p
		}
		p := a.join() // a WebSocket session stays where it is
		if got := steal(p.sid).end(); strings.Contains(got, "3probe") {
			a.Errorf("taken over: %q", got)
		}
		p.text(`421["echo"]`)
		p.await("431[]")
		target := a.polling("4") // and so does one that has moved
		_, sid, _ := strings.Cut(target, "&sid=")
		q := a.dial()
		q.send(strings.Replace(upgradeHead, "websocket HTTP", "websocket&sid="+sid+" HTTP", 1) + "\r\n")
		q.await(switching)
		q.text("2probe")
		q.await("3probe")
		if got := steal(sid).end(); strings.Contains(got, "3probe") {
			a.Errorf("taken over: %q", got)
		}
		q.text("5", "40")
		q.await(`40{"sid"`)
		if got := steal(sid).end(); strings.Contains(got, "3probe") {
			a.Errorf("taken over: %q", got)
		}
		q.text(`422["echo"]`)
		q.await("432[]")
		for _, first := range []string{"5", "4", "2prob", "2probe ", "3probe", "", "1", "40"} { // no probe
			target := a.polling("4")
			_, sid, _ := strings.Cut(target, "&sid=")
			p := a.dial()
			p.send(strings.Replace(upgradeHead, "websocket HTTP", "websocket&sid="+sid+" HTTP", 1) + "\r\n")
			p.text(first)
			p.end()
			a.answered(a.post(target, "", "40"), "200", "ok")
		}
	},
	"foreign origins": func(a *arena) {
		for _, origin := range []string{
			"https://evil.test", "http://sio.test.evil.test", "http://evilsio.test", "null", "http://sio.test:81", "http://sio.test@evil.test", "file://", "x",
		} {
			p := a.dial()
			p.send(upgradeHead + "Origin: " + origin + "\r\nCookie: io=stolen\r\n\r\n")
			p.await("HTTP/1.1 403")
			p.hangUp()
		}
		p := a.dial()
		p.send(upgradeHead + "Origin: http://sio.test\r\n\r\n")
		p.await(switching)
		p = a.dial()
		p.send(upgradeHead + "Origin: http://a\x01b\r\n\r\n")
		p.await("HTTP/1.1 400")
	},
	"20,000 CONNECTs to unknown namespaces": func(a *arena) {
		p := a.join()
		burst := make([]string, 1000)
		for n := range 20 {
			for i := range burst {
				burst[i] = fmt.Sprintf("40/unknown-%d-%d,", n, i)
			}
			p.text(burst...)
			p.await(fmt.Sprintf(`44/unknown-%d-999,{"message":"Invalid namespace"}`, n))
			a.ask()
		}
		p.text(`421["echo"]`)
		p.await("431[]")
		for n := range 20 { // over polling, and never asked for
			target := a.polling("4")
			a.answered(a.post(target, "", strings.Join(burst, "\x1e")), "200", "ok")
			a.ask()
			if n%2 == 0 {
				a.get(target)
			} else {
				a.answered(a.post(target, "", "1"), "200", "ok")
			}
		}
	},
	"CONNECTs that the program thinks about": func(a *arena) {
		asked := make(chan string, 1000)
		a.server.OfFunc(func(ctx context.Context, name string, _ json.RawMessage) (bool, error) {
			asked <- name
			<-ctx.Done()
			return false, ctx.Err()
		})
		p := a.join()
		burst := make([]string, 1000)
		for i := range burst {
			burst[i] = fmt.Sprintf("40/slow-%d,", i)
		}
		p.text(burst...)
		p.await(`44/slow-999,{"message":"Too many namespaces"}`)
		synctest.Wait()
		if n := len(asked); n != 99 { // and the main namespace
			a.Errorf("asked about %d namespaces at a time", n)
		}
		p.text(`421["echo"]`)
		p.await("431[]")
	},
	"packets that must not come": func(a *arena) {
		for _, packet := range []string{
			"2", "2probe", "4", "", "7", "a", "40", "41{}", "44", "45", "47", "42", "4\x00", "42[\"a\"]\x00", "42[\"\xff\"]", "\xff", `42["a",NaN]`,
			`42["a",01]`, `42["a",'b']`, `42["a"`, `42"a"`, `42["connect"]`, `42["disconnecting"]`, `42/nowhere,["a"]`, `43/nowhere,1[]`, "41/nowhere,",
		} {
			p := a.join()
			p.text(packet)
			p.end()
		}
		for _, data := range []string{"", "x", `42["a"]`, attachment} {
			p := a.join()
			p.binary(data)
			p.end()
		}
		p := a.session() // before any namespace
		p.text(`42["a"]`)
		p.end()
		p = a.session() // twice at once
		p.text("40", "40")
		p.end()
		p = a.join() // what is harmless, many times
		for range 20 {
			p.text(strings.Split(strings.Repeat("3 ", 999)+"3", " ")...)
			p.text(strings.Split(strings.Repeat("6 ", 999)+"6", " ")...)
		}
		p.text(`421["echo"]`)
		p.await("431[]")
	},
	"wrong requests": func(a *arena) {
		target := a.polling("4")
		for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE", "X"} {
			got := a.request(method + " " + target + closing + "\r\n")
			a.answered(got, "400", `{"code":3,"message":"Bad request"}`)
			got = a.request(method + " /socket.io/?EIO=4&transport=polling" + closing + "\r\n")
			a.answered(got, "400", `{"code":2,"message":"Bad handshake method"}`)
		}
		for query, want := range map[string]string{
			"":                                `{"code":0,"message":"Transport unknown"}`,
			"EIO=4&transport=constructor":     `{"code":0,"message":"Transport unknown"}`,
			"EIO=4&transport=polling&j=0":     `{"code":3,"message":"JSONP is not supported"}`,
			"EIO=5&transport=polling":         `{"code":5,"message":"Unsupported protocol version"}`,
			"transport=polling":               `{"code":5,"message":"Unsupported protocol version"}`,
			"EIO=4&transport=websocket":       `{"code":3,"message":"Bad request"}`,
			strings.Repeat("&a=b", 100_000):   `{"code":0,"message":"Transport unknown"}`,
			"EIO=4&transport=polling;sid=%zz": `{"code":0,"message":"Transport unknown"}`,
		} {
			a.answered(a.get("/socket.io/?"+query), "400", want)
		}
		a.answered(a.post(target, "", "40"), "200", "ok")
	},
}

// TestBadInput is the rest.
func TestBadInput(t *testing.T) { run(t, badInput) }
