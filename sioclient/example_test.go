package sioclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

// serve starts a server that plays its part word by word. It stands for a real one.
func serve(part func(s *siotest.Session)) (url string, stop func()) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	peer := siotest.NewPeer(listener, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s, err := peer.Accept(context.Background()); err == nil {
			part(s)
		}
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = peer.Close() // always nil
		<-done
	}
}

func ExampleDial() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	url, stop := serve(func(s *siotest.Session) {
		_ = s.Expect(ctx, "40")
		_ = s.Send(`40{"sid":"x"}`, `42["temperature",21.5]`)
	})
	defer stop()

	socket, err := sioclient.Dial(ctx, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.Close()
	for event, err := range socket.Events(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		var celsius float64
		if err := event.Decode(&celsius); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.Name, celsius)
		break
	}
	// Output: temperature 21.5
}

func ExampleOn1() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	url, stop := serve(func(s *siotest.Session) {
		_ = s.Expect(ctx, "40")
		_ = s.Send(`40{"sid":"x"}`, `42["door",{"name":"gate","open":true}]`)
	})
	defer stop()

	manager, err := sioclient.NewManager(url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	socket, err := manager.Socket("/", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	type door struct {
		Name string
		Open bool
	}
	told := make(chan struct{})
	sioclient.On1(socket, "door", func(d door) {
		fmt.Printf("%+v\n", d)
		close(told)
	})
	if err := socket.Connect(ctx); err != nil {
		fmt.Println(err)
		return
	}
	<-told
	// Output: {Name:gate Open:true}
}

func ExampleCall1() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	url, stop := serve(func(s *siotest.Session) {
		_ = s.Expect(ctx, "40")
		_ = s.Send(`40{"sid":"x"}`)
		_ = s.Expect(ctx, `420["sum",[1,2,3]]`)
		_ = s.Send(`430[6]`)
	})
	defer stop()

	socket, err := sioclient.Dial(ctx, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.Close()
	sum, err := sioclient.Call1[int](ctx, socket, "sum", []int{1, 2, 3})
	fmt.Println(sum, err)
	// Output: 6 <nil>
}

func ExampleConnectionRefusedError() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	url, stop := serve(func(s *siotest.Session) {
		_ = s.Expect(ctx, `40/admin,{"token":"123"}`)
		_ = s.Send(`44/admin,{"message":"Not authorized","data":{"retry":false}}`)
	})
	defer stop()

	_, err := sioclient.Dial(ctx, url+"/admin", &sioclient.Options{
		Socket: sioclient.SocketOptions{Auth: map[string]string{"token": "123"}},
	})
	if refused, ok := errors.AsType[*sioclient.ConnectionRefusedError](err); ok {
		fmt.Println(refused.Namespaces, refused.Message, string(refused.Data))
	}
	// Output: [/admin] Not authorized {"retry":false}
}
