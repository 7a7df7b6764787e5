package smok_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// heat is the program of the README about sensors.
func heat(ctx context.Context, device *smok.Device) error {
	s, err := device.Sensor("outside", "temperature")
	if err != nil {
		return err
	}
	sample, err := s.Get() // as the type shows it: 21.5
	if err != nil {
		return err
	}
	fmt.Println("it was", sample.Value)
	if err := s.Write(ctx, 22.0, smok.Force); err != nil { // 220 to the pathpoint
		return err
	}
	return s.LogWrite(ctx, smok.SensorWrite{Who: "operator", Value: "22.0", Reason: "cold"})
}

func ExampleSensor() {
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer hub.Close()
	cert, key, err := hub.Issue(ngtttest.Device{ID: "house"})
	if err != nil {
		fmt.Println(err)
		return
	}
	credentials, err := ngtt.ParseCredentials(cert, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	hub.Device("house").SetSensors(smoktest.Sensor{FQTS: "outside temperature", Paths: []string{"W1"}, Type: "std.Number10"})
	device, err := smok.New(credentials, &smok.Options{BaseURL: hub.URL(), RootCAs: hub.RootCAs(), Auth: smok.AuthMTLS})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	p, err := device.Register("W1", smok.Trend, &smok.PathpointOptions{
		Write: func(_ context.Context, v any, _ smok.Advise) error { fmt.Println("set to", v); return nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go device.Run(ctx)
	fmt.Println(errors.Join(p.Set(ctx, time.Time{}, 215), device.WaitSynced(ctx), heat(ctx, device)))
	// Output:
	// it was 21.5
	// set to 220
	// <nil>
}
