package pikvm_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func ExampleSession_Wait() {
	device := pikvmtest.New(nil) // stands for https://pikvm.local
	if err := device.Start(); err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		log.Fatal(err)
	}
	defer kvm.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	session, err := kvm.Events(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	device.SetHostPower(true) // somebody switches the host on
	state, err := session.Wait(ctx, func(s *pikvm.State) bool {
		atx, ok := s.ATX()
		return ok && atx.LEDs.Power
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the host is on, says kvmd", state.Version())
	// Output: the host is on, says kvmd 4.197
}

func ExampleSession_Subscribe() {
	device := pikvmtest.New(nil)
	if err := device.Start(); err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		log.Fatal(err)
	}
	defer kvm.Close()
	session, err := kvm.Events(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	events := session.Subscribe(pikvm.EventConnected, pikvm.EventDisconnected) // from now on
	device.Restart(0)                                                          // an update of the device, for instance
	for range 2 {
		ev, err := events.Next(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ev.Type)
	}
	// Output:
	// @disconnected
	// @connected
}

func ExampleSession_Shortcut() {
	device := pikvmtest.New(nil)
	if err := device.Start(); err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	kvm, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
	if err != nil {
		log.Fatal(err)
	}
	defer kvm.Close()
	session, err := kvm.Events(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := session.Shortcut(ctx, pikvm.KeyControlLeft, pikvm.KeyAltLeft, pikvm.KeyDelete); err != nil {
		log.Fatal(err)
	}
	if _, err := session.Ping(ctx); err != nil { // now the device has taken the keys, which have no answers
		log.Fatal(err)
	}
	for _, ev := range device.HIDLog() {
		fmt.Println(ev.Name, ev.Pressed)
	}
	// Output:
	// ControlLeft true
	// AltLeft true
	// Delete true
	// Delete false
	// AltLeft false
	// ControlLeft false
}
