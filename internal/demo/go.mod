module github.com/fieldlink-go/fieldlink/internal/demo

go 1.26.0

require (
	github.com/fieldlink-go/fieldlink/errkit v0.1.0
	github.com/fieldlink-go/fieldlink/internal v0.1.0
	github.com/fieldlink-go/fieldlink/ngtt v0.1.0
	github.com/fieldlink-go/fieldlink/pikvm v0.1.0
	github.com/fieldlink-go/fieldlink/smok v0.1.0
	github.com/google/go-cmp v0.7.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/fieldlink-go/fieldlink/wsclient v0.1.0 // indirect
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	go.etcd.io/bbolt v1.4.3 // indirect
	golang.org/x/net v0.43.0 // indirect
	golang.org/x/sys v0.35.0 // indirect
)
