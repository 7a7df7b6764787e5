package spool_test

import (
	"context"
	"fmt"
	"os"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func Example() {
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	s, err := spool.Open(dir, &spool.Options{
		MaxBytes: 64 << 20,
		Policy:   spool.DropOldest,
		OnReport: func(r spool.Report) { fmt.Println("report:", r) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	for _, text := range []string{"21.5 °C", "21.6 °C", "21.4 °C"} {
		if _, err := s.Append(ctx, spool.Entry{Payload: []byte(text)}); err != nil {
			fmt.Println("not stored:", err)
			return
		}
	}

	// The sender: elsewhere, at another time, after a restart.
	for rec, err := range s.Records(ctx, 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("sent", rec.Seq, string(rec.Payload))
		if err := s.Remove(rec.Seq); err != nil {
			fmt.Println(err)
			return
		}
		if s.Len() == 0 {
			stop() // otherwise it waits for more
		}
	}
	// Output:
	// sent 1 21.5 °C
	// sent 2 21.6 °C
	// sent 3 21.4 °C
}

func ExampleSpool_Quarantine() {
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := spool.Open(dir, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	first, err := s.AppendBatch(context.Background(), []spool.Entry{
		{Payload: []byte("a message that the server refuses")}, {Payload: []byte("a good one")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Quarantine(first, "close code 1009 three times"); err != nil {
		fmt.Println(err)
		return
	}
	recs, err := s.Peek(10)
	fmt.Println(len(recs), string(recs[0].Payload), err)
	list, err := s.Quarantined()
	fmt.Println(list[0].First, list[0].Reason, err)
	// Output:
	// 1 a good one <nil>
	// 1 close code 1009 three times <nil>
}
